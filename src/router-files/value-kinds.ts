import { isIPv4, isIPv6 } from 'node:net'

/** A type of values that a script takes. */
export interface ValueKind {
  readonly type: 'text' | 'integer' | 'boolean' | 'choice' | 'network' | 'host' | 'date' | 'time' | 'timeZone'
  /** Noun phrase for errors and descriptions, e.g. `a host name or an address`. */
  readonly expects: string
  readonly choices?: readonly string[]
  /** The value is a list with commas between, of at most so many items. */
  readonly maxItems?: number
  /**
   * Returns the value in its one form, built anew from its parsed parts; undefined when the text is no such value. The
   * form that it returns is one that it accepts and returns unchanged.
   */
  read(text: string): string | undefined
}

/** Control characters, and halves of surrogate pairs. */
const UNCLEAN = /[\x00-\x1f\x7f]|\p{Surrogate}/u

/** Text of at most `max` bytes of UTF-8, without control characters. */
export function textOf(min: number, max: number): ValueKind {
  return {
    type: 'text',
    expects: `text of ${min} to ${max} bytes without control characters`,
    read: (text) =>
      text.length <= max && !UNCLEAN.test(text) && Buffer.byteLength(text) >= min && Buffer.byteLength(text) <= max
        ? text
        : undefined,
  }
}

/** A name of letters, digits, dots, `_` and `-` that begins with a letter, and is none of some words. */
export function nameOf(max: number, ...reserved: string[]): ValueKind {
  const besides = reserved.length === 0 ? '' : `, other than ${reserved.join(', ')}`
  const form = new RegExp(`^[A-Za-z][A-Za-z0-9._-]{0,${max - 1}}$`)
  return {
    type: 'text',
    expects: `a name of at most ${max} letters, digits, dots, _ and - that begins with a letter${besides}`,
    read: (text) => (form.test(text) && !reserved.includes(text.toLowerCase()) ? text : undefined),
  }
}

/** A whole number within bounds. */
export function integerOf(min: number, max: number): ValueKind {
  return {
    type: 'integer',
    expects: `a whole number from ${min} to ${max}`,
    read(text) {
      if (!/^\d{1,9}$/.test(text)) return undefined
      const number = Number(text)
      return number >= min && number <= max ? String(number) : undefined
    },
  }
}

/** One of some words. */
export function oneOf(...words: string[]): ValueKind {
  return {
    type: 'choice',
    expects: `one of ${words.join(', ')}`,
    choices: words,
    read: (text) => words.find((word) => word === text),
  }
}

/** A list with commas between; a value that stands twice is taken once. */
export function listOf(kind: ValueKind, maxItems: number): ValueKind {
  return {
    ...kind,
    expects: `1 to ${maxItems} values with commas between, each ${kind.expects}`,
    maxItems,
    read(text) {
      const parts = text.length > maxItems * 300 ? [] : text.split(',')
      if (parts.length === 0 || parts.length > maxItems) return undefined
      const values = parts.map((part) => kind.read(part))
      return values.includes(undefined) ? undefined : [...new Set(values)].join(',')
    },
  }
}

/** Yes or no. */
export const BOOLEAN: ValueKind = {
  type: 'boolean',
  expects: 'true or false',
  read: (text) => (text === 'true' || text === 'yes' ? 'yes' : text === 'false' || text === 'no' ? 'no' : undefined),
}

/** An address, or a network with the length of its prefix, without bits behind it: RouterOS keeps none. */
export const NETWORK: ValueKind = {
  type: 'network',
  expects: 'an address, or a network such as 192.0.2.0/24',
  read(text) {
    const [, host = '', length] = /^([^/]{1,45})(?:\/(\d{1,3}))?$/.exec(text) ?? []
    const address = addressOf(host)
    if (address === undefined) return undefined
    const max = isIPv4(address) ? 32 : 128
    if (length === undefined || Number(length) === max) return address
    return Number(length) > max ? undefined : `${firstOf(address, Number(length))}/${Number(length)}`
  },
}

/** An IPv4 address or network. */
export const IPV4_NETWORK: ValueKind = {
  type: 'network',
  expects: 'an IPv4 address, or a network such as 192.0.2.0/24',
  read: (text) => (text.includes(':') ? undefined : NETWORK.read(text)),
}

/** A host name or an address. */
export const HOST: ValueKind = {
  type: 'host',
  expects: 'a host name or an address',
  read: (text) => addressOf(text) ?? hostNameOf(text),
}

/** A day of the calendar. */
export const DATE: ValueKind = {
  type: 'date',
  expects: 'a day such as 2026-03-01',
  read(text) {
    if (!/^20\d\d-\d\d-\d\d$/.test(text)) return undefined
    const day = new Date(`${text}T00:00:00Z`)
    return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text) ? text : undefined
  },
}

/** A time of the day. */
export const TIME: ValueKind = {
  type: 'time',
  expects: 'a time of the day such as 03:30:00',
  read(text) {
    const [, hours, minutes, seconds = '00'] = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text) ?? []
    return hours === undefined ? undefined : `${hours}:${minutes}:${seconds}`
  },
}

/** A name of the time zone database. */
export const TIME_ZONE: ValueKind = {
  type: 'timeZone',
  expects: 'the name of a time zone such as Europe/Riga',
  read(text) {
    if (!/^[A-Z][A-Za-z_]{1,31}(\/[A-Z][A-Za-z0-9_+-]{1,31}){0,2}$/.test(text)) return undefined
    try {
      new Intl.DateTimeFormat('en', { timeZone: text })
      return text
    } catch {
      // Intl throws for a zone that it does not know.
      return undefined
    }
  },
}

function addressOf(text: string): string | undefined {
  if (isIPv4(text)) return text
  if (!isIPv6(text) || text.includes('%') || text.includes('.')) return undefined
  return new URL(`http://[${text}]`).hostname.slice(1, -1)
}

/** The first address of the network that an address is in. */
function firstOf(address: string, length: number): string {
  if (isIPv4(address)) return withoutBitsBehind(address.split('.').map(Number), 8, length).join('.')
  const [front = [], back = []] = address
    .split('::')
    .map((groups) => (groups === '' ? [] : groups.split(':').map((group) => Number.parseInt(group, 16))))
  const groups = [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back]
  const text = withoutBitsBehind(groups, 16, length).map((group) => group.toString(16))
  return addressOf(text.join(':')) ?? address
}

function withoutBitsBehind(parts: readonly number[], width: number, length: number): number[] {
  return parts.map((part, i) => {
    const dropped = width - Math.max(0, Math.min(width, length - i * width))
    return (part >> dropped) << dropped
  })
}

function hostNameOf(text: string): string | undefined {
  const name = text.toLowerCase()
  const labels = name.split('.')
  if (name.length > 253 || !labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)))
    return undefined
  // A name whose last label is a number is an address in another form.
  return /^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '') ? undefined : name
}
