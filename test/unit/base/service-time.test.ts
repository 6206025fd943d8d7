import { describe, expect, it } from 'vitest'
import { type ServiceTimeStore, StoredServiceTime } from '../../../src/base/index.ts'

/** An installation: what is stored, its wall clock and its monotonic clock. */
function installation() {
  const world = {
    wall: 1_000_000,
    monotonic: 0,
    silent: false,
    stored: undefined as { ms: number; at: number } | undefined,
  }
  const store: ServiceTimeStore = {
    async raise(ms, at) {
      if (world.silent) throw new Error('no answer')
      const before = world.stored
      world.stored = { ms: Math.max(ms, before?.ms ?? 0), at }
      return { ms: world.stored.ms, ...(before === undefined ? {} : { at: before.at }) }
    },
  }
  const start = async () => {
    const time = new StoredServiceTime(store, { now: () => world.wall }, () => world.monotonic)
    await time.start()
    return time
  }
  const pass = (ms: number) => {
    world.wall += ms
    world.monotonic += ms
  }
  return { world, start, pass }
}

/** Time passes while the server stores it every three seconds. */
async function serve(time: StoredServiceTime, pass: (ms: number) => void, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 3000) {
    pass(Math.min(left, 3000))
    await time.beat()
  }
}

describe('service time', () => {
  it('passes while the server serves, and goes on where it stood', async () => {
    const { start, pass } = installation()
    const first = await start()
    expect(first.now()).toBe(0)
    await serve(first, pass, 60_000)
    expect(first.now()).toBe(60_000)
    pass(86_400_000)
    const second = await start()
    expect(second.now()).toBe(60_000)
    await serve(second, pass, 3000)
    expect(second.now()).toBe(63_000)
  })

  it('stands still while the database does not answer, and never goes back', async () => {
    const { world, start, pass } = installation()
    const time = await start()
    await serve(time, pass, 30_000)
    world.silent = true
    let last = time.now()
    for (let i = 0; i < 100; i++) {
      pass(3000)
      await expect(time.beat()).rejects.toThrow('no answer')
      expect(time.now()).toBeGreaterThanOrEqual(last)
      last = time.now()
    }
    expect(last).toBeLessThanOrEqual(40_000)
    world.silent = false
    await time.beat()
    expect(time.now()).toBe(last)
    await serve(time, pass, 9000)
    expect(time.now()).toBe(last + 9000)
  })

  it('knows nothing of steps of the wall clock', async () => {
    const { world, start, pass } = installation()
    const time = await start()
    await serve(time, pass, 9000)
    for (const step of [-600_000, 3_600_000]) {
      world.wall += step
      await serve(time, pass, 3000)
    }
    expect(time.now()).toBe(15_000)
    expect(time.wallTime(time.now() + 5000)).toBe(world.wall + 5000)
  })

  it('gives devices twice as long as the outage took to come back, an hour at most', async () => {
    const { world, start, pass } = installation()
    const first = await start()
    expect(first.silenceCountsFrom).toBe(0)
    await serve(first, pass, 3000)
    pass(100_000)
    const second = await start()
    expect(second.silenceCountsFrom).toBe(3000 + 200_000)
    await serve(second, pass, 3000)
    pass(7 * 86_400_000)
    expect((await start()).silenceCountsFrom).toBe(6000 + 3_600_000)
    world.wall -= 86_400_000
    expect((await start()).silenceCountsFrom).toBe(6000)
  })

  it('is the largest of all instances', async () => {
    const { start, pass } = installation()
    const [a, b] = [await start(), await start()]
    await serve(a, pass, 30_000)
    await b.beat()
    expect(b.now()).toBeGreaterThanOrEqual(a.now())
  })
})
