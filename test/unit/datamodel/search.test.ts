import { describe, expect, it } from 'vitest'
import { fulfils, parsePath, referredObjects } from '../../../src/datamodel/index.ts'

/** The comparison as it stands in a path. */
function holds(expression: string, value: string | undefined, type: string): boolean {
  const segment = parsePath(`Device.T.[P${expression}].`).segments.at(-1)
  const term = segment?.kind === 'search' ? segment.terms[0] : undefined
  if (term === undefined) throw new Error(`${expression} is no comparison`)
  return fulfils(term, value, type)
}

describe('a search expression compares by type', () => {
  it.each([
    ['>"2020-01-01T00:00:00Z"', '2021-05-05T00:00:00Z', 'dateTime', true],
    ['<"2020-01-01T00:00:00Z"', '2021-05-05T00:00:00Z', 'dateTime', false],
    ['>="2020-01-01T00:00:00Z"', '2020-01-01T00:00:00', 'dateTime', true],
    ['<="2020-01-01T01:00:00+01:00"', '2020-01-01T00:00:00Z', 'dateTime', true],
    ['<"2020-01-01T00:00:00Z"', 'never', 'dateTime', false],
    ['>9007199254740992', '9007199254740993', 'unsignedLong', true],
    ['<9007199254740993', '9007199254740993', 'unsignedLong', false],
    ['<=9007199254740993', '9007199254740993', 'unsignedLong', true],
    ['<5', '', 'unsignedInt', false],
    ['>=0', '', 'unsignedInt', false],
    ['<10', '9', 'unsignedInt', true],
    ['<9', '9', 'unsignedInt', false],
    ['>-1.5', '-1.25', 'decimal', true],
    ['==true', '1', 'boolean', true],
    ['!=true', '1', 'boolean', false],
    ['==007', '7', 'unsignedInt', true],
    ['=="AB"', 'ab', 'hexBinary', true],
    ['=="AB"', 'ab', 'string', false],
    ['~="b"', 'a, b', 'string', true],
    ['~="c"', 'a, b', 'string', false],
    ['!="x"', undefined, 'string', false],
  ] as const)('%s of %o (%s) is %s', (expression, value, type, expected) => {
    expect(holds(expression, value, type)).toBe(expected)
  })
})

it('a reference names objects with and without its last dot, one or all', () => {
  const value = 'Device.A.1, Device.A.2.,,Device.B.'
  expect(referredObjects(value, 0)).toEqual(['Device.A.1.', 'Device.A.2.', 'Device.B.'])
  expect(referredObjects(value, 2)).toEqual(['Device.A.2.'])
  expect(referredObjects(value, 4)).toEqual([])
  expect(referredObjects('', 0)).toEqual([])
})
