import { SaxesParser, type SaxesTagNS } from 'saxes'
import { ProtocolError } from '../../base/index.ts'
import { type Element, pathOf, type XmlLimits } from './element.ts'

const NO_ATTRIBUTES: Readonly<Record<string, string>> = Object.freeze({})
/** Most elements have none: what each of them costs is kept low. */
const NO_CHILDREN: readonly Element[] = Object.freeze([])

/**
 * Reads well-formed XML 1.0 without DTD and without entities of its own, piece by piece, into a tree. Everything is
 * counted while it arrives: a document over a limit is dropped there, not at its end.
 */
export class StrictReader {
  readonly #limits: XmlLimits
  readonly #parser = new SaxesParser({ xmlns: true })
  readonly #stack: Element[] = []
  /** The children of each element of the stack, once there are any. */
  readonly #lists: (Element[] | undefined)[] = []
  #root: Element | undefined
  #elements = 0
  #attributes = 0
  /** Characters since the parser last reported anything. */
  #run = 0
  /** A carriage return at the end of a piece; the next one may begin with the rest of the line end. */
  #return = ''

  constructor(limits: XmlLimits) {
    this.#limits = limits
    const parser = this.#parser
    parser.on('doctype', () => this.#refuse('xmlForbidden', 'a DOCTYPE is not accepted'))
    parser.on('error', (error) => this.#refuse('xml', error.message.replace(/\.$/, '')))
    parser.on('opentagstart', () => {
      this.#run = 0
      this.#attributes = 0
    })
    parser.on('attribute', () => {
      this.#run = 0
      const { maxAttributes } = limits
      if (++this.#attributes > maxAttributes) this.#refuse('xmlTooLarge', `more than ${maxAttributes} attributes`)
    })
    parser.on('opentag', (tag) => this.#open(tag))
    parser.on('closetag', () => {
      this.#stack.pop()
      this.#lists.pop()
    })
    const addText = (chunk: string) => {
      this.#run = 0
      const top = this.#stack[this.#stack.length - 1]
      if (top !== undefined) top.text += chunk
    }
    parser.on('comment', () => {
      this.#run = 0
    })
    parser.on('text', addText)
    parser.on('cdata', addText)
  }

  /** Number of elements so far. */
  get elements(): number {
    return this.#elements
  }

  /** Takes the next piece of text. Throws ProtocolError `xml`, `xmlForbidden`, `xmlTooDeep` or `xmlTooLarge`. */
  write(text: string): void {
    this.#run += text.length
    this.#parser.write(this.#withLineEnds(text))
    const { maxText } = this.#limits
    if (this.#run > maxText) this.#refuse('xmlTooLarge', `a text of more than ${maxText} characters`)
  }

  /** The root, when the document is whole. Throws like `write`. */
  end(): Element {
    this.#parser.write(this.#return).close()
    return this.#root ?? this.#refuse('xml', 'there is no element')
  }

  /**
   * Returns text with its line ends as one character each (XML 1.0, 2.11). The parser would do so, too, but it makes a
   * rope with two nodes per carriage return, which is slow to collect.
   */
  #withLineEnds(piece: string): string {
    const text = this.#return + piece
    this.#return = text.endsWith('\r') ? '\r' : ''
    if (!text.includes('\r')) return text
    return text.slice(0, text.length - this.#return.length).replace(/\r\n?/g, () => '\n')
  }

  #open(tag: SaxesTagNS): void {
    const { maxElements, maxDepth } = this.#limits
    if (++this.#elements > maxElements) this.#refuse('xmlTooLarge', `more than ${maxElements} elements`)
    if (this.#stack.length >= maxDepth) this.#refuse('xmlTooDeep', `deeper than ${maxDepth} elements`)
    const attributes = this.#attributes === 0 ? NO_ATTRIBUTES : attributesOf(tag)
    const element: Element = { name: tag.local, uri: tag.uri, attributes, children: NO_CHILDREN, text: '' }
    const parent = this.#stack[this.#stack.length - 1]
    if (parent === undefined) this.#root ??= element
    else this.#append(parent, element)
    this.#stack.push(element)
    this.#lists.push(undefined)
  }

  #append(parent: Element, element: Element): void {
    const top = this.#lists.length - 1
    const list = this.#lists[top]
    if (list !== undefined) list.push(element)
    else {
      const first = [element]
      this.#lists[top] = first
      parent.children = first
    }
  }

  #refuse(code: string, why: string): never {
    const { line, column } = this.#parser
    const path = pathOf(this.#stack)
    const place = `line ${line}, column ${column}${path === '' ? '' : ` in ${path}`}`
    throw new ProtocolError(code, `${why} (${place})`, { context: { line, column, path } })
  }
}

/** The attributes by local name, without the declarations of namespaces. */
function attributesOf({ attributes }: SaxesTagNS): Readonly<Record<string, string>> {
  let out: Record<string, string> | undefined
  for (const key in attributes) {
    const attribute = attributes[key]
    if (attribute === undefined || attribute.prefix === 'xmlns' || attribute.name === 'xmlns') continue
    out ??= {}
    out[attribute.local] = attribute.value
  }
  return out ?? NO_ATTRIBUTES
}
