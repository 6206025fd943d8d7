/** An element with its namespace prefix taken off: field boxes use any prefix and any default namespace, so names count, prefixes do not. */
export interface Element {
  name: string
  /** The namespace URI the element is in, '' for none. */
  uri: string
  attributes: Readonly<Record<string, string>>
  children: readonly Element[]
  /** Text directly inside, as written. */
  text: string
}

/** What a document may use up; beyond it decoding stops at once with a ProtocolError. */
export interface XmlLimits {
  maxDepth: number
  maxElements: number
  /** Of one element, declarations of namespaces included. */
  maxAttributes: number
  /** Characters between two marks: of one text, attribute, comment or name. */
  maxText: number
}

/** Elements for some 60,000 parameters; no tree of a CPE has a third of them. */
export const XML_LIMITS: XmlLimits = { maxDepth: 32, maxElements: 200_000, maxAttributes: 64, maxText: 1_048_576 }

/** Elements open at the moment, outermost first, as `Envelope/Body/Inform`. */
export function pathOf(stack: readonly Element[]): string {
  return stack.map((element) => element.name.slice(0, 64)).join('/')
}
