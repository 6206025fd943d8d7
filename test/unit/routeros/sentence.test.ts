import { describe, expect, it } from 'vitest'
import { encodeLength, encodeSentence, SentenceReader } from '../../../src/routeros/api/sentence.ts'

const LIMITS = { wordBytes: 0x300000, sentenceBytes: 0x400000, words: 8 }
const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex')
const read = (bytes: Buffer, limits = LIMITS) => [...new SentenceReader(limits).push(bytes)].map(({ words }) => words)

describe('a sentence on the wire', () => {
  it.each([
    [0, '00'],
    [127, '7f'],
    [128, '8080'],
    [16383, 'bfff'],
    [16384, 'c04000'],
    [2097151, 'dfffff'],
    [2097152, 'e0200000'],
    [0xfffffff, 'efffffff'],
  ])('has a length of %i in as few bytes as it needs', (length, bytes) => {
    expect(encodeLength(length).toString('hex')).toBe(bytes)
  })

  it('has no word of 256 MB', () => {
    expect(() => encodeLength(0x10000000)).toThrow(RangeError)
  })

  it.each([
    [
      ['/login', '=name=admin', '=password=secret', '.tag=1'],
      '062f6c6f67696e 0b3d6e616d653d61646d696e 103d70617373776f72643d736563726574 062e7461673d31 00',
    ],
    [['!done', '.tag=1'], '0521646f6e65 062e7461673d31 00'],
    [['!empty', '.tag=3'], '0621656d707479 062e7461673d33 00'],
  ])('of %j has its bytes', (words, bytes) => {
    expect(encodeSentence(words)).toEqual(hex(bytes))
    expect(read(hex(bytes))).toEqual([words])
  })

  it('is counted in bytes, not in characters', () => {
    expect(
      encodeSentence(['ü'.repeat(64)])
        .subarray(0, 2)
        .toString('hex'),
    ).toBe('8080')
  })

  it.each([127, 128, 16383, 16384, 2097151, 2097152])('with a word of %i bytes is read as it was sent', (length) => {
    expect(read(encodeSentence(['!re', 'x'.repeat(length)]))).toEqual([['!re', 'x'.repeat(length)]])
  })

  it('that is empty is passed over', () => {
    expect(read(hex('00 00 0521646f6e65 00 00'))).toEqual([['!done']])
  })

  it.each([
    ['a reserved control byte', 'f8', /control byte/],
    ['a length of five bytes', 'f0', /too long/],
    ['a word beyond the bounds', 'e0400000', /too long/],
    ['too many words', '0161'.repeat(9), /too long/],
  ])('with %s is an error', (_name, bytes, message) => {
    expect(() => read(hex(bytes))).toThrow(message)
  })

  it('with too many bytes in all is an error', () => {
    expect(() => read(encodeSentence(['aaaa', 'bbbb']), { ...LIMITS, sentenceBytes: 7 })).toThrow(/too long/)
  })
})
