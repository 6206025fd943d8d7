import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { RouterFaults } from '../basis/faults.ts'
import { encodeSentence, lengthPrefix } from './words.ts'

/** Milliseconds between two writes that must not arrive as one. */
const APART_MS = 1

/** The sending side of one connection: sentences as bytes, cut as the faults of the router say. */
export class Outlet {
  readonly #socket: Socket
  readonly #faults: RouterFaults
  #sent = 0
  #pieces: Buffer[] = []
  #isPacing = false
  #isOver = false
  #isCorked = false

  constructor(socket: Socket, faults: RouterFaults) {
    this.#socket = socket
    this.#faults = faults
  }

  send(words: readonly string[]): void {
    if (this.#isOver) return
    const bytes = encodeSentence(words)
    const { cut, delivery } = this.#faults
    if (cut !== undefined && ++this.#sent === cut.sentence) this.#cut(bytes, cut.by)
    else if (delivery === undefined || delivery === 'whole') this.#write(bytes)
    else this.#pace(piecesOf(words, bytes, delivery))
  }

  /** Sends all that is left and ends the connection. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (!this.#isPacing) this.#socket.end()
  }

  /** Ends the connection at once; `rst`: without a farewell. */
  drop(by: 'fin' | 'rst'): void {
    this.#isOver = true
    this.#pieces = []
    this.#finish(by)
  }

  /** Nothing leaves from here on, and the connection stays. */
  mute(): void {
    this.#isOver = true
    this.#pieces = []
  }

  #cut(bytes: Buffer, by: 'fin' | 'rst'): void {
    this.#isOver = true
    this.#socket.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => this.#finish(by))
  }

  /** A connection with TLS over it cannot be reset; it is closed without a farewell of TLS. */
  #finish(by: 'fin' | 'rst'): void {
    if (by === 'fin') this.#socket.end()
    else if (this.#socket instanceof TLSSocket) this.#socket.destroy()
    else this.#socket.resetAndDestroy()
  }

  /** All sentences of one turn of the event loop leave together. */
  #write(bytes: Buffer): void {
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#socket.cork()
      setImmediate(() => {
        this.#isCorked = false
        this.#socket.uncork()
      })
    }
    this.#socket.write(bytes)
  }

  #pace(pieces: Buffer[]): void {
    this.#pieces.push(...pieces)
    if (!this.#isPacing) this.#next()
  }

  #next(): void {
    const piece = this.#pieces.shift()
    this.#isPacing = piece !== undefined
    if (piece !== undefined) this.#socket.write(piece, () => setTimeout(() => this.#next(), APART_MS).unref())
    else if (this.#isOver) this.#socket.end()
  }
}

function piecesOf(words: readonly string[], bytes: Buffer, delivery: 'bytes' | 'splitLength' | 'splitEnd'): Buffer[] {
  if (delivery === 'bytes') return [...bytes].map((byte) => Buffer.from([byte]))
  if (delivery === 'splitEnd') return [bytes.subarray(0, -1), bytes.subarray(-1)]
  const pieces: Buffer[] = []
  let from = 0
  let at = 0
  for (const word of words) {
    const length = Buffer.byteLength(word)
    const header = lengthPrefix(length).length
    if (header > 1) {
      pieces.push(bytes.subarray(from, at + 1))
      from = at + 1
    }
    at += header + length
  }
  return [...pieces, bytes.subarray(from)]
}
