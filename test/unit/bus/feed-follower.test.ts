import { describe, expect, it } from 'vitest'
import { idBoundAt, silentLog } from '../../../src/base/index.ts'
import { FeedFollower } from '../../../src/bus/index.ts'
import type { EventType, FeedEvent } from '../../../src/domain/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'

/** A feed whose events are put in as another instance would. */
function feedWorld(instances = ['here', 'far']) {
  const clock = createManualClock()
  const log: FeedEvent[] = []
  const listeners = new Set<(events: FeedEvent[]) => void>()
  const heard: string[] = []
  const fault = { reads: 0, error: undefined as Error | undefined }
  let made = 0
  const put = (type: EventType, { by, at = clock.now() }: { by: 'here' | 'far'; at?: number }) => {
    const event: FeedEvent = { id: `${idBoundAt(at)}${String(made++).padStart(16, '0')}`, type, at, data: {} }
    log.push(event)
    log.sort((a, b) => (a.id < b.id ? -1 : 1))
    if (by === 'here') for (const listener of listeners) listener([event])
    return event.id
  }
  const follower = new FeedFollower({
    events: {
      onAppended(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      async ofTypes(types, after, limit) {
        fault.reads++
        if (fault.error !== undefined) throw fault.error
        return log.filter(({ id, type }) => id > after && types.includes(type)).slice(0, limit)
      },
    },
    instances: { alive: async () => instances },
    types: ['device.bound', 'device.linkReleased'],
    onEvent: ({ id }) => heard.push(id),
    clock,
    log: silentLog,
  })
  const poll = async () => {
    clock.advance(2000)
    for (let i = 0; i < 20; i++) await Promise.resolve()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { clock, put, poll, heard, fault, follower }
}

describe('events of other instances', () => {
  it('are told once each, in order, and neither own ones nor those of other types', async () => {
    const { put, poll, heard, follower, clock } = feedWorld()
    await follower.start()
    const first = put('device.bound', { by: 'far' })
    put('device.bound', { by: 'here' })
    put('device.booted', { by: 'far' })
    const second = put('device.linkReleased', { by: 'far' })
    for (let i = 0; i < 3; i++) await poll()
    expect(heard).toEqual([first, second])
    // A commit of another instance that came late, with the time of an earlier one.
    const late = put('device.bound', { by: 'far', at: clock.now() - 5000 })
    for (let i = 0; i < 10; i++) await poll()
    expect(heard).toEqual([first, second, late])
    await follower.stop()
  })

  it('that came while the database did not answer are told when it does', async () => {
    const { put, poll, heard, fault, follower, clock } = feedWorld()
    await follower.start()
    await poll()
    fault.error = new Error('away')
    const missed = put('device.linkReleased', { by: 'far' })
    for (let i = 0; i < 60; i++) await poll()
    expect(heard).toEqual([])
    fault.error = undefined
    clock.advance(60_000)
    await poll()
    expect(heard).toEqual([missed])
    await follower.stop()
  })

  it('are more than a page and told all', async () => {
    const { put, poll, heard, follower } = feedWorld()
    await follower.start()
    const ids = Array.from({ length: 2500 }, () => put('device.bound', { by: 'far' }))
    await poll()
    expect(heard).toEqual(ids)
    await follower.stop()
  })

  it('are not looked for by the only instance', async () => {
    const { put, poll, heard, fault, follower } = feedWorld(['here'])
    await follower.start()
    put('device.bound', { by: 'far' })
    for (let i = 0; i < 5; i++) await poll()
    expect([heard, fault.reads]).toEqual([[], 0])
    await follower.stop()
  })
})
