/**
 * Why we close a link. Each MTP translates it into what its wire has for it.
 * policy: the Agent is not admitted or broke a rule. tryAgain: it cannot be served now. goingAway: the Controller stops.
 * unsupported: it sent what is no Record. replaced: a newer link of its Endpoint ID took over. notAnswering: it keeps the link and does not
 * answer. rolledBack: its device is managed over CWMP again.
 */
export type CloseReason =
  | 'policy'
  | 'tryAgain'
  | 'goingAway'
  | 'unsupported'
  | 'replaced'
  | 'notAnswering'
  | 'rolledBack'

/**
 * Why a link ended: our reason, or what happened to it. agentClosed: the Agent closed it in the regular way. agentError: the Agent closed it
 * and named an error. connectionLost: it broke without a close. noPong: the Agent did not answer the MTP's own keep-alive. brokenFrames: what
 * the Agent sent is against the rules of the MTP itself.
 */
export type LinkEnd = CloseReason | 'agentClosed' | 'agentError' | 'connectionLost' | 'noPong' | 'brokenFrames'

/** One connection of an MTP to one Agent. */
export interface Link {
  /** Named by the handshake or set by the first Record; '' until then. */
  endpointId: string
  /** `certificate`: the client certificate carries the Endpoint ID. `none`: the Endpoint ID is a claim. */
  readonly proof: 'certificate' | 'none'
  readonly remoteAddress: string
  readonly openedAt: number
  /** False once the link is closing or gone. */
  readonly isOpen: boolean
  /** Sends one Record; false when the link is closing or its Agent does not read. */
  send(record: Uint8Array): boolean
  /** Ends the link; `detail` is a sentence for whoever reads the Agent's log. The first reason counts, repeating it does nothing. */
  close(reason: CloseReason, detail: string): void
}
