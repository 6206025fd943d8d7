import { expect, it } from 'vitest'
import { changeSubscriptions } from '../../../src/domain/index.ts'

const subscribe = (id: string, paths: string[], options: { enable?: boolean; passive?: boolean } = {}) =>
  ({ verb: 'subscribe', id, notifType: 'ValueChange', paths, enable: true, ...options }) as const

it('replaces a subscription of the same ID and keeps on what another one names', () => {
  const standing = [
    { id: 'a', paths: ['A', 'B'] },
    { id: 'b', paths: ['B'] },
  ]
  expect(changeSubscriptions(standing, subscribe('a', ['C']))).toEqual({
    notifications: [
      { path: 'A', level: 0 },
      { path: 'B', level: 2 },
      { path: 'C', level: 2 },
    ],
    subscriptions: [
      { id: 'b', paths: ['B'] },
      { id: 'a', paths: ['C'] },
    ],
  })
})

it('ends a subscription with the paths it was made with, and those it is ended with', () => {
  const standing = [{ id: 'a', paths: ['A'] }]
  expect(changeSubscriptions(standing, subscribe('a', ['Z'], { enable: false }))).toEqual({
    notifications: [
      { path: 'A', level: 0 },
      { path: 'Z', level: 0 },
    ],
    subscriptions: [],
  })
})

it('keeps a parameter on whose object another subscription names', () => {
  const standing = [
    { id: 'big', paths: ['Device.WLAN.1.'] },
    { id: 'small', paths: ['Device.WLAN.1.SSID'] },
  ]
  expect(changeSubscriptions(standing, subscribe('small', [], { enable: false })).notifications).toEqual([
    { path: 'Device.WLAN.1.SSID', level: 2 },
  ])
})

it('sets what others have asked for below an object again, after the object', () => {
  const standing = [
    { id: 'big', paths: ['Device.WLAN.1.'] },
    { id: 'small', paths: ['Device.WLAN.1.SSID', 'Device.WLAN.10.SSID'] },
    { id: 'slow', paths: ['Device.WLAN.1.Channel'], passive: true },
  ]
  expect(changeSubscriptions(standing, subscribe('big', [], { enable: false })).notifications).toEqual([
    { path: 'Device.WLAN.1.', level: 0 },
    { path: 'Device.WLAN.1.SSID', level: 2 },
    { path: 'Device.WLAN.1.Channel', level: 1 },
  ])
})

it('asks for a parameter at the highest level of all that name it', () => {
  const standing = [{ id: 'now', paths: ['Device.WLAN.'] }]
  const { notifications, subscriptions } = changeSubscriptions(
    standing,
    subscribe('later', ['Device.WLAN.1.SSID'], { passive: true }),
    { asked: ['Device.WiFi.SSID.1.SSID'], bootstrapAt: 7 },
  )
  expect(notifications).toEqual([{ path: 'Device.WLAN.1.SSID', level: 2 }])
  expect(subscriptions.at(-1)).toEqual({
    id: 'later',
    paths: ['Device.WLAN.1.SSID'],
    asked: ['Device.WiFi.SSID.1.SSID'],
    passive: true,
    bootstrapAt: 7,
  })
})

it('remembers only so many', () => {
  const many = Array.from({ length: 70 }, (_, i) => ({ id: String(i), paths: ['A'] }))
  expect(changeSubscriptions(many, subscribe('new', ['B'])).subscriptions).toHaveLength(64)
})
