import { ProtocolError, type Work } from '../../base/index.ts'
import { type Element, XML_LIMITS, type XmlLimits } from './element.ts'
import { decoderOf, SLICE } from './text.ts'
import { MAX_LENIENT, readLeniently } from './xml-lenient.ts'
import { StrictReader } from './xml-strict.ts'
import { MAX_USUAL, usualWork } from './xml-usual.ts'

/** A parsed document, and whether it was read although it is not well-formed. */
interface ParsedXml {
  root: Element
  repaired: boolean
}

/**
 * Reads the bytes of a message as XML 1.0 without DTD and without entities of its own, in portions. Text
 * that the reader of usual documents does not know is read by the strict one. A text that is not well-formed is read
 * once more by the lenient reader when it is short. ProtocolError `xml`, `xmlForbidden`, `xmlTooDeep`, `xmlTooLarge` or
 * `charset` with the reason and the place.
 */
export function* parseXml(bytes: Uint8Array, contentType?: string, limits: XmlLimits = XML_LIMITS): Work<ParsedXml> {
  try {
    const usual = bytes.length > MAX_USUAL ? undefined : yield* readUsual(bytes, contentType, limits)
    if (usual !== undefined) return { root: usual, repaired: false }
    return { root: yield* readStrictly(bytes, contentType, limits), repaired: false }
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== 'xml' || bytes.length > MAX_LENIENT) throw error
    yield bytes.length
    return { root: readAnyway(bytes, contentType, limits, error), repaired: true }
  }
}

/** Reads the XML that nearly all CPE send, in a faster way; undefined for the rest. */
function* readUsual(bytes: Uint8Array, contentType: string | undefined, limits: XmlLimits): Work<Element | undefined> {
  // All of it is decoded and looked through before the first element is read.
  yield bytes.length
  return yield* usualWork(decoderOf(bytes, contentType).decode(bytes), limits)
}

function* readStrictly(bytes: Uint8Array, contentType: string | undefined, limits: XmlLimits): Work<Element> {
  const decoder = decoderOf(bytes, contentType)
  const reader = new StrictReader(limits)
  let hasBegun = false
  for (let at = 0; at < bytes.length; at += SLICE) {
    const slice = bytes.subarray(at, at + SLICE)
    yield slice.length
    const text = decoder.decode(slice, { stream: true })
    // White space before the XML declaration is no harm, but XML 1.0 forbids it.
    const piece = hasBegun ? text : text.trimStart()
    if (piece === '') continue
    hasBegun = true
    reader.write(piece)
  }
  reader.write(decoder.decode())
  return reader.end()
}

/** Reads leniently; throws the error of the strict reader when both fail, because that one names the place. */
function readAnyway(
  bytes: Uint8Array,
  contentType: string | undefined,
  limits: XmlLimits,
  strict: ProtocolError,
): Element {
  try {
    return readLeniently(decoderOf(bytes, contentType).decode(bytes), limits)
  } catch (error) {
    throw error instanceof ProtocolError && error.code === 'xml' ? strict : error
  }
}
