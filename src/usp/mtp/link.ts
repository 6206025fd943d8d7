import type { CloseReason } from '../../domain/index.ts'

/** One connection of an MTP to one Agent. */
export interface Link {
  /** Named by the handshake or set by the first Record; '' until then. */
  endpointId: string
  /** `certificate`: the client certificate carries the Endpoint ID. `none`: the Endpoint ID is a claim. */
  readonly proof: 'certificate' | 'none'
  /** The secret at the end of the path that the client dialled. */
  readonly secret: string | undefined
  readonly remoteAddress: string
  readonly openedAt: number
  /** False once the link is closing or gone. */
  readonly isOpen: boolean
  /** Its Agent has shown which device it is: the link is not closed to make room for others. */
  prove(): void
  /** Sends one Record; false when the link is closing or its Agent does not read. */
  send(record: Uint8Array): boolean
  /** Ends the link; `detail` is a sentence for whoever reads the Agent's log. The first reason counts, repeating it does nothing. */
  close(reason: CloseReason, detail: string): void
}
