import type { Clock, Log } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import {
  type ControllerAddress,
  type Mtp,
  type MtpRows,
  WEBSOCKET_ROWS,
  WebSocketMtp,
  type WebSocketMtpOptions,
} from '../../usp/index.ts'

/** The MTPs of a server, as its options describe them. */
interface ServerMtps {
  readonly all: readonly Mtp[]
  /** The rows of the MTP over which new plans have devices link. */
  readonly rows: MtpRows
  /** The TCP port of the WebSocket; 0 before it is started. */
  readonly port: number
  /** Returns the address that is written on devices, once the MTPs are started. */
  address(): ControllerAddress
  /** Closes the links whose client certificates are not accepted any more. */
  closeRefused(): void
  /** New links get this certificate. */
  renewCertificate(tls: NonNullable<WebSocketMtpOptions['tls']>): void
}

/** Builds the MTPs; a further one is a further entry of `all`. */
export function createMtps(
  config: Config,
  parts: Pick<
    WebSocketMtpOptions,
    'tls' | 'ownAuthority' | 'refused' | 'maxLinks' | 'maxConnections' | 'maxPerAddress' | 'trustedProxies'
  > & {
    clock: Clock
    log: Log
  },
): ServerMtps {
  const { endpointId, host, uspPath: path, uspPort, uspPublicHost, uspPublicPort } = config
  const webSocket = new WebSocketMtp({ ...parts, host, port: uspPort, path, endpointId })
  return {
    all: [webSocket],
    rows: WEBSOCKET_ROWS,
    get port() {
      return webSocket.port
    },
    address: () => ({
      host: uspPublicHost,
      port: uspPublicPort ?? webSocket.port,
      path,
      tls: parts.tls !== undefined,
    }),
    closeRefused: () => void webSocket.closeRefused(),
    renewCertificate: (tls) => webSocket.renewCertificate(tls),
  }
}
