import type { Clock } from '../../src/base/index.ts'
import type { CloseReason } from '../../src/domain/index.ts'
import type { Link, LinkHandlers, LinkRefusal, Mtp, Newcomer } from '../../src/usp/index.ts'

/** The end of a link that the Agent holds. */
export interface AgentEnd {
  /** Sends a Record to the Controller. */
  send(record: Uint8Array): void
  /** The reason for which the Controller closed the link. */
  closed(): CloseReason | undefined
}

/**
 * An MTP without a network: Records are handed from one function to another. Its Agents open it with a UDS connect
 * Record.
 */
export class MemoryMtp implements Mtp {
  readonly name: string
  readonly connectRecord = 'udsConnect'
  readonly isExposed = false
  readonly #clock: Clock
  readonly #links = new Set<MemoryLink>()
  #handlers: LinkHandlers | undefined

  constructor(name: string, clock: Clock) {
    this.name = name
    this.#clock = clock
  }

  get linkCount(): number {
    return this.#links.size
  }

  onLink(handlers: LinkHandlers): void {
    this.#handlers = handlers
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    for (const link of this.#links) link.close('goingAway')
  }

  /**
   * Opens a link; `receive` takes the Records of the Controller. Resolves with the refusal of a client that is not
   * admitted.
   */
  async open(
    endpointId: string,
    receive: (record: Uint8Array, end: AgentEnd) => void,
  ): Promise<AgentEnd | LinkRefusal> {
    const newcomer: Newcomer = { endpointId, certificate: false, secret: undefined, address: this.name }
    const refusal = await this.#handlers?.admit?.(newcomer)
    if (refusal !== undefined) return refusal
    const end: AgentEnd = {
      send: (record) => link.isOpen && this.#handlers?.onRecord(link, record),
      closed: () => link.closedFor,
    }
    const link = new MemoryLink(
      newcomer,
      this.#clock.now(),
      (record) => receive(record, end),
      (reason) => {
        this.#links.delete(link)
        this.#handlers?.onClose(link, reason)
      },
    )
    this.#links.add(link)
    this.#handlers?.onOpen(link, newcomer)
    return end
  }
}

class MemoryLink implements Link {
  endpointId: string
  readonly proof = 'none'
  readonly secret = undefined
  readonly remoteAddress: string
  readonly openedAt: number
  closedFor: CloseReason | undefined
  readonly #receive: (record: Uint8Array) => void
  readonly #onClose: (reason: CloseReason) => void

  constructor(
    { endpointId, address }: Newcomer,
    openedAt: number,
    receive: (record: Uint8Array) => void,
    onClose: (reason: CloseReason) => void,
  ) {
    this.endpointId = endpointId
    this.remoteAddress = address
    this.openedAt = openedAt
    this.#receive = receive
    this.#onClose = onClose
  }

  get isOpen(): boolean {
    return this.closedFor === undefined
  }

  prove(): void {}
  pause(): void {}
  resume(): void {}

  send(record: Uint8Array): boolean {
    if (this.isOpen) queueMicrotask(() => this.#receive(record))
    return this.isOpen
  }

  close(reason: CloseReason): void {
    if (!this.isOpen) return
    this.closedFor = reason
    queueMicrotask(() => this.#onClose(reason))
  }
}
