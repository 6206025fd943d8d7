import { errorText, type MarkupElement, type MarkupText, ProtocolError, parseMarkup } from '../../base/index.ts'
import type { Element, XmlLimits } from './element.ts'

/** The longest text that is read leniently: far more than an Inform, a Fault or a batch of values needs. */
export const MAX_LENIENT = 262_144
/**
 * Characters that make work: of tags, attributes, references and words. An Inform of a thousand parameters has ten
 * thousand of them.
 */
const MAX_MARKS = 12_000

/** Characters that XML 1.0 forbids and CPE send. */
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

/**
 * Reads a document that is not well-formed the way field devices are known to send it: prefixes that are not declared,
 * characters before the XML declaration, bare ampersands, raw control characters, attributes without quotes. Elements
 * that are cut off or do not nest are refused: half a message is none. Throws ProtocolError `xml`, `xmlForbidden`,
 * `xmlTooDeep` or `xmlTooLarge`.
 */
export function readLeniently(text: string, limits: XmlLimits): Element {
  const from = text.indexOf('<')
  const clean = text.slice(Math.max(from, 0)).replace(FORBIDDEN, '')
  if (/<!DOCTYPE/i.test(clean)) throw new ProtocolError('xmlForbidden', 'a DOCTYPE is not accepted')
  weigh(clean)
  checkNesting(clean)
  const roots = parse(clean).filter(isElement)
  const [root] = roots
  if (root === undefined || roots.length > 1)
    throw new ProtocolError('xml', `there are ${roots.length} root elements, one is needed`)
  return elementOf(root, Object.create(null), 1, limits)
}

/** Bounds the work before it is begun: the time of the parser goes with the number of marks. */
function weigh(text: string): void {
  let marks = 0
  let isSpace = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code <= 0x20) isSpace = true
    else {
      // A word begins, or one of " & ' < = comes.
      if (isSpace || code === 0x22 || code === 0x26 || code === 0x27 || code === 0x3c || code === 0x3d) marks++
      isSpace = false
    }
  }
  if (marks > MAX_MARKS)
    throw new ProtocolError('xmlTooLarge', `not well-formed, and with ${marks} marks too large to be read all the same`)
}

/** Tags open and close in pairs, and the outermost pair is closed. The parser does not look. */
function checkNesting(text: string): void {
  const open: string[] = []
  for (let at = text.indexOf('<'); at >= 0; ) {
    const [ending, after] = endOf(text, at)
    const end = text.indexOf(ending, at)
    if (end < 0) throw new ProtocolError('xml', `the text is cut off ${placeIn(text, at)}`)
    if (after !== undefined) {
      const tag = text.slice(at + 1, end)
      const name = /^\/?\s*([^\s/>]*)/.exec(tag)?.[1] ?? ''
      if (tag.startsWith('/')) {
        const opened = open.pop()
        if (opened !== name)
          throw new ProtocolError('xml', `</${name.slice(0, 64)}> closes ${opened ?? 'nothing'} ${placeIn(text, at)}`)
      } else if (!tag.endsWith('/')) open.push(name)
    }
    at = text.indexOf('<', end + ending.length)
  }
  const last = open.pop()
  if (last !== undefined) throw new ProtocolError('xml', `unclosed tag: ${last.slice(0, 64)}`)
}

/** Returns the ending of the markup that begins here, and `tag` when it is one. */
function endOf(text: string, at: number): [ending: string, kind?: 'tag'] {
  if (text.startsWith('<!--', at)) return ['-->']
  if (text.startsWith('<![CDATA[', at)) return [']]>']
  if (text.startsWith('<?', at)) return ['?>']
  return ['>', 'tag']
}

function placeIn(text: string, at: number): string {
  const lines = text.slice(0, at).split('\n')
  return `(line ${lines.length}, column ${lines[lines.length - 1]?.length ?? 0})`
}

function parse(text: string): (MarkupElement | MarkupText)[] {
  try {
    return parseMarkup(text)
  } catch (cause) {
    throw new ProtocolError('xml', errorText(cause).slice(0, 200), { cause })
  }
}

function isElement(part: MarkupElement | MarkupText): part is MarkupElement {
  return 'name' in part
}

/** Namespaces by prefix; those of the elements around are its prototypes. */
type Scope = Record<string, string>

function elementOf(given: MarkupElement, outer: Scope, depth: number, limits: XmlLimits): Element {
  if (depth > limits.maxDepth) throw new ProtocolError('xmlTooDeep', `deeper than ${limits.maxDepth} elements`)
  const { scope, attributes } = readAttributes(given.attributes, outer, limits)
  const [prefix, local] = split(given.name)
  const children: Element[] = []
  const element: Element = { name: local, uri: scope[prefix] ?? '', attributes, children, text: '' }
  for (const part of given.content) {
    if (isElement(part)) children.push(elementOf(part, scope, depth + 1, limits))
    else element.text += part.literal ? part.text : resolve(part.text)
  }
  return element
}

function readAttributes(
  entries: MarkupElement['attributes'],
  outer: Scope,
  limits: XmlLimits,
): { scope: Scope; attributes: Scope } {
  const attributes: Scope = {}
  if (entries.length > limits.maxAttributes)
    throw new ProtocolError('xmlTooLarge', `more than ${limits.maxAttributes} attributes`)
  let scope = outer
  for (const [name, value] of entries) {
    const [prefix, local] = split(name)
    const text = resolve(value)
    if (prefix !== 'xmlns' && name !== 'xmlns') attributes[local] = text
    else {
      if (scope === outer) scope = Object.create(outer)
      scope[name === 'xmlns' ? '' : local] = text.trim()
    }
  }
  return { scope, attributes }
}

function split(name: string): [prefix: string, local: string] {
  const colon = name.lastIndexOf(':')
  return colon < 0 ? ['', name] : [name.slice(0, colon), name.slice(colon + 1)]
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** References of XML itself become what they mean; every other ampersand is one. */
function resolve(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9A-Fa-f]{1,6}));/g, (all, named, decimal, hex) => {
    if (typeof named === 'string') return NAMED[named] ?? all
    const code = typeof decimal === 'string' ? Number(decimal) : Number.parseInt(String(hex), 16)
    return isCharacter(code) ? String.fromCodePoint(code) : all
  })
}

/** Char of XML 1.0, 2.2. */
function isCharacter(code: number): boolean {
  if (code < 0x20) return code === 9 || code === 10 || code === 13
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff)
}
