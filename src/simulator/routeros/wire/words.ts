/** A peer broke the framing of the API, or a bound on it; the connection ends. */
class FramingError extends Error {}

/** Bounds of one sentence, in bytes. */
interface SentenceBounds {
  word: number
  sentence: number
}

/** Control bytes that RouterOS reserves begin here. */
const RESERVED = 0xf8

/** Returns the length prefix of a word: one to four bytes, the longer ones marked by their first bits. */
export function lengthPrefix(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  if (length < 0x4000) return Buffer.from([0x80 | (length >> 8), length & 0xff])
  if (length < 0x20_0000) return Buffer.from([0xc0 | (length >> 16), (length >> 8) & 0xff, length & 0xff])
  if (length < 0x1000_0000)
    return Buffer.from([0xe0 | (length >> 24), (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff])
  throw new FramingError(`a word of ${length} bytes has no prefix that a router takes`)
}

/** Returns the bytes of a sentence with the empty word at its end. */
export function encodeSentence(words: readonly string[]): Buffer {
  const parts: Buffer[] = []
  for (const word of words) {
    const bytes = Buffer.from(word)
    parts.push(lengthPrefix(bytes.length), bytes)
  }
  parts.push(Buffer.from([0]))
  return Buffer.concat(parts)
}

/** Reads sentences out of a stream of bytes, however it is cut. Empty sentences are passed over. */
export class SentenceReader {
  /** May be changed between two sentences: a router takes less before the login. */
  bounds: SentenceBounds
  #rest: Buffer = Buffer.alloc(0)
  #words: string[] = []
  #size = 0

  constructor(bounds: SentenceBounds) {
    this.bounds = bounds
  }

  /** Takes bytes in and returns the sentences that they complete; FramingError where the stream cannot go on. */
  *push(chunk: Buffer): Generator<string[]> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    for (;;) {
      const word = this.#word()
      if (word === undefined) return
      if (word.length > 0) this.#words.push(word.toString())
      else if (this.#words.length > 0) {
        const words = this.#words
        this.#words = []
        this.#size = 0
        yield words
      }
    }
  }

  /** The next word, or undefined while bytes of it are missing. */
  #word(): Buffer | undefined {
    const header = prefixAt(this.#rest)
    if (header === undefined) return undefined
    if (header.length > this.bounds.word) throw new FramingError(`a word of ${header.length} bytes is too long`)
    const end = header.bytes + header.length
    if (this.#size + end > this.bounds.sentence) throw new FramingError('a sentence is too long')
    if (this.#rest.length < end) return undefined
    const word = this.#rest.subarray(header.bytes, end)
    this.#rest = this.#rest.subarray(end)
    this.#size += end
    return word
  }
}

function prefixAt(bytes: Buffer): { bytes: number; length: number } | undefined {
  const first = bytes[0]
  if (first === undefined) return undefined
  if (first >= RESERVED) throw new FramingError(`0x${first.toString(16)} is a reserved control byte`)
  if (first >= 0xf0) throw new FramingError('a length of five bytes is not taken')
  const [size, mask] = first < 0x80 ? [1, 0x7f] : first < 0xc0 ? [2, 0x3f] : first < 0xe0 ? [3, 0x1f] : [4, 0x0f]
  if (bytes.length < size) return undefined
  let length = first & mask
  for (let i = 1; i < size; i++) length = length * 0x100 + (bytes[i] ?? 0)
  return { bytes: size, length }
}
