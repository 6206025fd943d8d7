import { expect, it } from 'vitest'
import { changeSubscriptions } from '../../../src/domain/index.ts'

const subscribe = (id: string, paths: string[], enable = true) =>
  ({ verb: 'subscribe', id, notifType: 'ValueChange', paths, enable }) as const

it('replaces a subscription of the same ID and keeps on what another one names', () => {
  const standing = [
    { id: 'a', paths: ['A', 'B'] },
    { id: 'b', paths: ['B'] },
  ]
  expect(changeSubscriptions(standing, subscribe('a', ['C']))).toEqual({
    on: ['C'],
    off: ['A'],
    subscriptions: [
      { id: 'b', paths: ['B'] },
      { id: 'a', paths: ['C'] },
    ],
  })
})

it('ends a subscription with the paths it was made with, and those it is ended with', () => {
  const { on, off, subscriptions } = changeSubscriptions([{ id: 'a', paths: ['A'] }], subscribe('a', ['Z'], false))
  expect([on, off.sort(), subscriptions]).toEqual([[], ['A', 'Z'], []])
})

it('remembers only so many', () => {
  const many = Array.from({ length: 70 }, (_, i) => ({ id: String(i), paths: ['A'] }))
  expect(changeSubscriptions(many, subscribe('new', ['B'])).subscriptions).toHaveLength(64)
})
