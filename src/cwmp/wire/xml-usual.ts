import type { Work } from '../../base/index.ts'
import type { Element, XmlLimits } from './element.ts'
import { SLICE } from './text.ts'

const NO_ATTRIBUTES: Readonly<Record<string, string>> = Object.freeze({})
const NO_CHILDREN: readonly Element[] = Object.freeze([])

/** Longest document that is read here, in bytes; it is decoded in one go. */
export const MAX_USUAL = 1_048_576

const DECLARATION =
  /^\s*(?:<\?xml version=(["'])1\.0\1(?: encoding=(["'])[A-Za-z][A-Za-z0-9._-]*\2)?(?: standalone=(["'])(?:yes|no)\3)? ?\?>)?/
/** Elements that declare namespaces; each of them costs more than others. */
const MAX_DECLARING = 256
/** Characters that need the whole of XML: forbidden ones, and pairs of surrogates, which are counted as one. */
const UNUSUAL = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]|\]\]>/
/** Line ends, and references to what XML itself names. */
const REPLACED = /\r\n?|&(?:(amp|lt|gt|quot|apos);)?/g
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
/** Namespaces that may be bound to no other prefix than their own. */
const RESERVED = /^(|http:\/\/www\.w3\.org\/(XML\/1998\/namespace|2000\/xmlns\/))$/

const LESS = 0x3c
const MORE = 0x3e
const SLASH = 0x2f
const COLON = 0x3a
const EQUALS = 0x3d
const QUOTE = 0x22
const APOSTROPHE = 0x27

/** Namespaces by prefix; those of the elements around are its prototypes. */
type Scope = Readonly<Record<string, string>>
const NO_NAMESPACES: Scope = Object.freeze(Object.create(null))

/** The end of a start tag, and its content. */
interface StartTag {
  end: number
  isEmpty: boolean
  attributes: Readonly<Record<string, string>>
  scope: Scope
}

/** A start tag without declarations, as it was read before in the same scope. */
interface KnownTag {
  /** Its name as written, and its parts. */
  name: string
  local: string
  uri: string
  tag: StartTag
  /** Characters from its name to its end. */
  length: number
}

/** Start tags that are remembered, and the characters of one at most: those of a list come again and again. */
const MAX_KNOWN = 64
const MAX_KNOWN_LENGTH = 128

/** Kinds of ASCII characters: 1 begins a name, 2 goes on in one, 4 is white space. */
const KINDS = new Uint8Array(128)
for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code)
  if (/[A-Za-z_]/.test(char)) KINDS[code] = 3
  else if (/[0-9.-]/.test(char)) KINDS[code] = 2
  else if (/[ \t\r\n]/.test(char)) KINDS[code] = 4
}

/**
 * Reads the XML that nearly all CPE send: elements with names of ASCII letters, attributes in quotes, text with the
 * five references of XML 1.0 (4.6). Resolves to the same tree as `StrictReader`, several times as fast; undefined for
 * anything else, well-formed or not: comments, CDATA, other references, prefixes without a namespace, a document over a
 * limit. It yields the length of what it has just read: an element is read in one go, however long it is.
 */
export function* usualWork(text: string, limits: XmlLimits): Work<Element | undefined> {
  if (text.length > limits.maxText || UNUSUAL.test(text)) return undefined
  const reader = new UsualReader(text, limits)
  for (let done = 0; ; ) {
    const at = reader.read(done + SLICE)
    if (at === undefined) return undefined
    yield at - done
    if (at === text.length) return reader.root
    done = at
  }
}

class UsualReader {
  /** The outermost element, once the document was read to its end. */
  root: Element | undefined
  readonly #text: string
  readonly #hasReturns: boolean
  readonly #limits: XmlLimits
  readonly #stack: Element[] = []
  /** The children of each element of the stack, once there are any. */
  readonly #lists: (Element[] | undefined)[] = []
  /** Their names as written, and the namespaces inside them. */
  readonly #names: string[] = []
  readonly #scopes: Scope[] = []
  /** Start tags by their text up to the first `>`, and the scope that they were read in. */
  readonly #known = new Map<string, KnownTag>()
  #knownIn: Scope | undefined
  #first: Element | undefined
  #elements = 0
  #declaring = 0
  #at: number

  constructor(text: string, limits: XmlLimits) {
    this.#text = text
    this.#hasReturns = text.includes('\r')
    this.#limits = limits
    this.#at = DECLARATION.exec(text)?.[0].length ?? 0
  }

  /**
   * Reads on to about this place. Returns the place that it came to, which is the length of the text once `root` is the
   * result; undefined for what belongs to the strict reader.
   */
  read(until: number): number | undefined {
    const text = this.#text
    while (this.#at < until) {
      const tag = text.indexOf('<', this.#at)
      if (tag < 0) return this.#end()
      if (tag > this.#at && !this.#addText(this.#at, tag)) return undefined
      const next = text.charCodeAt(tag + 1) === SLASH ? this.#close(tag + 2) : this.#open(tag + 1)
      if (next < 0) return undefined
      this.#at = next
    }
    return this.#at === text.length ? this.#end() : this.#at
  }

  #end(): number | undefined {
    const end = this.#text.length
    if (this.#stack.length > 0 || this.#first === undefined || !this.#isBlank(this.#at, end)) return undefined
    this.root = this.#first
    return end
  }

  /** False for what belongs to the strict reader. */
  #addText(from: number, to: number): boolean {
    const top = this.#stack[this.#stack.length - 1]
    if (top === undefined) return this.#isBlank(from, to)
    const text = textOf(this.#text.slice(from, to), this.#hasReturns)
    if (text === undefined) return false
    top.text = top.text === '' ? text : top.text + text
    return true
  }

  /** The place after an end tag, or -1. */
  #close(from: number): number {
    const name = this.#names.pop()
    if (name === undefined || !this.#text.startsWith(name, from)) return -1
    this.#stack.pop()
    this.#lists.pop()
    this.#scopes.pop()
    const end = this.#skipSpace(from + name.length)
    return this.#text.charCodeAt(end) === MORE ? end + 1 : -1
  }

  /** The place after a start tag, or -1. */
  #open(from: number): number {
    const { maxElements, maxDepth } = this.#limits
    const depth = this.#stack.length
    if (++this.#elements > maxElements || depth >= maxDepth || (depth === 0 && this.#first !== undefined)) return -1
    const known = this.#tagAt(from, this.#scopes[depth - 1] ?? NO_NAMESPACES)
    if (known === undefined || this.#declaring > MAX_DECLARING) return -1
    const { name, tag } = known
    const end = from + known.length
    const element: Element = {
      name: known.local,
      uri: known.uri,
      attributes: tag.attributes,
      children: NO_CHILDREN,
      text: '',
    }
    if (depth === 0) this.#first = element
    else this.#append(depth - 1, element)
    if (tag.isEmpty) return end
    this.#stack.push(element)
    this.#lists.push(undefined)
    this.#names.push(name)
    this.#scopes.push(tag.scope)
    return end
  }

  /** The start tag at a place; undefined for what belongs to the strict reader. */
  #tagAt(from: number, scope: Scope): KnownTag | undefined {
    const text = this.#text
    const close = text.indexOf('>', from)
    if (close < 0) return undefined
    const isShort = close - from <= MAX_KNOWN_LENGTH
    const raw = isShort ? text.slice(from, close) : ''
    if (isShort && scope === this.#knownIn) {
      const known = this.#known.get(raw)
      if (known !== undefined) return known
    }
    const nameEnd = this.#nameEnd(from)
    if (nameEnd < 0) return undefined
    const name = text.slice(from, nameEnd)
    const tag = this.#startTag(nameEnd, scope)
    if (tag === undefined) return undefined
    const colon = name.indexOf(':')
    const uri = colon < 0 ? (tag.scope[' '] ?? '') : tag.scope[name.slice(0, colon)]
    if (uri === undefined) return undefined
    const local = colon < 0 ? name : name.slice(colon + 1)
    const made: KnownTag = { name, local, uri, tag, length: tag.end - from }
    // One with a `>` in an attribute ends later, and one that declares a namespace is counted.
    if (isShort && tag.end === close + 1 && tag.scope === scope) this.#remember(raw, made, scope)
    return made
  }

  #remember(raw: string, tag: KnownTag, scope: Scope): void {
    if (this.#knownIn !== scope) {
      this.#knownIn = scope
      this.#known.clear()
    }
    if (this.#known.size < MAX_KNOWN) this.#known.set(raw, tag)
  }

  #append(top: number, element: Element): void {
    const list = this.#lists[top]
    if (list !== undefined) return void list.push(element)
    const first = [element]
    this.#lists[top] = first
    const parent = this.#stack[top]
    if (parent !== undefined) parent.children = first
  }

  /** The rest of a start tag after its name; undefined for what belongs to the strict reader. */
  #startTag(from: number, outer: Scope): StartTag | undefined {
    const text = this.#text
    let attributes: Record<string, string> | undefined
    let scope: Record<string, string> | undefined
    let prefixes: string[] | undefined
    let at = from
    for (let count = 0; ; count++) {
      const start = this.#skipSpace(at)
      const code = text.charCodeAt(start)
      const isEmpty = code === SLASH && text.charCodeAt(start + 1) === MORE
      if (isEmpty || code === MORE) {
        const inner = scope ?? outer
        // A prefix may be declared by a later attribute of the same tag.
        if (prefixes?.some((prefix) => inner[prefix] === undefined) === true) return undefined
        return { end: start + (isEmpty ? 2 : 1), isEmpty, attributes: attributes ?? NO_ATTRIBUTES, scope: inner }
      }
      const nameEnd = this.#nameEnd(start)
      if (start === at || nameEnd < 0 || count >= this.#limits.maxAttributes) return undefined
      const name = text.slice(start, nameEnd)
      const value = this.#valueAt(nameEnd)
      if (value === undefined) return undefined
      at = nameEnd + value.length + 3
      const colon = name.indexOf(':')
      const prefix = colon < 0 ? '' : name.slice(0, colon)
      if (name === 'xmlns' || prefix === 'xmlns') {
        // The default namespace stands under a key that no prefix can be.
        const key = name === 'xmlns' ? ' ' : name.slice(6)
        if (/^xml/i.test(key) || RESERVED.test(value) || value.trim() !== value) return undefined
        const own: Record<string, string> = scope ?? Object.create(outer)
        if (Object.hasOwn(own, key)) return undefined
        own[key] = value
        if (scope === undefined) this.#declaring++
        scope = own
        continue
      }
      if (prefix !== '') {
        prefixes ??= []
        prefixes.push(prefix)
      }
      const local = colon < 0 ? name : name.slice(colon + 1)
      attributes ??= {}
      if (local === '__proto__' || Object.hasOwn(attributes, local)) return undefined
      attributes[local] = value
    }
  }

  /** The value after the name of an attribute, which begins with `="` or `='`; undefined for any other. */
  #valueAt(at: number): string | undefined {
    const text = this.#text
    const quote = text.charCodeAt(at + 1)
    if (text.charCodeAt(at) !== EQUALS || (quote !== QUOTE && quote !== APOSTROPHE)) return undefined
    for (let end = at + 2; end < text.length; end++) {
      const code = text.charCodeAt(end)
      if (code === quote) return text.slice(at + 2, end)
      // References, and white space that is normalized (XML 1.0, 3.3.3).
      if (code === LESS || code === 0x26 || code < 0x20) return undefined
    }
    return undefined
  }

  /** The end of a name with one prefix at most; -1 where there is none. */
  #nameEnd(from: number): number {
    const text = this.#text
    let colon = -1
    let end = from
    let isBeginning = true
    for (; ; end++) {
      const code = text.charCodeAt(end)
      if (code === COLON && !isBeginning && colon < 0) {
        colon = end
        isBeginning = true
        continue
      }
      const kind = KINDS[code] ?? 0
      if ((kind & (isBeginning ? 1 : 2)) === 0) break
      isBeginning = false
    }
    return isBeginning || text.charCodeAt(end) === COLON ? -1 : end
  }

  #skipSpace(from: number): number {
    let at = from
    while (KINDS[this.#text.charCodeAt(at)] === 4) at++
    return at
  }

  #isBlank(from: number, to: number): boolean {
    return this.#skipSpace(from) >= to
  }
}

/**
 * Returns text with its references resolved and its line ends as one character each (XML 1.0, 2.11); undefined when
 * there is another reference than the five of XML itself, or more to be replaced than a portion may hold.
 */
function textOf(raw: string, mayHaveReturns: boolean): string | undefined {
  if (!raw.includes('&') && !(mayHaveReturns && raw.includes('\r'))) return raw
  if (raw.length > SLICE) return undefined
  let isKnown = true
  // A function, also for line ends: of a string, V8 makes a rope with a node per match, which is slow to collect.
  const text = raw.replace(REPLACED, (all, name: string | undefined) => {
    if (all.startsWith('\r')) return '\n'
    if (name === undefined) isKnown = false
    return NAMED[name ?? ''] ?? ''
  })
  return isKnown ? text : undefined
}
