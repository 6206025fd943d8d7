import type { MtpRows } from '../port/index.ts'

/** The object `WebSocket.` of an MTP row. The path ends in the secret that proves the link of a device. */
export const WEBSOCKET_ROWS: MtpRows = {
  protocol: 'WebSocket',
  needed: {
    'WebSocket.Host': ({ host }) => host,
    'WebSocket.Port': ({ port }) => String(port),
    'WebSocket.Path': ({ path }, secret) => `${path.replace(/\/$/, '')}/${secret}`,
    'WebSocket.EnableEncryption': ({ tls }) => String(tls),
  },
  wished: { 'WebSocket.KeepAliveInterval': '60' },
  host: 'WebSocket.Host',
  secret: 'WebSocket.Path',
}
