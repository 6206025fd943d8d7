import { isIP, isIPv4 } from 'node:net'
import { readDuration, writeDuration } from '../basis/text.ts'
import { invalidValue, noMatch, outOfRange, Trap } from '../basis/trap.ts'

/** A property of a menu: the values that it takes, and how it is printed. */
export interface Property {
  /** Returns the text that is stored; Trap for a value that is refused. Absent: read only. */
  take?: (value: string, name: string) => string
  /** Printed only to users with the policy `sensitive`. */
  isSecret?: true
  /** Never printed. */
  isHidden?: true
  /** The value must be the name of a row of this table. */
  refersTo?: string
  /** Value of new rows, and after `unset`. */
  initial?: string
  /** Left out of the print while it is false. */
  isMark?: true
}

const MAX_TEXT = 60_000

/** Read only. */
export const ro: Property = {}
/** A flag that the router sets, printed only while it is true. */
export const mark: Property = { isMark: true }

/** Any text of at most so many bytes. */
export function text(max = MAX_TEXT): Property {
  return {
    take(value, name) {
      if (Buffer.byteLength(value) > max) throw new Trap(`value of ${name} should be at most ${max} characters long`, 1)
      return value
    },
  }
}

export const secret: Property = { ...text(255), isSecret: true }

/** A text with one of these forms. */
function form(is: (value: string) => boolean, store: (value: string) => string = (value) => value): Property {
  return {
    take(value, name) {
      if (!is(value)) throw invalidValue(name)
      return store(value)
    },
  }
}

/** A switch, printed as `true` and `false`. */
export const bool: Property = {
  take(value, name) {
    if (['yes', 'true'].includes(value)) return 'true'
    if (['no', 'false'].includes(value)) return 'false'
    throw noMatch(name)
  },
}

/** A flag of a row that may be set; false by itself. */
export const off: Property = { ...bool, initial: 'false' }

/** A whole number within bounds; words that stand for no number are taken, too. */
export function int(min: number, max: number, ...words: string[]): Property {
  return {
    take(value, name) {
      if (words.includes(value)) return value
      if (!/^-?\d{1,15}$/.test(value)) throw invalidValue(name)
      if (Number(value) < min || Number(value) > max) throw outOfRange(name, min, max)
      return String(Number(value))
    },
  }
}

/** One of these words; a beginning that fits one word alone is that word, as in the console. */
export function oneOf(...words: string[]): Property {
  return {
    take(value, name) {
      if (words.includes(value)) return value
      const begun = value === '' ? [] : words.filter((word) => word.startsWith(value))
      if (begun.length > 1) throw new Trap(`ambiguous value of ${name}, more than one possible value matches input`, 1)
      if (begun[0] === undefined) throw noMatch(name)
      return begun[0]
    },
  }
}

/** Any number of these words, comma between. */
export function listOf(...words: string[]): Property {
  return {
    take(value, name) {
      if (value.split(',').some((word) => value !== '' && !words.includes(word))) throw noMatch(name)
      return value
    },
  }
}

export const ip = form((value) => isIP(value) !== 0)
export const ips = form((value) => value === '' || value.split(',').every((one) => isIP(one) !== 0))
/** An address with the length of its network; without one it is a host. */
export const prefix = form(isPrefix, (value) => (value.includes('/') ? value : `${value}/32`))
/** An address, network or range, with `!` before it for all others. */
export const matcher = form((value) => {
  const plain = value.replace(/^!/, '')
  return value === '' || isPrefix(plain) || plain.split('-').every((one) => isIPv4(one))
})
export const mac = form(
  (value) => /^([\dA-Fa-f]{2}[:-]){5}[\dA-Fa-f]{2}$/.test(value),
  (value) => value.toUpperCase().replaceAll('-', ':'),
)
export const ranges = form((value) => value.split(',').every((one) => one.split('-').every((end) => isIPv4(end))))
/** Port numbers and ranges, comma between. */
export const ports = form(
  (value) => value === '' || (/^!?\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/.test(value) && largest(value) <= 65_535),
)
export const domain = form((value) => /^[\w.*-]{0,253}$/.test(value))

/** A span of time, stored as routers print it; some words stand for no span. */
export function duration(...words: string[]): Property {
  return {
    take(value, name) {
      if (words.includes(value)) return value
      const seconds = readDuration(value)
      if (seconds === undefined) throw invalidValue(name)
      return writeDuration(seconds)
    },
  }
}

/** The name of a row of another table. */
export function nameOf(table: string): Property {
  return { ...text(255), refersTo: table }
}

/** The name of an interface. */
export const iface: Property = { ...text(255), refersTo: 'interface' }

function isPrefix(value: string): boolean {
  const [address = '', length, ...more] = value.split('/')
  const version = isIP(address)
  return (
    version !== 0 &&
    more.length === 0 &&
    (length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (version === 4 ? 32 : 128)))
  )
}

function largest(value: string): number {
  return Math.max(...(value.match(/\d+/g) ?? []).map(Number))
}
