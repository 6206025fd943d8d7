import { isObject } from '../base/index.ts'

/** Bytes of a payload: lists of a bridge have 500 items at most. */
export const MAX_PAYLOAD = 262_144
/** Objects and lists within each other: those of a bridge have three. */
const MAX_DEPTH = 8
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

/** The reasons for which a message is refused; they are the labels of a metric. */
export type RefusalReason =
  | 'tooLarge'
  | 'malformed'
  | 'tooOld'
  | 'inFuture'
  | 'retained'
  | 'tooMany'
  | 'unknownRouter'
  | 'notBound'
  | 'otherIdentity'
  | 'notKept'

/** A message that is refused. Its text never has a part of the payload. */
export class RefusedMessage extends Error {
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, text: string) {
    super(text)
    this.reason = reason
  }
}

/** An object of a payload, whose fields are not checked yet. */
export type Fields = Readonly<Record<string, unknown>>

/** Returns the object of a payload; RefusedMessage for one that is too large, too deep, or no JSON object in UTF-8. */
export function readPayload(payload: Buffer): Fields {
  if (payload.length > MAX_PAYLOAD)
    throw new RefusedMessage('tooLarge', `the payload is larger than ${MAX_PAYLOAD} bytes`)
  let value: unknown
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(payload)
    if (depthOf(text) > MAX_DEPTH) throw new RefusedMessage('malformed', `the payload is deeper than ${MAX_DEPTH}`)
    value = JSON.parse(text)
  } catch (error) {
    if (error instanceof RefusedMessage) throw error
    throw new RefusedMessage('malformed', 'the payload is no JSON in UTF-8')
  }
  const fields = fieldsOf(value)
  if (fields === undefined) throw new RefusedMessage('malformed', 'the payload is no object')
  return fields
}

/** Returns an object as its fields; undefined for anything else. */
export function fieldsOf(value: unknown): Fields | undefined {
  return isObject(value) ? value : undefined
}

/** Returns a text of Unicode of at most so many characters, without control characters; undefined for anything else. */
export function textIn(value: unknown, max: number, pattern = /^/): string | undefined {
  return typeof value === 'string' && value.length <= max && !/\p{Cc}|\p{Surrogate}/u.test(value) && pattern.test(value)
    ? value
    : undefined
}

/** The ages of messages that are taken, in milliseconds. */
interface TimeBounds {
  maxAgeMs: number
  maxAheadMs: number
}

/**
 * Returns the time of a message (RFC 3339) in milliseconds; one that is a little in the future is `now`. RefusedMessage
 * for one without a time, and for a time out of bounds: a bridge whose clock is wrong is refused.
 */
export function timeOf({ ts }: Fields, now: number, { maxAgeMs, maxAheadMs }: TimeBounds): number {
  const at = typeof ts === 'string' && TIME.test(ts) ? Date.parse(ts) : Number.NaN
  if (Number.isNaN(at)) throw new RefusedMessage('malformed', 'ts is no time of RFC 3339')
  if (at - now > maxAheadMs) throw new RefusedMessage('inFuture', 'ts is in the future: set the clock of the bridge')
  if (now - at > maxAgeMs) throw new RefusedMessage('tooOld', 'ts is too old: see the clock of the bridge')
  return Math.min(at, now)
}

/** The depth of objects and lists in a text of JSON, before it is parsed. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let isInText = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (isInText) {
      if (char === '\\') i++
      else if (char === '"') isInText = false
    } else if (char === '"') isInText = true
    else if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth)
    else if (char === '}' || char === ']') depth--
  }
  return deepest
}
