import { ProtocolError } from '../base/index.ts'

/** The kind of a path (TR-106 2, TR-369 R-PATH); only its text decides. */
export type PathKind = 'object' | 'parameter' | 'command' | 'event'

/**
 * One segment between dots: a name, an instance number, a wildcard, a search expression, a schema placeholder, or a
 * followed reference.
 */
export type Segment =
  | { kind: 'name'; name: string }
  | { kind: 'instance'; instance: number }
  | { kind: 'wildcard' }
  | { kind: 'search'; terms: SearchTerm[] }
  | { kind: 'schema' }
  /** `Param+`, `Param#2+`, `Param#*+`: goes to the object(s) the parameter refers to. `item` 0 = all. */
  | { kind: 'follow'; name: string; item: number }

/** Returns true for a segment that names a row of a table, or several: an instance, a wildcard, a search expression. */
export function namesRow(segment: Segment | undefined): boolean {
  return segment?.kind === 'instance' || segment?.kind === 'wildcard' || segment?.kind === 'search'
}

/** One comparison of a search expression: a path relative to the row, an operator, a constant as text. */
export interface SearchTerm {
  path: string
  operator: '==' | '!=' | '~=' | '<' | '>' | '<=' | '>='
  value: string
  /** String constants are quoted, everything else is not. */
  quoted: boolean
}

/** A path taken apart. */
export interface Path {
  text: string
  kind: PathKind
  segments: Segment[]
  /** True when it can name several objects: wildcard, search or followed reference. */
  search: boolean
}

const MAX_LENGTH = 1024
const MAX_DEPTH = 40
const MAX_TERMS = 16
// Vendor names carry a hyphen (X_ARRIS-COM_Status), and some begin with digits and a hyphen (802-1pMark), although the
// grammar of TR-369 leaves both out.
const NAME = /^(?:[A-Za-z_]|\d+-)[A-Za-z_0-9-]*$/
const FOLLOW = /^([A-Za-z_][A-Za-z_0-9-]*)(?:#([1-9][0-9]{0,8}|\*))?\+$/
const TERM = /^([A-Za-z_][A-Za-z_0-9.+#*-]*?)\s*(==|!=|~=|<=|>=|<|>)\s*(.+)$/

/** Parses a path. ProtocolError `path` names the error and its character. */
export function parsePath(text: string): Path {
  if (text.length === 0) throw bad(text, 0, 'is empty')
  if (text.length > MAX_LENGTH) throw bad(text, MAX_LENGTH, `is longer than ${MAX_LENGTH} characters`)
  const parts = splitSegments(text)
  if (parts.length > MAX_DEPTH) throw bad(text, 0, `is deeper than ${MAX_DEPTH} levels`)
  const last = parts.pop() ?? { text: '', at: 0 }
  const segments = parts.map((part) => parseSegment(text, part))
  if (segments[0]?.kind !== 'name' && !(segments.length === 0 && NAME.test(last.text)))
    throw bad(text, 0, 'does not begin with a name')
  const search = segments.some(
    (segment) => segment.kind === 'wildcard' || segment.kind === 'search' || segment.kind === 'follow',
  )
  if (last.text === '') return { text, kind: 'object', segments, search }
  const kind = last.text.endsWith('()') ? 'command' : last.text.endsWith('!') ? 'event' : 'parameter'
  const name = kind === 'command' ? last.text.slice(0, -2) : kind === 'event' ? last.text.slice(0, -1) : last.text
  if (!NAME.test(name)) throw bad(text, last.at, `${JSON.stringify(last.text)} is not a name; objects end in a dot`)
  segments.push({ kind: 'name', name: last.text })
  return { text, kind, segments, search }
}

interface Part {
  text: string
  at: number
}

/** Splits at dots outside of brackets and quotes. */
function splitSegments(text: string): Part[] {
  if (!text.includes('[')) {
    let at = 0
    return text.split('.').map((part) => {
      const here = { text: part, at }
      at += part.length + 1
      return here
    })
  }
  const parts: Part[] = []
  let start = 0
  let depth = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '"') quoted = !quoted
    else if (quoted) continue
    else if (char === '[') depth++
    else if (char === ']') depth--
    else if (char === '.' && depth === 0) {
      parts.push({ text: text.slice(start, i), at: start })
      start = i + 1
    }
    if (depth < 0 || depth > 1) throw bad(text, i, 'has unbalanced brackets')
  }
  if (depth !== 0 || quoted) throw bad(text, text.length, 'ends inside a search expression')
  parts.push({ text: text.slice(start), at: start })
  return parts
}

function parseSegment(text: string, part: Part): Segment {
  const body = part.text
  if (NAME.test(body)) return { kind: 'name', name: body }
  if (/^[1-9][0-9]{0,9}$/.test(body)) return { kind: 'instance', instance: Number(body) }
  if (body === '*') return { kind: 'wildcard' }
  if (body === '{i}') return { kind: 'schema' }
  if (body.startsWith('[') && body.endsWith(']'))
    return { kind: 'search', terms: parseSearch(text, body.slice(1, -1), part.at) }
  const follow = FOLLOW.exec(body)
  if (follow?.[1] !== undefined)
    return { kind: 'follow', name: follow[1], item: follow[2] === '*' ? 0 : Number(follow[2] ?? 1) }
  throw bad(text, part.at, `${JSON.stringify(body)} is neither a name nor an instance`)
}

function parseSearch(text: string, body: string, at: number): SearchTerm[] {
  const terms = splitAnd(body).map((term) => {
    const match = TERM.exec(term.trim())
    if (match === null) throw bad(text, at, `${JSON.stringify(term)} is not a comparison`)
    const [, path = '', operator = '==', constant = ''] = match
    const quoted = constant.startsWith('"') && constant.endsWith('"') && constant.length >= 2
    const value = quoted ? unquote(constant.slice(1, -1)) : constant
    return { path, operator: operator as SearchTerm['operator'], value, quoted }
  })
  if (terms.length === 0 || terms.length > MAX_TERMS) throw bad(text, at, `needs 1 to ${MAX_TERMS} comparisons`)
  return terms
}

function splitAnd(body: string): string[] {
  const terms: string[] = []
  let start = 0
  let quoted = false
  for (let i = 0; i < body.length; i++) {
    if (body[i] === '"') quoted = !quoted
    if (!quoted && body.startsWith('&&', i)) {
      terms.push(body.slice(start, i))
      start = i + 2
      i++
    }
  }
  terms.push(body.slice(start))
  return terms
}

function unquote(text: string): string {
  return text.replaceAll('%22', '"').replaceAll('%25', '%')
}

/** A string constant as a search expression writes it (TR-369 2.5.2): `"` and `%` are percent-encoded. */
export function quoteConstant(text: string): string {
  return `"${text.replaceAll('%', '%25').replaceAll('"', '%22')}"`
}

function bad(text: string, at: number, why: string): ProtocolError {
  return new ProtocolError('path', `path ${JSON.stringify(text.slice(0, 80))} ${why}`, { context: { at } })
}

/**
 * Object part and leaf of a parameter path: `Device.A.1.B` -> `Device.A.1.` and `B`. An object path has the leaf ''.
 */
export function splitLeaf(path: string): { object: string; leaf: string } {
  const dot = path.lastIndexOf('.') + 1
  return { object: path.slice(0, dot), leaf: path.slice(dot) }
}

/** The object that holds this object: `Device.A.1.` -> `Device.A.`; '' above the root. */
export function parentOf(objectPath: string): string {
  return objectPath.slice(0, objectPath.lastIndexOf('.', objectPath.length - 2) + 1)
}

/** Every object a path runs through, outermost first: `Device.A.1.B` -> `Device.`, `Device.A.`, `Device.A.1.`. */
export function objectsOn(path: string): string[] {
  const objects: string[] = []
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) objects.push(path.slice(0, dot + 1))
  return objects
}

/**
 * Returns the path as the model has it, without instances; undefined when it follows a reference, whose target only the
 * device knows.
 */
export function schemaPathOf(path: string): string {
  return path.replace(/\.(?:\d+|\*)(?=\.|$)/g, '.{i}')
}

/**
 * The path as the model has it, whatever names its instances; undefined when it follows a reference, whose target only
 * the device knows.
 */
export function schemaOf({ kind, segments }: Path): string | undefined {
  let schema = ''
  for (const [i, segment] of segments.entries()) {
    if (segment.kind === 'follow') return undefined
    const leaf = kind !== 'object' && i === segments.length - 1
    schema += `${segment.kind === 'name' ? segment.name : '{i}'}${leaf ? '' : '.'}`
  }
  return schema
}

/** The root object a path begins with, with its dot. */
export function rootOf(path: string): string {
  return path.slice(0, path.indexOf('.') + 1)
}

/** Returns true when `path` is the object `object` (ends in a dot) or lies below it. */
export function isWithin(path: string, object: string): boolean {
  return path.startsWith(object)
}
