import type { MessageType } from './protobuf.ts'

/** Wire types of Protocol Buffers. */
const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5]

/**
 * Returns true when a message has more than `max` fields, those of its embedded messages included. Decoding takes time
 * and memory by their number, and two bytes are enough for one; looking at them takes little, and ends at the first one
 * too many. Bytes that are no message are left to the decoder.
 */
export function hasMoreFields(type: MessageType, bytes: Uint8Array, max: number): boolean {
  // A field takes one byte at least: nearly no message is long enough to be counted.
  return bytes.length > max && new FieldCount(bytes, max).isExceededBy(type, 0, bytes.length)
}

class FieldCount {
  readonly #bytes: Uint8Array
  #left: number
  #at = 0

  constructor(bytes: Uint8Array, max: number) {
    this.#bytes = bytes
    this.#left = max
  }

  /** `type` is undefined where the fields of an embedded message are of no interest, but their number is. */
  isExceededBy(type: MessageType | undefined, begin: number, end: number): boolean {
    this.#at = begin
    while (this.#at < end) {
      if (--this.#left < 0) return true
      const tag = this.#varint()
      const wireType = tag & 7
      if (wireType === VARINT) this.#varint()
      else if (wireType === FIXED64) this.#at += 8
      else if (wireType === FIXED32) this.#at += 4
      else if (wireType === BYTES) {
        const length = this.#varint()
        const next = Math.min(this.#at + length, end)
        const field = type?.fieldsById[tag >>> 3]
        const embedded = field?.resolvedType
        if (embedded !== undefined && embedded !== null && 'fieldsById' in embedded) {
          if (this.isExceededBy(embedded, this.#at, next)) return true
        } else if (field?.map === true && this.isExceededBy(undefined, this.#at, next)) return true
        this.#at = next
      }
    }
    return false
  }

  #varint(): number {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at++] ?? 0
      if (shift < 28) value |= (byte & 127) << shift
      else if (shift === 28) value += (byte & 15) * 2 ** 28
      if (byte < 128) break
    }
    return value >>> 0
  }
}
