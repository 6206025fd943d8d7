import { isUtf8 } from 'node:buffer'
import { RouterOsError } from '../router-os-error.ts'

/** Bounds of what is read of one router. */
export interface SentenceLimits {
  /** Bytes of one word. */
  wordBytes: number
  /** Bytes of all words of one sentence. */
  sentenceBytes: number
  /** Words of one sentence. */
  words: number
}

/** A sentence and the bytes that its words had. */
interface Sentence {
  words: string[]
  bytes: number
}

const FIRST_CAPACITY = 4096
const NOTHING: Buffer = Buffer.alloc(0)
const END = Buffer.from([0])
const WINDOWS_1252 = new TextDecoder('windows-1252')

/**
 * Returns the bytes of one sentence: each word in UTF-8 after its length, and a word of length 0 at the end (RouterOS
 * manual, API, protocol). Words are not empty.
 */
export function encodeSentence(words: readonly string[]): Buffer {
  const parts = words.flatMap((word) => {
    const bytes = Buffer.from(word, 'utf8')
    return [encodeLength(bytes.length), bytes]
  })
  return Buffer.concat([...parts, END])
}

/** Returns the length of a word in 1 to 4 bytes; RangeError for what routers do not read. */
export function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  if (length < 0x4000) return Buffer.from([0x80 | (length >>> 8), length & 0xff])
  if (length < 0x200000) return Buffer.from([0xc0 | (length >>> 16), (length >>> 8) & 0xff, length & 0xff])
  if (length < 0x10000000)
    return Buffer.from([0xe0 | (length >>> 24), (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff])
  throw new RangeError('a word of this length cannot be sent')
}

/**
 * Makes sentences of the bytes of a router, however they are cut. An incomplete one waits, within the bounds. A text
 * that is no UTF-8 is read as windows-1252, in which older WinBox stored it.
 */
export class SentenceReader {
  private limits: SentenceLimits
  private buffer: Buffer = NOTHING
  private start = 0
  private end = 0
  private words: string[] = []
  private bytes = 0

  constructor(limits: SentenceLimits) {
    this.limits = limits
  }

  /** Puts other bounds in force, from the next word on. */
  setLimits(limits: SentenceLimits): void {
    this.limits = limits
  }

  /** Returns the sentences that these bytes complete; empty ones are left out. RouterOsError `protocol`. */
  *push(chunk: Buffer): Generator<Sentence> {
    this.append(chunk)
    for (let word = this.word(); word !== undefined; word = this.word()) {
      if (word.length > 0) {
        this.bytes += word.length
        if (this.bytes > this.limits.sentenceBytes || this.words.length >= this.limits.words)
          throw broken('a sentence that is too long')
        this.words.push(isUtf8(word) ? word.toString('utf8') : WINDOWS_1252.decode(word))
      } else if (this.words.length > 0) {
        const sentence = { words: this.words, bytes: this.bytes }
        this.words = []
        this.bytes = 0
        yield sentence
      }
    }
    if (this.start === this.end) this.buffer = NOTHING
  }

  private append(chunk: Buffer): void {
    if (this.start === this.end) {
      this.buffer = chunk
      this.start = 0
      this.end = chunk.length
      return
    }
    const left = this.end - this.start
    if (this.end + chunk.length > this.buffer.length) {
      const next = Buffer.allocUnsafeSlow(Math.max(FIRST_CAPACITY, 2 * (left + chunk.length)))
      this.buffer.copy(next, 0, this.start, this.end)
      this.buffer = next
      this.start = 0
      this.end = left
    }
    chunk.copy(this.buffer, this.end)
    this.end += chunk.length
  }

  /** The next word, or undefined until it is complete. */
  private word(): Buffer | undefined {
    const have = this.end - this.start
    if (have === 0) return undefined
    const first = this.buffer[this.start] ?? 0
    if (first >= 0xf0) throw broken(first >= 0xf8 ? 'a reserved control byte' : 'a word that is too long')
    const head = first < 0x80 ? 1 : first < 0xc0 ? 2 : first < 0xe0 ? 3 : 4
    if (have < head) return undefined
    let length = head === 1 ? first : first & (0xff >>> head)
    for (let i = 1; i < head; i++) length = length * 256 + (this.buffer[this.start + i] ?? 0)
    if (length > this.limits.wordBytes) throw broken('a word that is too long')
    if (have < head + length) return undefined
    const from = this.start + head
    this.start = from + length
    return this.buffer.subarray(from, this.start)
  }
}

function broken(what: string): RouterOsError {
  return new RouterOsError('protocol', `the router sent ${what}; the connection was closed`)
}
