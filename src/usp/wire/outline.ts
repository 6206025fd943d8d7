import { Reader } from './protobuf.ts'

/** Facts of a Message that its beginning shows, also where the Message itself is not decoded. */
interface Outline {
  /** '' where there is none. */
  msgId: string
  /** The member of the Body; undefined where there is none, or one that nobody knows. */
  kind: 'request' | 'response' | 'error' | undefined
  /** False when that member has a member of its own, which may be one that nobody knows. */
  isEmpty: boolean
}

/** Fields of one message that are looked at: Header, Body and their members are among the first ones. */
const MAX_LOOKED_AT = 16
const MAX_MSG_ID = 256
const KINDS = { 1: 'request', 2: 'response', 3: 'error' } as const

/** Returns the outline of a Message. It takes the same little time for any bytes, and never throws. */
export function outlineOf(bytes: Uint8Array): Outline {
  const outline: Outline = { msgId: '', kind: undefined, isEmpty: true }
  for (const part of fieldsOf(bytes)) {
    if (part.id === 1) {
      const msgId = fieldsOf(part.bytes).find(({ id }) => id === 1)?.bytes
      if (msgId !== undefined && msgId.length <= MAX_MSG_ID) outline.msgId = Buffer.from(msgId).toString('utf8')
    } else if (part.id === 2) {
      const member = fieldsOf(part.bytes).find(({ id }) => id in KINDS)
      if (member === undefined) continue
      outline.kind = KINDS[member.id as keyof typeof KINDS]
      outline.isEmpty = member.bytes.length === 0
    }
  }
  return outline
}

/** Returns the first fields of a message that have a length; the bytes of each are not copied. */
function fieldsOf(bytes: Uint8Array): { id: number; bytes: Uint8Array }[] {
  const fields: { id: number; bytes: Uint8Array }[] = []
  const reader = Reader.create(bytes)
  try {
    for (let n = 0; n < MAX_LOOKED_AT && reader.pos < reader.len; n++) {
      const tag = reader.uint32()
      const wireType = tag & 7
      if (wireType === 2) fields.push({ id: tag >>> 3, bytes: reader.bytes() })
      // A group may have any number of others in it.
      else if (wireType === 3 || wireType === 4) break
      else reader.skipType(wireType)
    }
  } catch {
    // A message that was cut or is none: the fields before are its outline.
  }
  return fields
}
