import { isIP, isIPv4 } from 'node:net'
import { isObject } from '../../base/index.ts'

/** A kind of JSON value: `says` completes the sentence `... must be`. */
export interface Kind<T> {
  readonly says: string
  /** Returns the value; undefined when it is of another kind. */
  read(value: unknown): T | undefined
}

type Shape = Readonly<Record<string, Kind<unknown>>>
type ValueOf<K> = K extends Kind<infer T> ? T : never

/** The values of an object with required and optional fields. */
export type Values<R extends Shape, O extends Shape> = { readonly [K in keyof R]: ValueOf<R[K]> } & {
  readonly [K in keyof O]?: ValueOf<O[K]>
}

/** A payload that is refused as a whole. Its text names fields and never their values. */
export class BadPayload extends Error {}

/** Returns the fields of an object; BadPayload when one is missing, wrong or not known. */
export function readFields<R extends Shape, O extends Shape>(value: unknown, required: R, optional: O): Values<R, O> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new BadPayload('must be an object')
  const known = new Map(Object.entries({ ...optional, ...required }))
  const given = new Map(Object.entries(value))
  for (const name of given.keys())
    if (!known.has(name))
      throw new BadPayload(`has a field that is not known; known are ${[...known.keys()].join(', ')}`)
  const values: Record<string, unknown> = {}
  for (const [name, kind] of known) {
    if (!given.has(name)) {
      if (name in required) throw new BadPayload(`needs the field ${name}`)
      continue
    }
    const read = kind.read(given.get(name))
    if (read === undefined) throw new BadPayload(`has a field ${name} that is not ${kind.says}`)
    values[name] = read
  }
  // Each value was read by the kind that the type is made of.
  return values as Values<R, O>
}

/** Returns the kind of texts with so many bytes of UTF-8, without control characters. */
export function text(min: number, max: number, pattern = /^/): Kind<string> {
  return {
    says: `a text of ${min} to ${max} bytes in the form that is documented`,
    read(value) {
      if (typeof value !== 'string' || value.length > max) return undefined
      const bytes = Buffer.byteLength(value)
      // \p{Cc} has the bytes 00 to 1F and 7F.
      return bytes >= min && bytes <= max && !/\p{Cc}/u.test(value) && pattern.test(value) ? value : undefined
    },
  }
}

export function integer(min: number, max: number): Kind<number> {
  return {
    says: `a whole number from ${min} to ${max}`,
    read: (value) =>
      Number.isInteger(value) && Number(value) >= min && Number(value) <= max ? Number(value) : undefined,
  }
}

export const truth: Kind<boolean> = {
  says: 'true or false',
  read: (value) => (typeof value === 'boolean' ? value : undefined),
}

export function choice<T extends string>(...choices: readonly T[]): Kind<T> {
  return { says: `one of ${choices.join(', ')}`, read: (value) => choices.find((one) => one === value) }
}

export function either<A, B>(one: Kind<A>, other: Kind<B>): Kind<A | B> {
  return { says: `${one.says} or ${other.says}`, read: (value) => one.read(value) ?? other.read(value) }
}

export function list<T>(kind: Kind<T>, min: number, max: number): Kind<readonly T[]> {
  return {
    says: `a list of ${min} to ${max}, each ${kind.says}`,
    read(value) {
      if (!Array.isArray(value) || value.length < min || value.length > max) return undefined
      const items = value.flatMap((one) => kind.read(one) ?? [])
      return items.length === value.length ? items : undefined
    },
  }
}

export const ipv4: Kind<string> = {
  says: 'an IPv4 address',
  read: (value) => (typeof value === 'string' && isIPv4(value) ? value : undefined),
}

export const address: Kind<string> = {
  says: 'an IP address',
  read: (value) =>
    typeof value === 'string' && value.length <= 45 && isIP(value) !== 0 && !value.includes('%') ? value : undefined,
}

/** A time of RFC 3339, as milliseconds. */
export const time: Kind<number> = {
  says: 'a time such as 2026-01-31T12:00:00Z',
  read(value) {
    const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/
    const at = typeof value === 'string' && form.test(value) ? Date.parse(value) : Number.NaN
    return Number.isNaN(at) ? undefined : at
  },
}

/** Any object; its fields are read by somebody else. */
export const object: Kind<object> = {
  says: 'an object',
  read: (value) => (isObject(value) ? value : undefined),
}
