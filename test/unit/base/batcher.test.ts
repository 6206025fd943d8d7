import { describe, expect, it } from 'vitest'
import { createBatcher } from '../../../src/base/index.ts'

function recording(lingerMs: number, maxItems = 100) {
  const batches: number[][] = []
  const gates: (() => void)[] = []
  const batcher = createBatcher<number, number>({
    maxItems,
    lingerMs,
    concurrency: 1,
    flush: async (items) => {
      batches.push(items)
      await new Promise<void>((resolve) => gates.push(resolve))
      return items.map((item) =>
        item < 0 ? { ok: false, error: new Error(`bad ${item}`) } : { ok: true, value: item * 2 },
      )
    },
  })
  const open = async () => {
    while (gates.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    gates.shift()?.()
  }
  return { batcher, batches, open }
}

describe('createBatcher', () => {
  it('sends what arrives together, and what arrives while a batch is under way, as one batch each', async () => {
    const { batcher, batches, open } = recording(0)
    const first = [batcher.add(1), batcher.add(2)]
    await new Promise((resolve) => setTimeout(resolve, 5))
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
})
