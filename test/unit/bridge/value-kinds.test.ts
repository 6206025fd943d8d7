import { describe, expect, it } from 'vitest'
import {
  ADDRESS_RANGE,
  BOOLEAN,
  durationOf,
  eitherOf,
  fileName,
  HOST,
  HTTPS_URL,
  INTERFACE,
  IPV4,
  IPV6,
  integerOf,
  listOf,
  MAC,
  MHZ,
  NAME,
  oneOf,
  optional,
  PORT_LIST,
  PORTS,
  PREFIX,
  ROW_ID,
  textOf,
  type ValueKind,
} from '../../../src/bridge/menus/form/value-kinds.ts'

/** Kind, texts with the form that is sent, texts that are refused. */
const ROWS: [string, ValueKind, Record<string, string>, string[]][] = [
  ['boolean', BOOLEAN, { true: 'yes', false: 'no', yes: 'yes', no: 'no' }, ['', '1', 'YES']],
  ['IPv4 address', IPV4, { '10.0.0.1': '10.0.0.1', '010.0.0.01': '10.0.0.1' }, ['', '1.2.3', '256.1.1.1', '1.2.3.4 ']],
  ['IPv6 address', IPV6, { '2001:DB8::1': '2001:db8::1' }, ['fe80::1%ether1', '1.2.3.4', ':']],
  [
    'prefix',
    PREFIX,
    { '10.0.0.1/08': '10.0.0.1/8', '0.0.0.0/0': '0.0.0.0/0' },
    ['10.0.0.1', '10.0.0.1/33', '10.0.0.1/'],
  ],
  [
    'range of addresses',
    ADDRESS_RANGE,
    { '10.0.0.2-10.0.0.9': '10.0.0.2-10.0.0.9', '10.0.0.2': '10.0.0.2' },
    ['10.0.0.9-10.0.0.2', '10.0.0.2-', '-10.0.0.2', '10.0.0.1-10.0.0.2-10.0.0.3', ''],
  ],
  ['ports', PORTS, { '080': '80', '1-65535': '1-65535' }, ['0', '65536', '5-4', '1-', 'a', '1-2-3']],
  ['list of ports', PORT_LIST, { '80, 443': '80,443', '1-5,9': '1-5,9', '': '' }, ['80,', '!80', ',']],
  [
    'MAC address',
    MAC,
    { 'aa-bb-cc-dd-ee-ff': 'AA:BB:CC:DD:EE:FF' },
    ['aabbccddeeff', 'AA:BB:CC:DD:EE', 'AA:BB-CC:DD:EE:FF'],
  ],
  ['frequency', MHZ, { '2412': '2412', '06415': '6415' }, ['2311', '7126', '2412MHz']],
  ['integer', integerOf(-5, 5), { '-5': '-5', '005': '5', '-0': '0' }, ['6', '1.0', '1e0', '+1', '', ' 1']],
  ['word', oneOf('tcp', 'udp'), { tcp: 'tcp' }, ['TCP', 'tcp,udp', '']],
  ['either', eitherOf(oneOf('auto'), MHZ), { auto: 'auto', '2412': '2412' }, ['automatic']],
  ['list', listOf(oneOf('a', 'b'), 2), { 'a,b': 'a,b', '': '' }, ['a,b,a', 'a;b', 'c']],
  ['optional', optional(IPV4), { '': '', '1.2.3.4': '1.2.3.4' }, ['x']],
  ['row', ROW_ID, { '*1': '*1', '*1AF': '*1AF' }, ['*', '*1a', '1', '*1 ', '*-1', 'ether1', `*${'1'.repeat(17)}`]],
  [
    'host',
    HOST,
    { 'a.example': 'a.example', '1.2.3.4': '1.2.3.4', '::1': '::1' },
    ['-a', 'a b', '1.2.3', 'a_b', '', 'ä'],
  ],
  [
    'URL',
    HTTPS_URL,
    { 'HTTPS://Host.example/a b': 'https://host.example/a%20b' },
    ['http://host/', 'https://u:p@host/', 'https://', 'ftp://x', 'https://h/#x', `https://h/${'a'.repeat(255)}`],
  ],
  [
    'file',
    fileName('.npk'),
    { 'routeros-7.16.1-arm64.npk': 'routeros-7.16.1-arm64.npk' },
    ['a.auto.npk', 'a.AUTO.npk', '../a.npk', '/a.npk', '.npk', 'a.rsc', 'a.npk ', 'flash/a.npk'],
  ],
  [
    'duration',
    durationOf(60, 700_000),
    {
      '600': '10m',
      '600s': '10m',
      '00:10:00': '10m',
      '1d02:00:00': '1d2h',
      '1w1d1h1m1s': '1w1d1h1m1s',
      '1h30m': '1h30m',
    },
    ['', '59', '10 m', '-1', '1s1m', '1y', 'never', '2w'],
  ],
  ['text', textOf(5, 1), { äa: 'äa', 'a=b': 'a=b' }, ['', 'ääa\u00e4', 'a\n', '\u007f', '\ud800', 'a\0']],
  ['name', NAME, { 'pool 1': 'pool 1' }, ['', 'a\t']],
]

describe('kinds of values', () => {
  it.each(ROWS)('%s: values are sent in one form, others are refused', (_, kind, good, bad) => {
    expect(Object.fromEntries(Object.keys(good).map((text) => [text, kind.serialise(text)]))).toEqual(good)
    expect(bad.filter((text) => kind.serialise(text) !== undefined)).toEqual([])
  })

  it('takes names of interfaces of this router alone, in lists and alternatives, too', () => {
    const has = (name: string) => name === 'ether1'
    expect(INTERFACE.serialise('ether1', has)).toBe('ether1')
    expect(INTERFACE.serialise('ether2', has)).toBeUndefined()
    expect(listOf(INTERFACE, 3).serialise('ether1,ether2', has)).toBeUndefined()
    expect(optional(INTERFACE).serialise('', has)).toBe('')
    expect(optional(INTERFACE).serialise('ether2', has)).toBeUndefined()
    expect(eitherOf(IPV4, INTERFACE).serialise('1.2.3.4', has)).toBe('1.2.3.4')
    expect(eitherOf(IPV4, INTERFACE).serialise('ether2', has)).toBeUndefined()
  })
})
