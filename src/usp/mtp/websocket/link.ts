import type { CloseReason, LinkEnd } from '../../../domain/index.ts'
import type { Link } from '../port/index.ts'
import type { WebSocket } from './ws.ts'

/**
 * Close codes of RFC 6455 and its registry: those that USP requires (R-WS.16), and the nearest one for each other
 * reason.
 */
const CODES: Readonly<Record<CloseReason, number>> = {
  policy: 1008,
  tryAgain: 1013,
  goingAway: 1001,
  unsupported: 1003,
  replaced: 1008,
  notAnswering: 1008,
  rolledBack: 1008,
}

/** Codes of a regular close by the Agent; 1005: its close frame has no code. */
const REGULAR = [1000, 1001, 1005]
/** The connection ended without a close frame. */
const ABNORMAL = 1006
/** Time for an Agent to answer a close frame before the connection is cut. */
const CLOSE_MS = 2000

/** Limits of one link; a link that exceeds a rate is closed. */
export interface LinkLimits {
  messagesPerSecond: number
  bytesPerSecond: number
  /** A burst may have the Messages and bytes of so many seconds. */
  burstSeconds: number
  /** Bytes waiting to be sent to an Agent that does not read. */
  maxBuffered: number
  /** Bytes of the connection before the Agent has shown its device. */
  maxUnprovenBytes: number
}

export const LINK_LIMITS: LinkLimits = {
  messagesPerSecond: 1000,
  // One Message of the largest size in a burst; an ordinary Agent sends a thousandth of it.
  bytesPerSecond: 1024 * 1024,
  burstSeconds: 20,
  maxBuffered: 16 * 1024 * 1024,
  maxUnprovenBytes: 1024 * 1024,
}

interface WebSocketLinkOptions {
  socket: WebSocket
  endpointId: string
  proof: Link['proof']
  secret: string | undefined
  remoteAddress: string
  openedAt: number
  limits: LinkLimits
  /** Called once when the Agent has shown its device. */
  onProven?(): void
}

/** One WebSocket to one Agent. It has few fields, because a server has very many links. */
export class WebSocketLink implements Link {
  endpointId: string
  readonly proof: Link['proof']
  readonly secret: string | undefined
  readonly remoteAddress: string
  readonly openedAt: number
  /** True when a pong or a Record was received since the last ping. */
  alive = true
  readonly #socket: WebSocket
  readonly #limits: LinkLimits
  #messages: number
  #bytes: number
  #refilledAt: number
  #end: LinkEnd | undefined
  #onProven: (() => void) | undefined

  constructor(options: WebSocketLinkOptions) {
    const { socket, endpointId, proof, secret, remoteAddress, openedAt, limits } = options
    this.#onProven = options.onProven
    this.#socket = socket
    this.endpointId = endpointId
    this.proof = proof
    this.secret = secret
    this.remoteAddress = remoteAddress
    this.openedAt = openedAt
    this.#limits = limits
    this.#messages = limits.messagesPerSecond * limits.burstSeconds
    this.#bytes = limits.bytesPerSecond * limits.burstSeconds
    this.#refilledAt = openedAt
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    if (!this.#socket.isPaused) return
    // While the connection was paused no pong could be read.
    this.alive = true
    this.#socket.resume()
  }

  /** True while nothing is read from the connection. */
  get isPaused(): boolean {
    return this.#socket.isPaused
  }

  prove(): void {
    this.#onProven?.()
    this.#onProven = undefined
  }

  /** Counts a message against the limits; false when it exceeds them. */
  admit(bytes: number, now: number): boolean {
    const { messagesPerSecond, bytesPerSecond, burstSeconds } = this.#limits
    const seconds = (now - this.#refilledAt) / 1000
    this.#refilledAt = now
    this.#messages = Math.min(this.#messages + seconds * messagesPerSecond, messagesPerSecond * burstSeconds) - 1
    this.#bytes = Math.min(this.#bytes + seconds * bytesPerSecond, bytesPerSecond * burstSeconds) - bytes
    return this.#messages >= 0 && this.#bytes >= 0
  }

  send(record: Uint8Array): boolean {
    if (!this.isOpen || this.#socket.bufferedAmount > this.#limits.maxBuffered) return false
    this.#socket.send(record)
    return true
  }

  close(reason: CloseReason, detail: string): void {
    if (this.#end !== undefined) return
    this.#end = reason
    // A paused connection does not read the answer to the close frame.
    this.resume()
    // A close frame has room for 123 bytes, and its text must be whole UTF-8.
    this.#socket.close(CODES[reason], detail.replace(/[^\x20-\x7e]/g, '?').slice(0, 120))
    // A half-open connection never answers the close frame.
    if (reason !== 'goingAway') setTimeout(() => this.#socket.terminate(), CLOSE_MS).unref()
  }

  /**
   * Closes the link of an Agent that sends too much, and reads no more from it: ws would keep, unmask and join all that
   * it still sends until the close is answered.
   */
  shut(detail: string): void {
    // One that is closing already reads what comes without keeping it, or is cut.
    if (!this.isOpen) return
    this.close('policy', detail)
    this.#socket.pause()
  }

  /** Cuts the connection without a close frame; the reason of an earlier close is kept. */
  cut(end: LinkEnd): void {
    this.#end ??= end
    this.#socket.terminate()
  }

  /** Notes that the Agent sent frames that violate RFC 6455. */
  broken(): void {
    this.#end ??= 'brokenFrames'
  }

  ping(): void {
    this.alive = false
    this.#socket.ping()
  }

  /** Returns the reason for which the link ended, given the code of its close event. */
  endOf(code: number): LinkEnd {
    if (this.#end !== undefined) return this.#end
    if (code === ABNORMAL) return 'connectionLost'
    return REGULAR.includes(code) ? 'agentClosed' : 'agentError'
  }
}
