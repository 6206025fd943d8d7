import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes'
import { ProtocolError } from '../../base/index.ts'

/** An element with its namespace prefix taken off: field boxes use any prefix and any default namespace, so names count, prefixes do not. */
export interface Element {
  name: string
  /** The namespace URI the element is in, '' for none. */
  uri: string
  attributes: Record<string, string>
  children: Element[]
  /** Text directly inside, as written. */
  text: string
}

/** What a document may use up; beyond it decoding stops at once with a ProtocolError. */
export interface XmlLimits {
  maxDepth: number
  maxElements: number
  maxAttributes: number
}

export const XML_LIMITS: XmlLimits = { maxDepth: 32, maxElements: 400_000, maxAttributes: 64 }

/** A parsed document, and whether it had to be repaired to be read. */
export interface ParsedXml {
  root: Element
  repaired: boolean
}

/**
 * Reads XML 1.0 without DTD and without entities of its own. Text that is ill-formed the way field devices are known to send it
 * (raw control characters, bare ampersands) is repaired and tried once more. ProtocolError `xml` tells where it stood.
 */
export function parseXml(text: string, limits: XmlLimits = XML_LIMITS): ParsedXml {
  try {
    return { root: parseStrict(text, limits, false), repaired: false }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    const repaired = error.code === 'xml' ? repair(text) : text
    // Once more only to tell where it stood: keeping count of lines costs every good document more than it is worth.
    return { root: parseStrict(repaired, limits, true), repaired: true }
  }
}

function parseStrict(text: string, limits: XmlLimits, position: boolean): Element {
  const parser = new SaxesParser({ xmlns: true, position })
  const stack: Element[] = []
  let root: Element | undefined
  let elements = 0
  const refuse = (code: string, why: string): never => {
    throw new ProtocolError(code, why, {
      context: { line: parser.line, column: parser.column, path: stack.map((element) => element.name).join('/') },
    })
  }
  parser.on('doctype', () => refuse('xmlForbidden', 'a DOCTYPE is not accepted'))
  parser.on('error', (error) => refuse('xml', error.message))
  parser.on('opentag', (tag: SaxesTagNS) => {
    if (++elements > limits.maxElements) refuse('xmlTooLarge', `more than ${limits.maxElements} elements`)
    if (stack.length >= limits.maxDepth) refuse('xmlTooDeep', `deeper than ${limits.maxDepth} elements`)
    const element: Element = {
      name: tag.local,
      uri: tag.uri,
      attributes: attributesOf(tag.attributes, limits, refuse),
      children: [],
      text: '',
    }
    const parent = stack[stack.length - 1]
    if (parent === undefined) root ??= element
    else parent.children.push(element)
    stack.push(element)
  })
  parser.on('closetag', () => void stack.pop())
  const addText = (chunk: string) => {
    const top = stack[stack.length - 1]
    if (top !== undefined) top.text += chunk
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  // In slices, so that a document over a limit is dropped long before its end.
  for (let at = 0; at < text.length; at += 65_536) parser.write(text.slice(at, at + 65_536))
  parser.close()
  return root ?? refuse('xml', 'there is no element')
}

const NO_ATTRIBUTES: Record<string, string> = Object.freeze({})

function attributesOf(
  attributes: Record<string, SaxesAttributeNS>,
  limits: XmlLimits,
  refuse: (code: string, why: string) => never,
): Record<string, string> {
  let out: Record<string, string> | undefined
  let count = 0
  for (const key in attributes) {
    const attribute = attributes[key]
    if (attribute === undefined || attribute.prefix === 'xmlns' || attribute.name === 'xmlns') continue
    if (++count > limits.maxAttributes) refuse('xmlTooLarge', `more than ${limits.maxAttributes} attributes`)
    out ??= {}
    out[attribute.local] = attribute.value
  }
  return out ?? NO_ATTRIBUTES
}

/** What XML 1.0 forbids and boxes send all the same. */
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

function repair(text: string): string {
  return text.replace(FORBIDDEN, '').replace(/&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)/g, '&amp;')
}

const SPECIAL = /[&<>"\u0000-\u0008\u000b-\u001f\ud800-\udfff\ufffe\uffff]/
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Text for element content or an attribute; what XML 1.0 cannot carry is left out. */
export function escapeXml(text: string): string {
  if (!SPECIAL.test(text)) return text
  return text
    .replace(LONE_SURROGATE, '\ufffd')
    .replace(FORBIDDEN, '')
    .replace(/[&<>"\r]/g, (char) => ESCAPES[char] ?? char)
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;' }

/**
 * Turns the bytes of a message into text: byte order mark, then charset of the Content-Type, then of the XML declaration, then UTF-8. A
 * charset nobody knows gives way to the next; bad bytes are replaced. ProtocolError `charset` when none that was named is known.
 */
export function decodeBytes(bytes: Uint8Array, contentType: string | undefined): string {
  const wide = wideCharset(bytes)
  if (wide !== undefined) return new TextDecoder(wide).decode(bytes)
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 120)).toString('latin1')
  const named = [
    /charset\s*=\s*["']?([\w.:-]+)/i.exec(contentType ?? '')?.[1],
    /^[^<]*<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)["']/.exec(head)?.[1],
  ].filter((name) => name !== undefined)
  const first = named[0]?.toLowerCase()
  if (first === undefined || first === 'utf-8' || first === 'utf8')
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      .toString('utf8')
      .replace(/^\ufeff/, '')
  let cause: unknown
  for (const name of named) {
    try {
      return new TextDecoder(name).decode(bytes)
    } catch (error) {
      cause = error
    }
  }
  throw new ProtocolError('charset', `charset ${JSON.stringify(first.slice(0, 40))} is not known`, { cause })
}

/** UTF-16 shows itself: by its byte order mark, or by `<` and a zero byte (XML 1.0 appendix F). Whatever a header says is wrong then. */
function wideCharset(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const [a, b] = bytes
  if ((a === 0xff && b === 0xfe) || (a === 0x3c && b === 0)) return 'utf-16le'
  return (a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c) ? 'utf-16be' : undefined
}
