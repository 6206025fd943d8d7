import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LostCalls } from '../../../src/store/mongo/lost-calls.ts'

const NEVER = new Promise<never>(() => undefined)
const pools = new EventEmitter()
let calls: LostCalls

beforeEach(() => {
  vi.useFakeTimers()
  calls = new LostCalls(pools, { graceMs: 1000, limitMs: 35_000 }, () => new Error('lost'))
})
afterEach(() => {
  pools.removeAllListeners()
  vi.useRealTimers()
})

/** Returns the state of a promise: its value, its error, or nothing yet. */
function standing(promise: Promise<unknown>): { now: unknown } {
  const seen: { now: unknown } = { now: undefined }
  promise.then(
    (value) => {
      seen.now = value
    },
    (error: Error) => {
      seen.now = error.message
    },
  )
  return seen
}

describe('a call to the database that the driver does not end', () => {
  it('fails a moment after its server was given up; one that began after that goes on', async () => {
    const before = standing(calls.within(NEVER))
    await vi.advanceTimersByTimeAsync(10)
    pools.emit('connectionPoolCleared')
    await vi.advanceTimersByTimeAsync(10)
    const after = standing(calls.within(NEVER))
    await vi.advanceTimersByTimeAsync(980)
    expect(before.now).toBeUndefined()
    await vi.advanceTimersByTimeAsync(10)
    expect([before.now, after.now]).toEqual(['lost', undefined])
  })

  it('fails after the longest time that a call may take', async () => {
    const call = standing(calls.within(NEVER))
    await vi.advanceTimersByTimeAsync(34_000)
    expect(call.now).toBeUndefined()
    await vi.advanceTimersByTimeAsync(2000)
    expect(call.now).toBe('lost')
  })

  it('is one of a collection, or a step of a cursor', async () => {
    const cursor = {
      limit: () => cursor,
      toArray: () => NEVER,
      async *[Symbol.asyncIterator]() {
        yield 1
        await NEVER
      },
    }
    const collection = calls.guard({ findOne: () => NEVER, find: () => cursor, name: () => 'devices' })
    expect(collection.name()).toBe('devices')
    const seen: number[] = []
    const walk = async () => {
      for await (const value of collection.find().limit()) seen.push(value)
    }
    const all = [collection.findOne(), collection.find().limit().toArray(), walk()].map(standing)
    await vi.advanceTimersByTimeAsync(10)
    expect(seen).toEqual([1])
    pools.emit('connectionPoolCleared')
    await vi.advanceTimersByTimeAsync(1000)
    expect(all.map(({ now }) => now)).toEqual(['lost', 'lost', 'lost'])
  })

  it('does not change the end of any other', async () => {
    expect(await calls.within(Promise.resolve(7))).toBe(7)
    await expect(calls.within(Promise.reject(new Error('refused')))).rejects.toThrow('refused')
    pools.emit('connectionPoolCleared')
    await vi.advanceTimersByTimeAsync(100_000)
    expect(vi.getTimerCount()).toBe(0)
  })
})
