import type { Lifecycle } from '../../../base/index.ts'
import type { CloseReason, LinkEnd } from '../../../domain/index.ts'
import type { ConnectKind } from '../../wire/index.ts'

/**
 * A message transfer protocol of the Controller (TR-369 4): accepts Agents and carries Records in both directions. An
 * implementation has a folder of its own; only that folder knows its sockets, handshake and close codes.
 */
export interface Mtp extends Lifecycle {
  /** The Record with which an Agent opens this MTP (R-MTP.8). */
  readonly connectRecord: ConnectKind
  /** True when clients on other machines reach it without a certificate. */
  readonly isExposed: boolean
  /** Links that are open. */
  readonly linkCount: number
  /** Registers the receiver of all links. Called once, before `start`. */
  onLink(handlers: LinkHandlers): void
}

/** Receives the links of an MTP. No handler throws. */
export interface LinkHandlers {
  /**
   * Decides on a client before its link is opened; resolves with a refusal, or with undefined when the link may be
   * opened.
   */
  admit?(newcomer: Newcomer): Promise<LinkRefusal | undefined>
  /** Takes the link of an admitted client; `newcomer` is the object that `admit` was given. */
  onOpen(link: Link, newcomer: Newcomer): void
  onRecord(link: Link, bytes: Uint8Array): void
  onClose(link: Link, end: LinkEnd): void
  /** Called about every 30 s for each open link. */
  onRound?(link: Link): void
}

/** A client as it shows itself before its link is opened. */
export interface Newcomer {
  /** '' when the client names none; its first Record does. */
  endpointId: string
  /** True when its certificate is signed by a trusted authority and carries exactly this Endpoint ID. */
  certificate: boolean
  /** The secret of a device that the client shows. */
  secret: string | undefined
  address: string
}

/**
 * noCertificate: a certificate would help. tryAgain: a later attempt may succeed. notAdmitted: no later attempt
 * succeeds.
 */
export interface LinkRefusal {
  kind: 'noCertificate' | 'tryAgain' | 'notAdmitted'
  text: string
}

/** One connection of an MTP to one Agent. */
export interface Link {
  /** Named by the handshake or set by the first Record; '' until then. */
  endpointId: string
  /** `certificate`: the client certificate carries the Endpoint ID. `none`: the Endpoint ID is a claim. */
  readonly proof: 'certificate' | 'none'
  /** The secret of a device that the client showed. */
  readonly secret: string | undefined
  readonly remoteAddress: string
  readonly openedAt: number
  /** False once the link is closing or closed. */
  readonly isOpen: boolean
  /** Marks that the Agent has shown its device: the link is not closed to make room for others. */
  prove(): void
  /**
   * Stops reading from the connection until `resume`; TCP then holds the Agent back. Records that were read before are
   * still delivered.
   */
  pause(): void
  resume(): void
  /** Sends one Record; false when the link is closing or its Agent does not read. */
  send(record: Uint8Array): boolean
  /**
   * Ends the link; `detail` is a sentence for the log of the Agent. The first reason counts; a second call does
   * nothing.
   */
  close(reason: CloseReason, detail: string): void
}
