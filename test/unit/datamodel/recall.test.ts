import { expect, it } from 'vitest'
import { recalled } from '../../../src/datamodel/recall.ts'

it('works a text out once, keeps no more than it may, and no long texts', () => {
  const worked: string[] = []
  const lengthOf = recalled(2, (text) => {
    worked.push(text)
    return text.length > 2 ? text.length : undefined
  })
  expect([lengthOf('one'), lengthOf('one'), lengthOf('a'), lengthOf('a')]).toEqual([3, 3, undefined, undefined])
  expect(worked).toEqual(['one', 'a'])
  lengthOf('three')
  expect(lengthOf('one')).toBe(3)
  expect(worked).toEqual(['one', 'a', 'three', 'one'])
  const long = 'x'.repeat(300)
  expect([lengthOf(long), lengthOf(long)]).toEqual([300, 300])
  expect(worked.filter((text) => text === long)).toHaveLength(2)
})
