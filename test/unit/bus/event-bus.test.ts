import { describe, expect, it } from 'vitest'
import { type Log, silentLog } from '../../../src/base/index.ts'
import { createEventBus } from '../../../src/bus/index.ts'
import type { FeedEvent } from '../../../src/domain/index.ts'

const event = (id: string): FeedEvent => ({ id, type: 'device.booted', at: 1, data: {} })

describe('event bus', () => {
  it('gives every listener every event in order', () => {
    const bus = createEventBus(silentLog)
    const seen: string[] = []
    bus.subscribe((e) => seen.push(`a${e.id}`))
    bus.subscribe((e) => seen.push(`b${e.id}`))
    bus.publish([event('1'), event('2')])
    expect(seen).toEqual(['a1', 'b1', 'a2', 'b2'])
  })

  it('logs a listener that throws and goes on with the others', () => {
    const errors: Record<string, unknown>[] = []
    const log: Log = { ...silentLog, error: (fields) => errors.push(fields) }
    const bus = createEventBus(log)
    const seen: string[] = []
    bus.subscribe(() => {
      throw new Error('broken')
    })
    bus.subscribe((e) => seen.push(e.id))
    expect(() => bus.publish([event('1'), event('2')])).not.toThrow()
    expect(seen).toEqual(['1', '2'])
    expect(errors.map((fields) => fields.eventId)).toEqual(['1', '2'])
  })

  it('stops calling a listener that left, and only that subscription of the same function', () => {
    const bus = createEventBus(silentLog)
    const seen: string[] = []
    const listener = (e: FeedEvent) => seen.push(e.id)
    const leave = bus.subscribe(listener)
    bus.subscribe(listener)
    leave()
    leave()
    bus.publish([event('1')])
    expect(seen).toEqual(['1'])
  })

  it('lets a listener leave while it is being called', () => {
    const bus = createEventBus(silentLog)
    const seen: string[] = []
    const leave = bus.subscribe((e) => {
      seen.push(`once${e.id}`)
      leave()
    })
    bus.subscribe((e) => seen.push(`always${e.id}`))
    bus.publish([event('1'), event('2')])
    expect(seen).toEqual(['once1', 'always1', 'always2'])
  })
})
