import { ProtocolError, type Work } from '../../base/index.ts'
import type { Element } from './element.ts'
import { escapeXml } from './escape.ts'
import { SLICE } from './text.ts'

/**
 * One codec per XSD type: `read` takes the element (undefined when it is missing) and `write` gives its content.
 * Reading is tolerant where field devices are known to err (TR-069 A.2); writing
 * follows the schema to the letter.
 */
export interface Codec<T> {
  read(element: Element | undefined, at: string): T
  /** The element with its content. */
  write(name: string, value: T): string
}

export type TypeOf<C> = C extends Codec<infer T> ? T : never

/** Reads an element that is missing or empty as `missing`: CPE leave out, or leave empty, elements without a value. */
function scalar<T>(read: (text: string, at: string) => T, text: (value: T) => string, missing: T): Codec<T> {
  return {
    read: (element, at) => (element === undefined || element.text.trim() === '' ? missing : read(element.text, at)),
    write: (name, value) => `<${name}>${escapeXml(text(value))}</${name}>`,
  }
}

/** xsd:string of at most `max` characters. White space inside is kept. A missing element reads as ''. */
export function string(max: number): Codec<string> {
  return {
    read(element, at) {
      const text = element?.text ?? ''
      if (text.length > max)
        throw new ProtocolError('tooLong', `${at} is longer than ${max} characters`, { context: { at } })
      return text
    },
    write: (name, value) => `<${name}>${escapeXml(value)}</${name}>`,
  }
}

/**
 * Returns the codec of a parameter, object or method name: white space around it has no meaning (CPE that indent write
 * some).
 */
export function nameOf(max: number): Codec<string> {
  const codec = string(max)
  return { read: (element, at) => codec.read(element, at).trim(), write: codec.write }
}

/**
 * A text of which the first `max` characters count: nothing is identified by it. White space around it means nothing.
 */
export function shortText(max: number): Codec<string> {
  return { read: (element) => (element?.text ?? '').trim().slice(0, max), write: string(max).write }
}

/** A number that nothing depends on: what cannot be read as an unsignedInt reads as `missing`. */
export function looseUnsignedInt(missing: number): Codec<number> {
  return scalar((text) => (/^\s*\+?\d{1,10}\s*$/.test(text) ? Number(text) : missing), String, missing)
}

/** xsd:unsignedInt. */
export function unsignedInt(missing = 0): Codec<number> {
  return scalar(
    (text, at) => {
      if (!/^\s*\+?\d{1,10}\s*$/.test(text))
        throw new ProtocolError('type', `${at} is no unsignedInt`, { context: { at } })
      return Number(text)
    },
    String,
    missing,
  )
}

/** xsd:int. */
export const int: Codec<number> = scalar(
  (text, at) => {
    if (!/^\s*[+-]?\d{1,10}\s*$/.test(text)) throw new ProtocolError('type', `${at} is no int`, { context: { at } })
    return Number(text)
  },
  String,
  0,
)

/** xsd:boolean; written 1 and 0, the form every CPE takes. */
export const boolean: Codec<boolean> = scalar(
  (text, at) => {
    const value = text.trim().toLowerCase()
    if (value === '1' || value === 'true') return true
    if (value === '0' || value === 'false') return false
    throw new ProtocolError('type', `${at} is no boolean`, { context: { at } })
  },
  (value) => (value ? '1' : '0'),
  false,
)

/** xsd:dateTime, kept as text: year 1 and missing zones have meanings of their own (TR-106 3.2.1). */
export const dateTime: Codec<string> = scalar(
  (text) => text.trim().slice(0, 40),
  (value) => value,
  '0001-01-01T00:00:00Z',
)

type Members = Record<string, Codec<unknown>>
type Values<M extends Members> = { [K in keyof M]: TypeOf<M[K]> }

/**
 * Returns the codec of a struct of named members in schema order. Unknown members are ignored; missing ones are read as
 * their codec defines.
 */
export function struct<M extends Members>(members: M): Codec<Values<M>> & { members: M; work: Worker<Values<M>> } {
  const entries = Object.entries(members)
  const readMember = (element: Element | undefined, name: string, codec: Codec<unknown>, place: string) =>
    isRepeated(codec)
      ? codec.readAll(
          (element?.children ?? []).filter((child) => child.name === name),
          place,
        )
      : codec.read(childOf(element, name), place)
  return {
    members,
    read(element, at) {
      const out: Record<string, unknown> = {}
      for (const [name, codec] of entries) out[name] = readMember(element, name, codec, `${at}/${name}`)
      // Exactly the members of M were filled in.
      return out as Values<M>
    },
    *work(element, at) {
      const out: Record<string, unknown> = {}
      for (const [name, codec] of entries) {
        const place = `${at}/${name}`
        out[name] = isArray(codec)
          ? yield* codec.work(childOf(element, name), place)
          : readMember(element, name, codec, place)
      }
      // Exactly the members of M were filled in.
      return out as Values<M>
    },
    write(name, value) {
      return `<${name}>${writeMembers(entries, value)}</${name}>`
    },
  }
}

/** The members of a struct without an element around them. */
function writeMembers(entries: [string, Codec<unknown>][], value: Record<string, unknown>): string {
  let out = ''
  for (const [name, codec] of entries) if (value[name] !== undefined) out += codec.write(name, value[name])
  return out
}

/** Reads as `read` does, in portions. */
type Worker<T> = (element: Element | undefined, at: string) => Work<T>

/** Items of an array in one portion. */
const ITEMS = 512

/** A list whose length the sender chooses: it can be read in portions. */
interface ArrayCodec<T> extends Codec<T[]> {
  work: Worker<T[]>
}

/** Reads an item; its place is worked out for the one that cannot be read. */
function readItem<T>(codec: Codec<T>, child: Element, at: string, i: number): T {
  try {
    return codec.read(child, at)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return codec.read(child, `${at}[${i}]`)
  }
}

/** A SOAP-encoded array (TR-069 A.2.2): `arrayType` is always written and never believed. */
export function arrayOf<T>(item: string, type: string, codec: Codec<T>, maxItems = 100_000): ArrayCodec<T> {
  const itemsOf = (element: Element | undefined, at: string): readonly Element[] => {
    const items = element?.children ?? []
    if (items.length > maxItems)
      throw new ProtocolError('tooMany', `${at} has more than ${maxItems} items`, { context: { at } })
    return items
  }
  return {
    read: (element, at) => itemsOf(element, at).map((child, i) => readItem(codec, child, at, i)),
    *work(element, at) {
      const values: T[] = []
      const items = itemsOf(element, at)
      for (let i = 0; i < items.length; i++) {
        const child = items[i]
        if (i % ITEMS === ITEMS - 1) yield SLICE
        if (child === undefined) continue
        values.push(readItem(codec, child, at, i))
      }
      return values
    },
    write(name, values) {
      let items = ''
      for (const value of values) items += codec.write(item, value)
      return `<${name} soap-enc:arrayType="${type}[${values.length}]">${items}</${name}>`
    },
  }
}

/** A struct member that stands there once per item, without an array around it (A.4.2.3 Results). */
interface Repeated<T> extends Codec<T[]> {
  readAll(elements: Element[], at: string): T[]
}

export function repeated<T, C extends Codec<T>>(
  codec: C & Codec<T>,
  maxItems: number,
): Omit<C, keyof Codec<T>> & Repeated<T> {
  const readAll = (given: Element[], at: string) => {
    const elements = given.length === 1 ? itemsOf(given[0]) : given
    if (elements.length > maxItems)
      throw new ProtocolError('tooMany', `${at} stands there more than ${maxItems} times`, { context: { at } })
    return elements.map((element, i) => codec.read(element, `${at}[${i}]`))
  }
  return {
    ...codec,
    readAll,
    read: (element, at) => readAll(element === undefined ? [] : [element], at),
    write: (name, values) => values.map((value) => codec.write(name, value)).join(''),
  }
}

/**
 * Some CPE write a SOAP array where the schema has an element that repeats: items named as a struct of TR-069, in one
 * element.
 */
function itemsOf(element: Element | undefined): Element[] {
  if (element === undefined) return []
  const isWrapped = element.children.length > 0 && element.children.every(({ name }) => name.endsWith('Struct'))
  return isWrapped ? [...element.children] : [element]
}

function isArray(codec: Codec<unknown>): codec is ArrayCodec<unknown> {
  return 'work' in codec && !('members' in codec)
}

function isRepeated(codec: Codec<unknown>): codec is Repeated<unknown> {
  return 'readAll' in codec
}

/** First child with a local name. */
export function childOf(element: Element | undefined, name: string): Element | undefined {
  if (element === undefined) return undefined
  for (const child of element.children) if (child.name === name) return child
  return undefined
}
