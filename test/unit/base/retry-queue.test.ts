import { beforeEach, describe, expect, it } from 'vitest'
import { createRetryQueue, type RetryQueue, silentLog } from '../../../src/base/index.ts'
import { createManualClock, type ManualClock, settled } from '../../support/manual-clock.ts'

let clock: ManualClock
let queue: RetryQueue
let done: string[]
let failing: Set<string>
let tries: string[]
beforeEach(() => {
  clock = createManualClock()
  queue = createRetryQueue({
    name: 'test',
    clock,
    random: { fraction: () => 1 },
    log: silentLog,
    concurrency: 2,
    maxKeys: 5,
    pauseMs: 1000,
    maxPauseMs: 4000,
  })
  done = []
  tries = []
  failing = new Set()
})

function add(key: string, name = key): void {
  queue.add(key, async () => {
    tries.push(name)
    if (failing.has(name)) throw new Error('away')
    done.push(name)
  })
}

describe('a queue of work that is tried until it succeeds', () => {
  it('does at once what can be done, and forgets it', async () => {
    add('a')
    add('b')
    await settled()
    expect([done, queue.waiting]).toEqual([['a', 'b'], 0])
  })

  it('tries again after a pause that grows while nothing succeeds, and never gives up', async () => {
    failing.add('a')
    add('a')
    const at: number[] = []
    for (let last = 0, begun = clock.now(); at.length < 5; ) {
      await settled(4)
      if (tries.length > last) at.push(clock.now() - begun)
      last = tries.length
      clock.advance(500)
    }
    expect(at).toEqual([0, 1000, 3000, 7000, 11_000])
    failing.clear()
    clock.advance(4000)
    await settled()
    expect([done, queue.waiting]).toEqual([['a'], 0])
  })

  it('keeps the order of the tasks of one key', async () => {
    failing.add('a1')
    add('a', 'a1')
    add('a', 'a2')
    await settled()
    expect(tries).toEqual(['a1'])
    failing.clear()
    clock.advance(1000)
    await settled()
    expect(done).toEqual(['a1', 'a2'])
  })

  it('does not let a task that fails for a reason of its own hold up the others', async () => {
    failing.add('bad')
    add('bad')
    for (const key of ['a', 'b', 'c', 'd']) add(key)
    for (let i = 0; i < 4; i++) {
      await settled()
      clock.advance(1000)
    }
    expect(done).toEqual(['a', 'b', 'c', 'd'])
    expect(queue.waiting).toBe(1)
  })

  it('has no more tasks under way than it may, and no more keys', async () => {
    let running = 0
    let most = 0
    const release: (() => void)[] = []
    for (let i = 0; i < 8; i++)
      queue.add(`k${i}`, async () => {
        most = Math.max(most, ++running)
        await new Promise<void>((resolve) => release.push(resolve))
        running--
        done.push(`k${i}`)
      })
    await settled()
    expect([most, queue.waiting]).toEqual([2, 5])
    while (queue.waiting > 0) {
      release.shift()?.()
      await settled(2)
    }
    expect([most, done.length]).toEqual([2, 5])
  })

  it('tries once more when it stops, and waits no longer than it may', async () => {
    failing.add('a')
    failing.add('b')
    add('a')
    add('b')
    await settled()
    failing.delete('a')
    const stopped = queue.stop(5000)
    await settled()
    expect(done).toEqual(['a'])
    clock.advance(5000)
    await stopped
    const before = tries.length
    add('c')
    clock.advance(60_000)
    await settled()
    expect(tries).toHaveLength(before)
  })
})
