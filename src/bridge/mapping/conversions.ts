import { isIPv4 } from 'node:net'
import {
  formatBoolean,
  formatDuration,
  maskOf,
  parseBoolean,
  parseBytes,
  parseCounter,
  parseDurationSeconds,
  parseList,
  parseMac,
  parsePrefix,
  toCounter32,
  toDateTime,
  toKib,
} from '../../routeros/index.ts'
import type { Conversion, ReadContext, Text } from './declaration.ts'

/** Conversions of single properties. A text of another form than the expected one has no value in TR-181. */

/** Returns the boolean that a property holds; absent is false. */
export function isTrue(text: Text): boolean {
  return parseBoolean(text ?? '') === true
}

/** Returns true for a value of TR-181 that means true. */
function means(value: string): boolean {
  return value === '1' || value.toLowerCase() === 'true'
}

/** A boolean. */
export const truth: Required<Conversion> = {
  read: (text) => String(isTrue(text)),
  write: (value) => formatBoolean(means(value)),
}

/** A boolean that says the opposite, e.g. `disabled`. */
export const inverted: Required<Conversion> = {
  read: (text) => String(!isTrue(text)),
  write: (value) => formatBoolean(!means(value)),
}

/** Returns the conversion of a text that is cut to a length; `write` keeps it as it is. */
export function atMost(length: number): Required<Conversion> {
  return { read: (text) => text?.slice(0, length), write: (value) => value }
}

/** A MAC address in upper case with colons. */
export const mac: Required<Conversion> = { read: (text) => parseMac(text ?? ''), write: (value) => parseMac(value) }

/** An integer within bounds. */
export function integer(min: number, max: number): Required<Conversion> {
  const read = (text: Text) => {
    const number = text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    return number >= min && number <= max ? String(number) : undefined
  }
  return { read, write: read }
}

/** A counter of 64 bits. */
export const counter64: Conversion = { read: (text) => parseCounter(text ?? '')?.toString() }

/** A counter of 32 bits, which begins anew after its highest value. */
export const counter32: Conversion = {
  read(text) {
    const count = parseCounter(text ?? '')
    return count === undefined ? undefined : String(toCounter32(count))
  },
}

/** Bytes as KiB, rounded down. */
export const kib: Conversion = {
  read(text) {
    const bytes = parseBytes(text ?? '')
    return bytes === undefined ? undefined : String(toKib(bytes))
  },
}

/** Returns the whole seconds of a duration up to `max`; undefined for a text that is none. */
export function secondsUpTo(text: Text, max: number): number | undefined {
  const found = parseDurationSeconds(text ?? '')
  return found === undefined || found === null ? undefined : Math.min(found, max)
}

/** A duration in seconds. */
export const seconds: Required<Conversion> = {
  read: (text) => secondsUpTo(text, 2 ** 32 - 1)?.toString(),
  write: (value) => (/^\d{1,9}$/.test(value) ? formatDuration(Number(value)) : undefined),
}

/** Returns the entry of a table under a word that a router said; undefined when it has none of its own. */
export function wordIn(table: Readonly<Record<string, string>>, word: Text): Text {
  return word !== undefined && Object.hasOwn(table, word) ? table[word] : undefined
}

/** Returns the conversion of a text that is one of some words already. */
export function oneOf(...words: string[]): Conversion {
  return { read: (text) => (text !== undefined && words.includes(text) ? text : undefined) }
}

/** The part of a text before its first space, as in `7.16.1 (stable)`. */
export const firstWord: Conversion = { read: (text) => text?.split(' ', 1)[0] }

/** An IPv4 address; none is ''. */
export const ipv4: Required<Conversion> = {
  read: (text) => (text === undefined || !isIPv4(text) ? '' : text),
  write: (value) => (value === '' || isIPv4(value) ? value : undefined),
}

/** The address of an IPv4 prefix such as `192.0.2.1/24`; none is ''. */
export const prefixAddress: Conversion = {
  read(text) {
    const address = parsePrefix(text ?? '')?.address ?? ''
    return isIPv4(address) ? address : ''
  },
}

/** The mask of an IPv4 prefix; none is ''. */
export const prefixMask: Conversion = {
  read(text) {
    const prefix = parsePrefix(text ?? '')
    return prefix === undefined || !isIPv4(prefix.address) ? '' : maskOf(prefix.bits)
  },
}

/** Returns the conversion of a list of IPv4 addresses, of which the first few are shown. */
export function addresses(max: number): Required<Conversion> {
  const read = (text: Text) => (parseList(text ?? '') ?? []).filter(isIPv4).slice(0, max).join(',')
  return { read, write: read }
}

/** Returns the date that is a duration away from now; undefined for a text that is no duration. */
export function dateAt(text: Text, { now }: ReadContext, direction: 1 | -1): Text {
  const length = parseDurationSeconds(text ?? '')
  if (length === undefined || length === null) return undefined
  return toDateTime(Math.round(now / 1000 + direction * length) * 1000)
}
