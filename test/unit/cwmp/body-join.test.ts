import { expect, it } from 'vitest'
import { BodyParts, joinWork } from '../../../src/cwmp/acs/http/body.ts'

it('a large body is joined part by part, and other work may go on between any two', () => {
  const parts = Array.from({ length: 64 }, (_, i) => Buffer.alloc(65_536, i))
  const work = joinWork(parts, 64 * 65_536)
  const portions: number[] = []
  let step = work.next()
  for (; step.done !== true; step = work.next()) portions.push(step.value)
  expect(portions).toEqual(parts.map(({ length }) => length))
  expect(step.value.equals(Buffer.concat(parts))).toBe(true)
})

it('a body of one part is not copied, and one of none is empty', () => {
  const only = Buffer.from('x')
  expect(joinWork([only], 1).next()).toEqual({ done: true, value: only })
  expect(joinWork([], 0).next().value).toHaveLength(0)
})

it('many small parts are put together as they come, and large ones stay what they are', () => {
  const parts = new BodyParts()
  const bytes = Buffer.from(Array.from({ length: 50_000 }, (_, i) => i % 251))
  for (let at = 0; at < bytes.length; at++) parts.add(bytes.subarray(at, at + 1))
  const large = [Buffer.alloc(65_536, 1), Buffer.alloc(65_536, 2)]
  for (const part of large) parts.add(part)
  const all = parts.all()
  expect(all.length).toBeLessThan(2000)
  expect(Buffer.concat(all).equals(Buffer.concat([bytes, ...large]))).toBe(true)
  expect(all.slice(-1)[0]).toBe(large[1])
})
