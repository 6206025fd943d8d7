/** The ways in which a simulated Agent errs on purpose. Decorators of its model and its links play them. */
export interface AgentQuirks {
  /** Connects, but never sends a Record and answers none. */
  neverOnboards?: boolean
  /** The Endpoint ID on the wire, whatever LocalAgent.EndpointID says. */
  wrongEndpointId?: string
  /** A link breaks after this many Records, at random. */
  dropsLinkAfter?: number
  answerDelayMs?: number
  /** Does not have Device.ScheduleTimer(). */
  noTimer?: boolean
  /**
   * Deleting its Controller row does not end the link, as in a widespread Agent: the socket stays open, is opened again
   * when it breaks, and everything that comes over it is ignored. Enable=false on the Controller or MTP row, or
   * deleting the MTP row, ends the link. A row that is made for the same Controller while such a link stands ends that
   * link and is not dialled until the Agent restarts.
   */
  deaf?: boolean
  rejectWrites?: WriteQuirk
}

/** Writes to paths that match are refused with a USP error code. */
interface WriteQuirk {
  pattern: string
  code: number
}
