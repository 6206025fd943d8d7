import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBatcher } from '../../../src/base/index.ts'
import { until } from '../../support/until.ts'

const PLENTY = { maxWaiting: 1000, maxWaitMs: 60_000 }

function recording(lingerMs: number, maxItems = 100, bounds = PLENTY) {
  const batches: number[][] = []
  const gates: (() => void)[] = []
  const batcher = createBatcher<number, number>({
    maxItems,
    lingerMs,
    concurrency: 1,
    ...bounds,
    flush: async (items) => {
      batches.push(items)
      await new Promise<void>((resolve) => gates.push(resolve))
      return items.map((item) =>
        item < 0 ? { ok: false, error: new Error(`bad ${item}`) } : { ok: true, value: item * 2 },
      )
    },
  })
  const open = async () => {
    await until(() => gates.length > 0, 30_000, 1)
    gates.shift()?.()
  }
  return { batcher, batches, gates, open }
}

describe('createBatcher', () => {
  it('sends what arrives together, and what arrives while a batch is under way, as one batch each', async () => {
    const { batcher, batches, open } = recording(0)
    const first = [batcher.add(1), batcher.add(2)]
    await until(() => batches.length === 1, 30_000, 1)
    const second = [batcher.add(3), batcher.add(4)]
    await open()
    expect(await Promise.all(first)).toEqual([2, 4])
    await open()
    expect(await Promise.all(second)).toEqual([6, 8])
    expect(batches).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  it('lets the first item wait for company, and the next one only when some came', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    try {
      const { batcher, batches, gates } = recording(1000)
      const end = async (count: number) => {
        expect(batches).toHaveLength(count)
        gates.shift()?.()
        await new Promise((resolve) => setImmediate(resolve))
      }
      const first = batcher.add(1)
      await new Promise((resolve) => setImmediate(resolve))
      expect(batches).toEqual([])
      await vi.advanceTimersByTimeAsync(1000)
      await end(1)
      const others = [batcher.add(2), batcher.add(3)]
      await new Promise((resolve) => setImmediate(resolve))
      await end(2)
      const last = batcher.add(4)
      await new Promise((resolve) => setImmediate(resolve))
      expect(batches).toEqual([[1], [2, 3]])
      await vi.advanceTimersByTimeAsync(1000)
      await end(3)
      expect(await Promise.all([first, ...others, last])).toEqual([2, 4, 6, 8])
    } finally {
      vi.useRealTimers()
    }
  })

  describe('of items that can wait', () => {
    const PATIENCE_MS = 1000
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    const patient = (maxItems = 4) => {
      const batches: number[][] = []
      const batcher = createBatcher<number, number>({
        maxItems,
        lingerMs: 0,
        patienceMs: PATIENCE_MS,
        concurrency: 1,
        ...PLENTY,
        flush: async (items) => {
          batches.push(items)
          return items.map((value) => ({ ok: true, value }))
        },
      })
      return { batcher, batches }
    }
    beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
    afterEach(() => vi.useRealTimers())

    it('gathers them for some time after a batch of several, and not after a small one', async () => {
      const { batcher, batches } = patient()
      await Promise.all([1, 2, 3].map((item) => batcher.add(item, true)))
      const gathered = [batcher.add(4, true)]
      await turn()
      expect(batches).toEqual([[1, 2, 3]])
      await vi.advanceTimersByTimeAsync(PATIENCE_MS / 2)
      gathered.push(batcher.add(5, true))
      await vi.advanceTimersByTimeAsync(PATIENCE_MS / 2)
      await Promise.all(gathered)
      expect(batches).toEqual([
        [1, 2, 3],
        [4, 5],
      ])
      await batcher.add(6, true)
      expect(batches.at(-1)).toEqual([6])
    })

    it('gathers no longer than it needs to have enough', async () => {
      const { batcher, batches } = patient(100)
      await Promise.all([1, 2, 3].map((item) => batcher.add(item, true)))
      const enough = Array.from({ length: 16 }, (_, i) => 4 + i)
      await Promise.all(enough.map((item) => batcher.add(item, true)))
      expect(batches).toEqual([[1, 2, 3], enough])
    })

    it('takes them along at once with an item that cannot wait, and when a batch is full', async () => {
      const { batcher, batches } = patient()
      await Promise.all([1, 2, 3].map((item) => batcher.add(item)))
      await Promise.all([batcher.add(4, true), batcher.add(5, true), batcher.add(6)])
      await Promise.all([7, 8, 9, 10].map((item) => batcher.add(item, true)))
      expect(batches).toEqual([
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9, 10],
      ])
    })
  })

  it('rejects the caller of a bad item alone', async () => {
    const { batcher, open } = recording(1)
    const results = Promise.allSettled([batcher.add(1), batcher.add(-1), batcher.add(2)])
    await open()
    expect((await results).map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('rejects everybody when the flush itself fails, and goes on with the next batch', async () => {
    let broken = true
    const batcher = createBatcher<number, number>({
      maxItems: 10,
      lingerMs: 0,
      concurrency: 1,
      ...PLENTY,
      flush: async (items) => {
        if (broken) throw new Error('no database')
        return items.map((value) => ({ ok: true, value }))
      },
    })
    await expect(batcher.add(1)).rejects.toThrow('no database')
    broken = false
    await expect(batcher.add(2)).resolves.toBe(2)
  })

  it('cuts batches at maxItems and drains them all', async () => {
    const { batcher, batches, open } = recording(0, 2)
    const all = Promise.all([1, 2, 3, 4, 5].map((n) => batcher.add(n)))
    for (let i = 0; i < 3; i++) await open()
    await all
    await batcher.drain()
    expect(batches.map((batch) => batch.length)).toEqual([2, 2, 1])
    expect(batcher.waiting).toBe(0)
  })

  it('cuts batches at their weight too, and lets a heavier item go alone', async () => {
    const batches: number[][] = []
    const batcher = createBatcher<number, number>({
      maxItems: 10,
      maxFlush: 10,
      lingerMs: 0,
      concurrency: 1,
      ...PLENTY,
      weigh: (item) => item,
      flush: async (items) => {
        batches.push(items)
        return items.map((value) => ({ ok: true, value }))
      },
    })
    await Promise.all([4, 6, 1, 30, 2, 3].map((n) => batcher.add(n)))
    expect(batches).toEqual([[4, 6], [1], [30], [2, 3]])
  })

  it('refuses at once what would wait behind too much, and takes on again when there is room', async () => {
    const { batcher, batches, open } = recording(0, 2, { maxWaiting: 3, maxWaitMs: 60_000 })
    const first = batcher.add(0)
    await until(() => batches.length > 0, 30_000, 1)
    const kept = [batcher.add(1), batcher.add(2), batcher.add(3)]
    await expect(batcher.add(4)).rejects.toMatchObject({ code: 'unavailable' })
    await open()
    expect(await first).toBe(0)
    await open()
    await Promise.all(kept.slice(0, 2))
    const last = batcher.add(5)
    await open()
    expect(await kept[2]).toBe(6)
    if (batches.flat().length < 5) await open()
    expect(await last).toBe(10)
    expect(batches.flat()).not.toContain(4)
  })

  it('takes one item that alone weighs more than may wait', async () => {
    const batcher = createBatcher<number, number>({
      maxItems: 10,
      lingerMs: 0,
      concurrency: 1,
      maxWaiting: 5,
      maxWaitMs: 60_000,
      weigh: (item) => item,
      flush: async (items) => items.map((value) => ({ ok: true, value })),
    })
    const big = batcher.add(100)
    await expect(batcher.add(1)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await big).toBe(100)
    expect(await batcher.add(1)).toBe(1)
  })

  it('refuses what waits too long behind a flush that hangs, and never flushes it', async () => {
    const { batcher, batches, open } = recording(0, 100, { maxWaiting: 1000, maxWaitMs: 20 })
    const hanging = batcher.add(1)
    await until(() => batches.length > 0, 30_000, 1)
    await expect(Promise.all([batcher.add(2), batcher.add(3)])).rejects.toMatchObject({ code: 'unavailable' })
    expect(batcher.waiting).toBe(0)
    await open()
    expect(await hanging).toBe(2)
    await batcher.drain()
    expect(batches).toEqual([[1]])
  })
})
