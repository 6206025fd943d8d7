import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bitsOf,
  formatBoolean,
  formatDuration,
  isInNetwork,
  maskOf,
  networkOf,
  parseBoolean,
  parseBytes,
  parseCounter,
  parseDate,
  parseDurationSeconds,
  parseDurationUs,
  parseGmtOffset,
  parseList,
  parseMac,
  parseMillivolts,
  parseOpticalPower,
  parsePair,
  parsePorts,
  parsePrefix,
  parseRateKbps,
  parseSignal,
  toCounter32,
  toDateTime,
  toKib,
} from '../../../src/routeros/index.ts'

describe('a boolean', () => {
  it.each([
    ['true', true],
    ['false', false],
    ['yes', true],
    ['no', false],
    ['', undefined],
    ['True', undefined],
  ])('%j is %s', (text, value) => expect(parseBoolean(text)).toBe(value))

  it('is written as settings take it', () => expect([true, false].map(formatBoolean)).toEqual(['yes', 'no']))
})

describe('a duration', () => {
  it.each([
    ['1w2d3h4m5s', 788_645],
    ['5m', 300],
    ['4s750ms', 4],
    ['00:10:00', 600],
    ['1d02:03:04', 93_784],
    ['1w1d00:00:01', 691_201],
    ['0s', 0],
    ['30', 30],
    ['never', null],
    ['none', null],
    ['', null],
    ['5x', undefined],
    ['m5', undefined],
    ['-5m', undefined],
    ['99999999999w', undefined],
  ])('%j has %s seconds', (text, seconds) => expect(parseDurationSeconds(text)).toBe(seconds))

  it.each([
    ['453us', 453],
    ['4s750ms', 4_750_000],
    ['12ms345us', 12_345],
    ['1.5ms', 1500],
    ['00:00:00.250', 250_000],
  ])('%j has %i microseconds', (text, us) => expect(parseDurationUs(text)).toBe(us))

  it('is written as it is read', () => {
    expect([0, 59, 3600, 93_784, 788_645].map(formatDuration)).toEqual(['0s', '59s', '1h', '1d2h3m4s', '1w2d3h4m5s'])
    fc.assert(fc.property(fc.nat(), (seconds) => parseDurationSeconds(formatDuration(seconds)) === seconds))
    expect(() => formatDuration(1.5)).toThrow(RangeError)
    expect(() => formatDuration(-1)).toThrow(RangeError)
  })
})

describe('a rate', () => {
  it.each([
    ['1Gbps', 1_000_000],
    ['432.3Mbps', 432_300],
    ['866.6Mbps-80MHz/2S/SGI', 866_600],
    ['65Mbps-20MHz/1S', 65_000],
    ['100M-full', 100_000],
    ['1G-baseT-full', 1_000_000],
    ['2.5G-baseT', 2_500_000],
    ['400Gbps', 400_000_000],
    ['54000000', 54_000],
    ['432300000', 432_300],
    ['0', 0],
    ['', undefined],
    ['auto', undefined],
    ['1.5', undefined],
    ['1Xbps', undefined],
  ])('%j has %s kbit/s', (text, kbps) => expect(parseRateKbps(text)).toBe(kbps))
})

describe('a level', () => {
  it.each([
    ['-55', -55],
    ['-51@1Mbps', -51],
    ['-55dBm@6Mbps', -55],
    ['-55dBm', -55],
    ['', undefined],
    ['strong', undefined],
  ])('of a signal, %j, has %s dBm', (text, dbm) => expect(parseSignal(text)).toBe(dbm))

  it.each([
    ['-12.5', -12_500],
    ['-12.5dBm', -12_500],
    ['-2064', -2064],
    ['0', 0],
    ['-2.064', -2064],
    ['-40', -40_000],
    ['no', undefined],
  ])('of an optic, %j, has %s thousandths of a dBm', (text, value) => expect(parseOpticalPower(text)).toBe(value))

  it.each([
    ['3298', 3298],
    ['3.298V', 3298],
    ['3.3', 3300],
    ['', undefined],
  ])('of a supply, %j, has %s mV', (text, value) => expect(parseMillivolts(text)).toBe(value))
})

describe('a pair', () => {
  it.each([
    ['123,456', [123n, 456n]],
    ['10M/50M', [10_000_000n, 50_000_000n]],
    ['512k/1G', [512_000n, 1_000_000_000n]],
    ['18446744073709551615,0', [18446744073709551615n, 0n]],
    ['1', undefined],
    ['1,2,3', undefined],
    ['99999999999999999999,1', undefined],
  ])('%j is two numbers', (text, pair) => expect(parsePair(text)).toEqual(pair))
})

describe('an amount', () => {
  it.each([
    ['1048576', 1048576n],
    ['12.5MiB', 13107200n],
    ['1.0GiB', 1073741824n],
    ['512KiB', 524288n],
    ['1.5', undefined],
    ['12.5 apples', undefined],
  ])('of memory, %j, has its bytes', (text, bytes) => expect(parseBytes(text)).toBe(bytes))

  it('of bytes has whole KiB', () => expect([0n, 1023n, 1024n, 2047n].map(toKib)).toEqual([0n, 0n, 1n, 1n]))

  it.each([
    ['0', 0n],
    ['9007199254740993', 9007199254740993n],
    ['18446744073709551615', 18446744073709551615n],
    ['18446744073709551616', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['', undefined],
  ])('of a counter, %j, keeps 64 bits', (text, value) => expect(parseCounter(text)).toBe(value))

  it('of a counter in 32 bits starts anew where that does', () =>
    expect([5n, 4294967296n, 4294967297n].map(toCounter32)).toEqual([5, 0, 1]))
})

describe('a list', () => {
  it.each([
    ['a,b,c', ['a', 'b', 'c']],
    ['', []],
    ['a, b', ['a', 'b']],
    ['!a,b', undefined],
  ])('%j has its items', (text, items) => expect(parseList(text)).toEqual(items))

  it('is written as it is read', () => {})

  it.each([
    ['80', [{ from: 80, to: 80 }]],
    [
      '80,443,5000-5010',
      [
        { from: 80, to: 80 },
        { from: 443, to: 443 },
        { from: 5000, to: 5010 },
      ],
    ],
    ['', []],
    ['!80', undefined],
    ['90-80', undefined],
    ['65536', undefined],
    ['80,x', undefined],
  ])('of ports, %j, has its ranges', (text, ranges) => expect(parsePorts(text)).toEqual(ranges))
})

describe('an address', () => {
  it.each([
    ['192.168.88.1/24', { address: '192.168.88.1', bits: 24 }],
    ['192.168.88.1', { address: '192.168.88.1', bits: 32 }],
    ['2001:db8::1/64', { address: '2001:db8::1', bits: 64 }],
    ['0.0.0.0/0', { address: '0.0.0.0', bits: 0 }],
    ['192.168.88.1/33', undefined],
    ['192.168.88.1/', undefined],
    ['192.168.88/24', undefined],
    ['fe80::1%ether1/64', undefined],
    ['!10.0.0.0/8', undefined],
  ])('%j has its bits', (text, prefix) => expect(parsePrefix(text)).toEqual(prefix))

  it('is written as it is read, and has a mask', () => {
    expect([0, 1, 24, 32].map(maskOf)).toEqual(['0.0.0.0', '128.0.0.0', '255.255.255.0', '255.255.255.255'])
    expect(networkOf('192.168.88.77', 24)).toBe('192.168.88.0/24')
    expect(networkOf('203.0.113.9', 0)).toBe('0.0.0.0/0')
    for (const prefix of ['192.0.2.0/25', '192.0.2.1', '0.0.0.0/0']) expect(isInNetwork('192.0.2.1', prefix)).toBe(true)
    for (const prefix of ['192.0.2.0', '192.0.2.128/25', '', 'x/0', '::/0'])
      expect(isInNetwork('192.0.2.1', prefix), prefix).toBe(false)
    fc.assert(fc.property(fc.nat(32), (bits) => bitsOf(maskOf(bits)) === bits))
    expect([bitsOf('255.0.255.0'), bitsOf('::'), bitsOf('x')]).toEqual([undefined, undefined, undefined])
    expect(() => maskOf(33)).toThrow(RangeError)
  })

  it.each([
    ['aa:bb:cc:dd:ee:0f', 'AA:BB:CC:DD:EE:0F'],
    ['AA-BB-CC-DD-EE-0F', 'AA:BB:CC:DD:EE:0F'],
    ['aabbccddee0f', undefined],
  ])('of a MAC, %j, is upper case with colons', (text, mac) => expect(parseMac(text)).toBe(mac))
})

describe('a date', () => {
  it.each([
    ['2025-06-03 12:25:25', '+02:00', '2025-06-03T10:25:25Z'],
    ['jun/03/2025 12:25:25', '+02:00', '2025-06-03T10:25:25Z'],
    ['Jan/01/2024 00:00:00', '-05:30', '2024-01-01T05:30:00Z'],
    ['2024-02-29 23:59:59', '7200', '2024-02-29T21:59:59Z'],
    ['2024-02-29 23:59:59', '+00:00', '2024-02-29T23:59:59Z'],
  ])('%j at %s is %s', (text, offset, utc) => {
    const ms = parseDate(text, parseGmtOffset(offset) ?? Number.NaN)
    expect(toDateTime(ms ?? 0)).toBe(utc)
  })

  it.each(['2025-02-30 00:00:00', 'foo/03/2025 12:25:25', '2025-06-03', '12:25:25', '2025-06-03 24:00:00'])(
    '%j is none',
    (text) => expect(parseDate(text, 0)).toBeUndefined(),
  )

  it('needs the offset of a zone', () =>
    expect(['', 'Europe/Riga', '+2'].map(parseGmtOffset)).toEqual([undefined, undefined, undefined]))
})

it('no reader of a value throws, whatever a router sends', () => {
  const readers = [
    parseBoolean,
    parseBytes,
    parseCounter,
    parseDurationUs,
    parseGmtOffset,
    parseList,
    parseMac,
    parseMillivolts,
    parseOpticalPower,
    parsePair,
    parsePorts,
    parsePrefix,
    parseRateKbps,
    parseSignal,
    bitsOf,
    (text: string) => parseDate(text, 0),
  ]
  const close = fc.stringMatching(/^[0-9A-Za-z.,:/!@ +-]{0,24}$/)
  fc.assert(fc.property(fc.oneof(fc.string(), close), (text) => readers.forEach((reader) => void reader(text))))
})
