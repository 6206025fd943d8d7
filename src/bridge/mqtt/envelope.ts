import { BadPayload, object, readFields, text, time } from './fields.ts'

/** The frame of a command: all of its payload but the verb, which is in the topic. */
export interface Envelope {
  /** A UUID in small letters: never used twice. */
  readonly id: string
  /** Milliseconds at which it was sent, and at which it is of no use any more. */
  readonly sentAt: number
  readonly expiresAt: number | undefined
  /** Arguments, not read yet. */
  readonly args: object
  /** The token of a command that destroys something; empty without one. */
  readonly confirm: string
}

/** Bytes of the payload of a command. */
const MAX_COMMAND = 16_384

const UUID = text(36, 36, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)

/** A payload that is refused, with its id where that can be read. */
export class BadEnvelope extends Error {
  readonly id: string | undefined

  constructor(message: string, id: string | undefined) {
    super(message)
    this.id = id
  }
}

/** Returns the frame of the payload of a command; BadEnvelope. */
export function readEnvelope(payload: Buffer): Envelope {
  if (payload.length > MAX_COMMAND) throw new BadEnvelope(`the payload is larger than ${MAX_COMMAND} bytes`, undefined)
  const value = jsonOf(payload)
  const given = object.read(value)
  const id = given !== undefined && 'id' in given ? UUID.read(given.id)?.toLowerCase() : undefined
  try {
    const { ts, expires, args, confirm } = readFields(
      value,
      { id: UUID, ts: time },
      { expires: time, args: object, confirm: text(1, 64, /^[\w.-]+$/) },
    )
    return { id: id ?? '', sentAt: ts, expiresAt: expires, args: args ?? {}, confirm: confirm ?? '' }
  } catch (error) {
    if (!(error instanceof BadPayload)) throw error
    throw new BadEnvelope(`the payload ${error.message}`, id)
  }
}

function jsonOf(payload: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch {
    throw new BadEnvelope('the payload is no JSON in UTF-8', undefined)
  }
}
