import { isIPv6 } from 'node:net'
import { formatDuration, parseDurationSeconds } from '../../../routeros/index.ts'

/** Returns true for the name of an interface that is on the router; without it only the form of a name is checked. */
export type HasInterface = (name: string) => boolean

/** A type of values that the bridge may send to a router. */
export interface ValueKind {
  /** Noun phrase for errors, e.g. `an IPv4 address`. */
  readonly expects: string
  /**
   * Returns the value in the form that is sent, built anew from its parsed parts; undefined when the text is no such
   * value. The form that it returns is one that it accepts and returns unchanged.
   */
  serialise(text: string, hasInterface?: HasInterface): string | undefined
  /** True for text that a person wrote: it is sent as a value, and never in a query. */
  readonly isFreeText?: true
}

/** The longest value in bytes of UTF-8. */
const MAX_VALUE_BYTES = 255

/** Control characters, and halves of surrogate pairs. */
const UNCLEAN = /[\x00-\x1f\x7f]|\p{Surrogate}/u

/** Returns true for text without the bytes 00..1F and 7F, without lone surrogates, of at most `max` bytes of UTF-8. */
export function isClean(text: string, max = MAX_VALUE_BYTES): boolean {
  return text.length <= max && !UNCLEAN.test(text) && Buffer.byteLength(text) <= max
}

/** Text of at most `max` bytes. */
export function textOf(max: number, min = 0): ValueKind {
  return {
    expects: `text of ${min} to ${max} bytes without control characters`,
    isFreeText: true,
    serialise: (text) => (isClean(text, max) && Buffer.byteLength(text) >= min ? text : undefined),
  }
}

/** One of some words. */
export function oneOf(...words: string[]): ValueKind {
  const known = new Set(words)
  return {
    expects: words.length > 8 ? `one of ${words.length} words` : `one of ${words.join(', ')}`,
    serialise: (text) => (known.has(text) ? text : undefined),
  }
}

/** A decimal integer within bounds. */
export function integerOf(min: number, max: number): ValueKind {
  return {
    expects: `an integer from ${min} to ${max}`,
    serialise(text) {
      if (!/^-?\d{1,15}$/.test(text)) return undefined
      const number = Number(text)
      return number >= min && number <= max ? String(number) : undefined
    },
  }
}

/** A value of the first kind that accepts it. */
export function eitherOf(...kinds: ValueKind[]): ValueKind {
  return {
    expects: kinds.map(({ expects }) => expects).join(', or '),
    ...(kinds.some(({ isFreeText }) => isFreeText) ? { isFreeText: true as const } : {}),
    serialise(text, hasInterface) {
      for (const kind of kinds) {
        const sent = kind.serialise(text, hasInterface)
        if (sent !== undefined) return sent
      }
      return undefined
    },
  }
}

/** Values separated by commas, at most `max`; '' is the empty list. */
export function listOf(kind: ValueKind, max: number): ValueKind {
  return {
    expects: `at most ${max} values separated by commas, each ${kind.expects}`,
    serialise(text, hasInterface) {
      if (text === '') return ''
      if (text.length > MAX_VALUE_BYTES) return undefined
      const parts = text.split(',').map((part) => kind.serialise(part.trim(), hasInterface))
      return parts.length <= max && parts.every((part) => part !== undefined && !part.includes(','))
        ? parts.join(',')
        : undefined
    },
  }
}

/** A value, or ''. */
export function optional(kind: ValueKind): ValueKind {
  return { ...kind, serialise: (text, hasInterface) => (text === '' ? '' : kind.serialise(text, hasInterface)) }
}

/** `yes` or `no`; also accepts the forms `true` and `false` of the API. */
export const BOOLEAN: ValueKind = {
  expects: 'yes or no',
  serialise: (text) =>
    text === 'yes' || text === 'true' ? 'yes' : text === 'no' || text === 'false' ? 'no' : undefined,
}

export const IPV4: ValueKind = {
  expects: 'an IPv4 address',
  serialise: (text) => ipv4Bytes(text)?.join('.'),
}

export const IPV6: ValueKind = {
  expects: 'an IPv6 address without a zone',
  serialise: (text) => (isIPv6(text) && !text.includes('%') ? text.toLowerCase() : undefined),
}

/** An IPv4 address with the length of its prefix. */
export const PREFIX: ValueKind = {
  expects: 'an IPv4 address with a prefix length',
  serialise(text) {
    const [, address = '', length = ''] = /^([\d.]{7,15})\/(\d{1,2})$/.exec(text) ?? []
    const bytes = ipv4Bytes(address)
    return bytes !== undefined && Number(length) <= 32 ? `${bytes.join('.')}/${Number(length)}` : undefined
  },
}

/** First and last address of a pool. */
export const ADDRESS_RANGE: ValueKind = {
  expects: 'a range of IPv4 addresses',
  serialise(text) {
    const [first = '', last = '', ...more] = text.split('-')
    const [from, to] = [ipv4Bytes(first), ipv4Bytes(last === '' && !text.includes('-') ? first : last)]
    if (from === undefined || to === undefined || more.length > 0 || numberOf(from) > numberOf(to)) return undefined
    return text.includes('-') ? `${from.join('.')}-${to.join('.')}` : from.join('.')
  },
}

/** A port, or a range of ports; port 0 is none. */
export const PORTS: ValueKind = {
  expects: 'a port or a range of ports from 1 to 65535',
  serialise(text) {
    const [, first, last] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
    if (first === undefined) return undefined
    const [from, to] = [Number(first), Number(last ?? first)]
    if (from < 1 || to > 65535 || from > to) return undefined
    return last === undefined ? String(from) : `${from}-${to}`
  },
}

export const PORT_LIST: ValueKind = listOf(PORTS, 15)

/** A MAC address, sent in upper case with colons. */
export const MAC: ValueKind = {
  expects: 'a MAC address',
  serialise: (text) =>
    /^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$|^[0-9A-Fa-f]{2}(-[0-9A-Fa-f]{2}){5}$/.test(text)
      ? text.toUpperCase().replaceAll('-', ':')
      : undefined,
}

/** The frequency of a Wi-Fi channel in MHz. */
export const MHZ: ValueKind = integerOf(2312, 7125)

/** The name of an interface of the router. */
export const INTERFACE: ValueKind = {
  expects: 'the name of an interface of this router',
  serialise: (text, hasInterface) =>
    text !== '' && isClean(text, 64) && !text.includes(',') && (hasInterface?.(text) ?? true) ? text : undefined,
}

/** The name of a row of another menu, e.g. of a pool; the bridge takes it from what it has read. */
export const NAME: ValueKind = { ...textOf(128, 1), expects: 'a name of 1 to 128 bytes' }

/** The `.id` of a row. */
export const ROW_ID: ValueKind = {
  expects: 'the .id of a row',
  serialise: (text) => (/^\*[0-9A-F]{1,16}$/.test(text) ? text : undefined),
}

/** The `.id` of one row or of several. */
export const ROW_IDS: ValueKind = {
  expects: 'the .id of rows',
  serialise: (text) => (/^\*[0-9A-F]{1,16}(,\*[0-9A-F]{1,16}){0,63}$/.test(text) ? text : undefined),
}

/** A host name, or an address. */
export const HOST: ValueKind = {
  expects: 'a host name or an address',
  serialise(text) {
    if (/^[\d.]+$/.test(text)) return IPV4.serialise(text)
    if (text.includes(':')) return IPV6.serialise(text)
    return /^(?!-)[A-Za-z0-9.-]{1,253}$/.test(text) ? text : undefined
  },
}

/** An https URL without credentials, in ASCII. */
export const HTTPS_URL: ValueKind = {
  expects: 'an https URL of at most 255 characters without credentials',
  serialise(text) {
    if (!isClean(text) || !/^https:\/\//i.test(text) || !URL.canParse(text)) return undefined
    const url = new URL(text)
    const sent = url.href
    return url.username === '' && url.password === '' && url.hash === '' && sent.length <= MAX_VALUE_BYTES
      ? sent
      : undefined
  },
}

/**
 * The name of a file with one of some endings. A name that the router would install or run by itself (`*.auto.npk`,
 * `*.auto.rsc`) is none.
 */
export function fileName(...endings: string[]): ValueKind {
  return {
    expects: `a file name that ends in ${endings.join(' or ')}`,
    serialise: (text) =>
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(text) &&
      !/\.auto\./i.test(text) &&
      endings.some((ending) => text.endsWith(ending))
        ? text
        : undefined,
  }
}

/** A time in seconds, read in the forms of RouterOS (`1d2h`, `90s`, `90`, `00:10:00`), sent as `1d2h3m4s`. */
export function durationOf(minSeconds: number, maxSeconds: number): ValueKind {
  return {
    expects: `a time from ${minSeconds} to ${maxSeconds} seconds`,
    serialise(text) {
      const seconds = text.length > 30 ? undefined : (parseDurationSeconds(text) ?? undefined)
      return seconds !== undefined && seconds >= minSeconds && seconds <= maxSeconds
        ? formatDuration(seconds)
        : undefined
    },
  }
}

function ipv4Bytes(text: string): number[] | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined
  const bytes = text.split('.').map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

function numberOf(bytes: readonly number[]): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0)
}
