import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matches } from '../../../src/simulator/routeros/basis/query.ts'
import { readDuration, writeDate, writeDuration } from '../../../src/simulator/routeros/basis/text.ts'
import { statementsOf } from '../../../src/simulator/routeros/console/statements.ts'
import { readRequest } from '../../../src/simulator/routeros/wire/request.ts'
import { encodeSentence, lengthPrefix, SentenceReader } from '../../../src/simulator/routeros/wire/words.ts'

const BOUNDS = { word: 300_000, sentence: 1_000_000 }

describe('words of an emulated router', () => {
  it.each([
    [0, '00'],
    [127, '7f'],
    [128, '8080'],
    [16_383, 'bfff'],
    [16_384, 'c04000'],
    [2_097_151, 'dfffff'],
    [2_097_152, 'e0200000'],
  ])('a length of %i is %s', (length, hex) => {
    expect(lengthPrefix(length).toString('hex')).toBe(hex)
  })

  it('a sentence has the bytes of the manual, and counts bytes, not characters', () => {
    expect(encodeSentence(['/login', '=name=admin', '=password=secret', '.tag=1']).toString('hex')).toBe(
      '062f6c6f67696e0b3d6e616d653d61646d696e103d70617373776f72643d736563726574062e7461673d3100',
    )
    expect(encodeSentence(['ü']).toString('hex')).toBe('02c3bc00')
  })

  it('are read alike, however the stream is cut', () => {
    const word = fc.oneof(fc.string({ minLength: 1, maxLength: 20 }), fc.string({ minLength: 120, maxLength: 400 }))
    const sentences = fc.array(fc.array(word, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(
        sentences,
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 }),
        (given, cuts) => {
          const bytes = Buffer.concat(given.map(encodeSentence))
          const reader = new SentenceReader(BOUNDS)
          const read: string[][] = []
          for (let at = 0, n = 0; at < bytes.length; n++) {
            const size = cuts[n % cuts.length] ?? 1
            read.push(...reader.push(bytes.subarray(at, at + size)))
            at += size
          }
          expect(read).toEqual(given)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('have a name up to their second equals sign', () => {
    const { args, query, tag, proplist } = readRequest([
      '/x/add',
      '=a=b=c',
      '=once=',
      '?name',
      '.tag=t',
      '.proplist=a,b',
    ])
    expect([...args]).toEqual([
      ['a', 'b=c'],
      ['once', ''],
    ])
    expect([query, tag, proplist]).toEqual([['name'], 't', ['a', 'b']])
  })
})

it.each([
  [['type=ether'], true],
  [['type=vlan'], false],
  [['type=ether', 'type=vlan', '#|'], true],
  [['type=ether', 'name=x', '#&'], false],
  [['type=vlan', '#!'], true],
  [['-comment'], true],
  [['-name'], false],
  [['comment'], false],
  [['>mtu=1000'], true],
  [['<mtu=1000'], false],
  [['=type=ether'], true],
  [['type=vlan', 'type=ether', '#.&|'], true],
  [['type=ether', 'type=vlan'], false],
] as const)('the query %j lets a row pass: %s', (query, passes) => {
  const row: Record<string, string> = { type: 'ether', name: 'ether1', mtu: '1500' }
  expect(matches(query, (name) => row[name])).toBe(passes)
})

it.each([
  ['1w2d3h4m5s', 788_645],
  ['5m', 300],
  ['1d02:03:04', 93_784],
  ['00:10:00', 600],
  ['90', 90],
])('a span of time %s has %i seconds', (text, seconds) => {
  expect(readDuration(text)).toBe(seconds)
  expect(readDuration(writeDuration(seconds))).toBe(seconds)
})

it('times are written as the version writes them', () => {
  const ms = Date.UTC(2025, 5, 3, 12, 25, 25)
  expect([writeDate(ms, true), writeDate(ms, false)]).toEqual(['2025-06-03 12:25:25', 'jun/03/2025 12:25:25'])
})

describe('a line of the console', () => {
  it('is cut into statements outside quotation marks and brackets', () => {
    expect(statementsOf(':put [/ip address add comment="a; b [c]" numbers=*1 once]; :put "done"')).toEqual([
      {
        put: {
          path: '/ip/address/add',
          args: new Map([
            ['comment', 'a; b [c]'],
            ['numbers', '*1'],
            ['once', ''],
          ]),
        },
      },
      { put: 'done' },
    ])
  })

  it.each([':foo x', ':put [/ip address print', 'rm -rf'])('%s is refused', (line) => {
    expect(() => statementsOf(line)).toThrow(/bad command name|syntax error|expected end/)
  })
})
