import type { WebSocket } from './ws.ts'

/** Close codes of RFC 6455 and its registry that USP names (R-WS.16) or that our limits and failures need. */
export const CLOSE = { goingAway: 1001, unsupported: 1003, policy: 1008, tryAgain: 1013 } as const

/** What a link may send us; beyond it the link is closed with 1008. */
export interface LinkLimits {
  messagesPerSecond: number
  bytesPerSecond: number
  /** How many seconds' worth may come at once. */
  burstSeconds: number
  /** Bytes waiting to be sent to an Agent that does not read. */
  maxBuffered: number
}

export const LINK_LIMITS: LinkLimits = {
  messagesPerSecond: 1000,
  bytesPerSecond: 8 * 1024 * 1024,
  burstSeconds: 8,
  maxBuffered: 16 * 1024 * 1024,
}

/** One WebSocket to one Agent. Small on purpose: there are many. */
export class Link {
  readonly socket: WebSocket
  /** What the client said or its certificate proves; '' until the first Record tells. */
  endpointId: string
  /** The client certificate carries the Endpoint ID. */
  readonly certificate: boolean
  readonly remoteAddress: string
  readonly openedAt: number
  /** A pong or any Record came since the last ping. */
  alive = true
  /** For the room above: its own state of this link. */
  state: unknown
  #messages: number
  #bytes: number
  #refilledAt: number

  constructor(
    socket: WebSocket,
    endpointId: string,
    certificate: boolean,
    remoteAddress: string,
    now: number,
    limits: LinkLimits,
  ) {
    this.socket = socket
    this.endpointId = endpointId
    this.certificate = certificate
    this.remoteAddress = remoteAddress
    this.openedAt = now
    this.#messages = limits.messagesPerSecond * limits.burstSeconds
    this.#bytes = limits.bytesPerSecond * limits.burstSeconds
    this.#refilledAt = now
  }

  /** Counts a message against the limits; false when it is one too many. */
  admit(bytes: number, now: number, limits: LinkLimits): boolean {
    const seconds = (now - this.#refilledAt) / 1000
    this.#refilledAt = now
    this.#messages =
      Math.min(this.#messages + seconds * limits.messagesPerSecond, limits.messagesPerSecond * limits.burstSeconds) - 1
    this.#bytes =
      Math.min(this.#bytes + seconds * limits.bytesPerSecond, limits.bytesPerSecond * limits.burstSeconds) - bytes
    return this.#messages >= 0 && this.#bytes >= 0
  }

  /** One Record as one binary message; false when the link is closing or its Agent does not read. */
  send(record: Uint8Array, limits: LinkLimits = LINK_LIMITS): boolean {
    if (this.socket.readyState !== this.socket.OPEN || this.socket.bufferedAmount > limits.maxBuffered) return false
    this.socket.send(record)
    return true
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason.slice(0, 120))
  }
}
