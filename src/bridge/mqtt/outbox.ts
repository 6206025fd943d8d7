import type { OutgoingMessage } from '../../mqtt/index.ts'

/** Messages and bytes that wait for one router at most, and messages of all together. */
const MAX_MESSAGES = 200
const MAX_BYTES = 1_048_576
const MAX_ALL = 20_000
/** Messages that were sent and not yet acknowledged. */
const MAX_IN_FLIGHT = 64

interface Lane {
  messages: OutgoingMessage[]
  bytes: number
}

/** Sends one message; rejects when the connection is gone. */
type Send = (message: OutgoingMessage) => Promise<void>

/**
 * Messages that wait for the broker: a lane for each router, so that one with many does not displace those of others.
 * Lanes take turns. A full lane loses its oldest message that may be lost, else its oldest. Of a retained topic the
 * newest message alone waits.
 */
export class Outbox {
  readonly #lanes = new Map<string, Lane>()
  #send: Send | undefined
  #inFlight = 0
  #waiting = 0
  #dropped = 0

  /** Messages that wait. */
  get waiting(): number {
    return this.#waiting
  }

  /** True when nothing waits, and all that was sent is acknowledged. */
  get isEmpty(): boolean {
    return this.#waiting === 0 && this.#inFlight === 0
  }

  /** Messages that were lost: while the broker was away, or because a lane was full. */
  get dropped(): number {
    return this.#dropped
  }

  /** Takes a message of a lane. One with QoS 0 is lost while there is no connection. */
  put(lane: string, message: OutgoingMessage): void {
    if (message.qos === 0 && this.#send === undefined) {
      this.#dropped++
      return
    }
    const { messages, bytes } = this.#lane(lane)
    if (message.retain) {
      const older = messages.findIndex(({ topic }) => topic === message.topic)
      if (older >= 0) this.#remove(lane, older)
    }
    const size = sizeOf(message)
    if (size > MAX_BYTES || (this.#waiting >= MAX_ALL && messages.length === 0)) {
      this.#dropped++
      return
    }
    if (bytes + size > MAX_BYTES || messages.length >= MAX_MESSAGES || this.#waiting >= MAX_ALL)
      this.#makeRoom(lane, size)
    const held = this.#lane(lane)
    held.messages.push(message)
    held.bytes += size
    this.#waiting++
    this.#go()
  }

  /** Sends from now on, until `close`. */
  open(send: Send): void {
    this.#send = send
    this.#go()
  }

  /** Keeps what waits; messages that may be lost are. */
  close(): void {
    this.#send = undefined
    for (const [lane, { messages }] of this.#lanes)
      for (let index = messages.length - 1; index >= 0; index--)
        if (messages[index]?.qos === 0) {
          this.#remove(lane, index)
          this.#dropped++
        }
  }

  #lane(name: string): Lane {
    const known = this.#lanes.get(name)
    if (known !== undefined) return known
    const lane = { messages: [], bytes: 0 }
    this.#lanes.set(name, lane)
    return lane
  }

  #makeRoom(lane: string, size: number): void {
    const held = this.#lane(lane)
    while (
      held.messages.length > 0 &&
      (held.bytes + size > MAX_BYTES || held.messages.length >= MAX_MESSAGES || this.#waiting >= MAX_ALL)
    ) {
      const lossy = held.messages.findIndex(({ qos }) => qos === 0)
      this.#remove(lane, Math.max(0, lossy))
      this.#dropped++
    }
  }

  #remove(lane: string, index: number): OutgoingMessage | undefined {
    const held = this.#lane(lane)
    const [message] = held.messages.splice(index, 1)
    if (message === undefined) return undefined
    held.bytes -= sizeOf(message)
    this.#waiting--
    return message
  }

  #go(): void {
    while (this.#send !== undefined && this.#inFlight < MAX_IN_FLIGHT) {
      const next = this.#take()
      if (next === undefined) return
      this.#inFlight++
      const { lane, message } = next
      const send = this.#send
      send(message)
        .catch(() => this.#failed(lane, message, send))
        .finally(() => {
          this.#inFlight--
          this.#go()
        })
    }
  }

  /** The first message of the lane whose turn it is; its lane goes behind all others. */
  #take(): { lane: string; message: OutgoingMessage } | undefined {
    for (const [lane, held] of this.#lanes) {
      this.#lanes.delete(lane)
      if (held.messages.length === 0) continue
      this.#lanes.set(lane, held)
      const message = this.#remove(lane, 0)
      if (message !== undefined) return { lane, message }
    }
    return undefined
  }

  /**
   * A message that was lost with the connection goes before all others of its lane, unless a newer one has its retained
   * topic. One that the broker has refused is dropped.
   */
  #failed(lane: string, message: OutgoingMessage, send: Send): void {
    const held = this.#lane(lane)
    const isOutdated = message.retain && held.messages.some(({ topic }) => topic === message.topic)
    if (isOutdated) return
    if (this.#send === send || message.qos === 0 || held.messages.length >= MAX_MESSAGES || this.#waiting >= MAX_ALL) {
      this.#dropped++
      return
    }
    held.messages.unshift(message)
    held.bytes += sizeOf(message)
    this.#waiting++
  }
}

function sizeOf({ topic, payload }: OutgoingMessage): number {
  return topic.length + Buffer.byteLength(payload)
}
