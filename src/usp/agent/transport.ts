import { dial } from '../mtp/index.ts'

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
  /** The link is gone; nothing comes after it. */
  onClose(): void
}

/** An open link of an Agent to a Controller. */
export interface AgentLink {
  send(record: Uint8Array): void
  /** Sends a last Record and closes. */
  leave(goodbye: Uint8Array): void
  /** Closes because the Controller sent what is no Record. */
  refuse(): void
  /** Ends the link at once and without a Record, as a power cut does. */
  cut(): void
}

/** An MTP as an Agent uses it. Decorators of it play links that fail. */
export interface AgentTransport {
  /** Resolves with an open link; rejects with a TransportError when the Controller is not reached. */
  dial(target: LinkTarget, events: LinkEvents): Promise<AgentLink>
}

const DIAL_TIMEOUT_MS = 10_000
/** Close codes of RFC 6455 7.4.1. */
const NORMAL = 1000
const UNSUPPORTED_DATA = 1003

/**
 * The WebSocket MTP (TR-369 4.4). `trusted` returns PEM certificates to trust beside the system's own; it is asked at
 * each connect.
 */
export function websocketTransport(trusted: () => string[]): AgentTransport {
  return {
    async dial({ host, port, path, tls, endpointId, keepAliveS }, { onRecord, onClose }) {
      const link = await dial({
        url: { host, port, path, tls },
        endpointId,
        timeoutMs: DIAL_TIMEOUT_MS,
        keepAliveS,
        trusted: trusted(),
        onRecord,
        onClose: () => onClose(),
      })
      return {
        send: (record) => link.send(record),
        leave: (goodbye) => {
          link.send(goodbye)
          link.close(NORMAL)
        },
        refuse: () => link.close(UNSUPPORTED_DATA),
        cut: () => link.terminate(),
      }
    },
  }
}
