import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/base/index.ts'

describe('the bytes of the system', () => {
  it.each([1, 10, 18, 64, 65, 5000])('are given to one caller alone (%i at a time)', (n) => {
    const given = Array.from({ length: 400 }, () => systemRandom.bytes(n))
    const before = given.map((bytes) => Buffer.from(bytes).toString('hex'))
    expect(given.every(({ length }) => length === n)).toBe(true)
    // Whoever writes into theirs changes those of nobody else.
    given[0]?.fill(0)
    expect(given.slice(1).map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(before.slice(1))
    if (n >= 10) expect(new Set(before).size).toBe(given.length)
  })
})
