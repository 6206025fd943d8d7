/** An element without its namespace prefix: CPE use any prefix and any default namespace, so only names count. */
export interface Element {
  name: string
  /** The namespace URI the element is in, '' for none. */
  uri: string
  attributes: Readonly<Record<string, string>>
  children: readonly Element[]
  /** Text directly inside, as written. */
  text: string
}

/** Limits of a document; beyond them decoding stops at once with a ProtocolError. */
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
