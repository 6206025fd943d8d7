import { describe, expect, it } from 'vitest'
import { inTurns, Pace, type Work } from '../../../src/base/index.ts'
import { atOnce } from '../../support/at-once.ts'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

describe('work in turns', () => {
  it('does no more than one turn of units between two turns of the event loop, however many pieces there are', async () => {
    const pace = new Pace(100)
    let done = 0
    function* piece(): Work<void> {
      for (let i = 0; i < 20; i++) {
        yield 10
        done += 10
      }
    }
    const all = Promise.all(Array.from({ length: 10 }, () => inTurns(piece(), pace)))
    let before = done
    while (done < 2000) {
      await nextTurn()
      expect(done - before).toBeLessThanOrEqual(100)
      before = done
    }
    await all
    expect(pace.waiting).toBe(0)
  })

  it('lets a portion that is larger than a turn be paid back by the turns after it', async () => {
    const pace = new Pace(100)
    expect(pace.take(350, true)).toBeUndefined()
    let mayGoOn = false
    void pace.take(10, true)?.then(() => {
      mayGoOn = true
    })
    for (let turn = 0; turn < 2; turn++) {
      await nextTurn()
      expect(mayGoOn).toBe(false)
    }
    await nextTurn()
    await nextTurn()
    expect(mayGoOn).toBe(true)
  })

  it('lets work that begins go before the rest of long work', async () => {
    const pace = new Pace(100)
    const order: string[] = []
    const long = Array.from({ length: 20 }, () => pace.take(100, false)?.then(() => order.push('long')))
    const short = pace.take(10, true)?.then(() => order.push('short'))
    await Promise.all([...long, short])
    expect(order.indexOf('short')).toBeLessThanOrEqual(2)
    expect(order).toHaveLength(20)
  })

  it('does small work at once and gives back what it made', async () => {
    function* work(): Work<string> {
      yield 10
      return 'made'
    }
    expect(atOnce(work())).toBe('made')
    await expect(inTurns(work(), new Pace())).resolves.toBe('made')
  })

  it('rejects with what the work throws', async () => {
    function* work(): Work<void> {
      yield 1
      throw new Error('no')
    }
    await expect(inTurns(work(), new Pace())).rejects.toThrow('no')
  })
})
