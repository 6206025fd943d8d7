/**
 * The door to fast-xml-parser. It parses text that need not be well-formed; `markupProblem` returns what is not.
 * Neither resolves entities, namespaces or document types.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser'

/** An element with its prefix, its attributes as written, and its content in order. */
export interface MarkupElement {
  name: string
  attributes: readonly (readonly [name: string, value: string])[]
  content: readonly (MarkupElement | MarkupText)[]
}

/** Characters between two tags. References in it are not resolved; `literal` text (CDATA) has none. */
export interface MarkupText {
  text: string
  literal: boolean
}

/** Elements within each other; the parser refuses more. */
const MAX_DEPTH = 64
const TEXT = '#text'
const CDATA = '#cdata'
const ATTRIBUTES = ':@'

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  allowBooleanAttributes: true,
  textNodeName: TEXT,
  cdataPropName: CDATA,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  htmlEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: MAX_DEPTH,
})

/**
 * Returns the elements and texts at the top of a document. Throws an Error of the parser when it cannot make any of it.
 */
export function parseMarkup(text: string): (MarkupElement | MarkupText)[] {
  return contentOf(parser.parse(text))
}

/**
 * Returns the first reason why a text is not well-formed XML 1.0, and its line; undefined when it is. Namespaces are
 * not looked at.
 */
export function markupProblem(text: string): string | undefined {
  const verdict = XMLValidator.validate(text)
  return verdict === true ? undefined : `${verdict.err.msg} (line ${verdict.err.line})`
}

/** A node as the parser gives it: one key with its children or its text, and the attributes beside it. */
type Node = Readonly<Record<string, unknown>>

function isNodes(value: unknown): value is Node[] {
  return Array.isArray(value)
}

function contentOf(nodes: unknown): (MarkupElement | MarkupText)[] {
  return isNodes(nodes) ? nodes.map(read) : []
}

function read(node: Node): MarkupElement | MarkupText {
  for (const name in node) {
    if (name === ATTRIBUTES || name === TEXT || name === CDATA) continue
    return { name, attributes: attributesOf(node[ATTRIBUTES]), content: contentOf(node[name]) }
  }
  const text = node[TEXT]
  return typeof text === 'string' ? { text, literal: false } : { text: literalOf(node[CDATA]), literal: true }
}

function literalOf(nodes: unknown): string {
  if (!isNodes(nodes)) return ''
  return nodes.map((node) => (typeof node[TEXT] === 'string' ? node[TEXT] : '')).join('')
}

function attributesOf(given: unknown): (readonly [string, string])[] {
  if (typeof given !== 'object' || given === null) return []
  return Object.entries(given).map(([name, value]) => [name, typeof value === 'string' ? value : ''])
}
