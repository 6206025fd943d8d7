import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BoundedMap, BoundedSet } from '../../../src/base/index.ts'

describe('a bounded map', () => {
  it('drops the entry that was set longest ago', () => {
    const map = new BoundedMap<string, number>(2)
    map.set('a', 1).set('b', 2).set('a', 3).set('c', 4)
    expect([...map]).toEqual([
      ['a', 3],
      ['c', 4],
    ])
  })

  it('keeps what a read touches where it stands', () => {
    const map = new BoundedMap<string, number>(2)
    map.set('a', 1).set('b', 2)
    map.get('a')
    map.set('c', 3)
    expect([...map.keys()]).toEqual(['b', 'c'])
  })
})

describe('any use of a bounded map', () => {
  it('leaves the entries that were set last, and tells which were dropped', () => {
    const step = fc.oneof(
      fc.record({ set: fc.integer({ min: 0, max: 12 }) }),
      fc.record({ delete: fc.integer({ min: 0, max: 12 }) }),
      fc.constant({ clear: true }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (steps, max) => {
        const dropped: number[] = []
        const map = new BoundedMap<number, number>(max, (key) => dropped.push(key))
        let order: number[] = []
        const expected: number[] = []
        steps.forEach((one, i) => {
          if ('set' in one) {
            map.set(one.set, i)
            order = [...order.filter((key) => key !== one.set), one.set]
            if (order.length > max) expected.push(...order.splice(0, 1))
          } else if ('delete' in one) {
            map.delete(one.delete)
            order = order.filter((key) => key !== one.delete)
          } else {
            map.clear()
            order = []
          }
          expect([...map.keys()]).toEqual(order)
        })
        expect(dropped).toEqual(expected)
      }),
    )
  })
})

describe('a bounded set', () => {
  it('drops the value that was added longest ago', () => {
    const set = new BoundedSet<string>(2)
    set.add('a').add('b').add('a').add('c')
    expect([...set]).toEqual(['a', 'c'])
  })
})
