import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { byServiceTime } from '../../src/cli/server/instance.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import { createMemoryStores } from '../support/memory-stores.ts'

const TTL_MS = 10_000
let clock: ManualClock
let serviceMs: number
let instances: ReturnType<typeof byServiceTime>

beforeEach(() => {
  clock = createManualClock()
  serviceMs = 0
  const time = { now: () => serviceMs, silenceCountsFrom: 0, wallTime: (ms: number) => ms }
  instances = byServiceTime(createMemoryStores(clock).instances, time)
})
afterEach(() => vi.restoreAllMocks())

it.each([3_600_000, -600_000])(
  'an instance is alive for as long as before when the clock is moved by %d ms',
  async (ms) => {
    await instances.beat('one', clock.now(), TTL_MS)
    await instances.beat('two', clock.now(), TTL_MS)
    const moved = clock.now() + ms
    serviceMs = 5000
    await instances.beat('two', moved, TTL_MS)
    expect((await instances.alive(moved)).sort()).toEqual(['one', 'two'])
    serviceMs = 12_000
    expect(await instances.alive(moved)).toEqual(['two'])
  },
)
