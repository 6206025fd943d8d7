/** A Controller to connect to, as its rows name it. */
export interface LinkTarget {
  /** Row of the Controller. */
  row: string
  /** Endpoint ID of the Controller. */
  controllerId: string
  /** Endpoint ID of the Agent. */
  endpointId: string
  host: string
  port: number
  path: string
  tls: boolean
  keepAliveS: number
}

/** Receives what comes over one link. */
export interface LinkEvents {
  onRecord(record: Uint8Array): void
  /** Called once when the link has ended. */
  onClose(): void
}

/** An open link of an Agent to a Controller. */
export interface ControllerLink {
  /** Returns false when nothing was sent: the link is closed, or it is cut because its Controller does not read. */
  send(record: Uint8Array): boolean
  /** Sends a last Record and closes. */
  leave(goodbye: Uint8Array): void
  /** Closes because the Controller sent bytes that are no Record. */
  refuse(): void
  /** Ends the link at once and without a Record, as a power cut does. */
  cut(): void
}

/** An MTP as an Agent uses it. Decorators of it play links that fail. */
export interface AgentTransport {
  /** Resolves with an open link; rejects with a TransportError when the Controller is not reached. */
  dial(target: LinkTarget, events: LinkEvents): Promise<ControllerLink>
}
