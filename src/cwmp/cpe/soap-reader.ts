import {
  errorText,
  type MarkupElement,
  type MarkupText,
  markupProblem,
  ProtocolError,
  parseMarkup,
} from '../../base/index.ts'

/** An element of a message from an ACS, with its namespace. */
export interface SoapElement {
  name: string
  /** '' for none. */
  uri: string
  attributes: ReadonlyMap<string, string>
  children: readonly SoapElement[]
  text: string
}

type Scope = ReadonlyMap<string, string>

/**
 * Reads a message as XML 1.0 with namespaces in UTF-8 and returns its root. This is the reader of the client side: the
 * server has another one, so that a mistake in one of them shows. It is strict. ProtocolError `xml`: not well-formed, a
 * document type, an undeclared prefix or entity; `charset`: not UTF-8.
 */
export function readSoap(bytes: Uint8Array, contentType: string | undefined): SoapElement {
  const text = decode(bytes, contentType)
  if (/<!DOCTYPE/i.test(text)) throw new ProtocolError('xml', 'the ACS sent a document type')
  const problem = markupProblem(text)
  if (problem !== undefined) throw new ProtocolError('xml', `the ACS sent no XML: ${problem}`)
  const roots = parse(text).filter(isElement)
  const [root] = roots
  if (root === undefined || roots.length > 1)
    throw new ProtocolError('xml', `the ACS sent ${roots.length} root elements`)
  return elementOf(root, new Map([['', '']]))
}

function decode(bytes: Uint8Array, contentType: string | undefined): string {
  const charset = /charset\s*=\s*["']?([\w.:-]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8'
  if (!/^utf-?8$/i.test(charset)) throw new ProtocolError('charset', `the ACS answered in ${charset}`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new ProtocolError('charset', 'the ACS sent bytes that are not UTF-8', { cause })
  }
}

function parse(text: string): (MarkupElement | MarkupText)[] {
  try {
    return parseMarkup(text)
  } catch (cause) {
    throw new ProtocolError('xml', `the ACS sent no XML: ${errorText(cause)}`, { cause })
  }
}

function isElement(part: MarkupElement | MarkupText): part is MarkupElement {
  return 'name' in part
}

function elementOf(given: MarkupElement, outer: Scope): SoapElement {
  const scope = new Map(outer)
  for (const [name, value] of given.attributes)
    if (name === 'xmlns' || name.startsWith('xmlns:')) scope.set(name.slice(6), resolve(value))
  const attributes = new Map<string, string>()
  for (const [name, value] of given.attributes) {
    if (name === 'xmlns' || name.startsWith('xmlns:')) continue
    // An attribute without prefix is in no namespace (Namespaces in XML 6.2).
    if (name.includes(':')) qualified(name, scope)
    attributes.set(localOf(name), resolve(value))
  }
  const children: SoapElement[] = []
  let text = ''
  for (const part of given.content) {
    if (isElement(part)) children.push(elementOf(part, scope))
    else text += part.literal ? part.text : resolve(part.text)
  }
  // The value of xsi:type is a name of its own.
  const type = attributes.get('type')
  if (type?.includes(':') === true) qualified(type, scope)
  return { name: localOf(given.name), uri: qualified(given.name, scope), attributes, children, text }
}

/** Returns the namespace of a qualified name. */
function qualified(name: string, scope: Scope): string {
  const prefix = name.includes(':') ? name.slice(0, name.indexOf(':')) : ''
  const uri = prefix === 'xml' ? 'http://www.w3.org/XML/1998/namespace' : scope.get(prefix)
  if (uri === undefined) throw new ProtocolError('xml', `the ACS uses the prefix ${prefix} without a declaration`)
  return uri
}

/** Returns a name without its prefix. */
export function localOf(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** Resolves character references and the five entities of XML 1.0 4.6. */
function resolve(text: string): string {
  return text.replace(/&([^;\s]*);?/g, (all, name: string) => {
    const number = /^#(?:x([0-9A-Fa-f]{1,6})|(\d{1,7}))$/.exec(name)
    const code = number?.[1] === undefined ? Number(number?.[2]) : Number.parseInt(number[1], 16)
    const value = number === null ? NAMED[name] : code <= 0x10ffff ? String.fromCodePoint(code) : undefined
    if (value === undefined || !all.endsWith(';'))
      throw new ProtocolError('xml', `the ACS sent the reference ${all.slice(0, 32)}`)
    return value
  })
}
