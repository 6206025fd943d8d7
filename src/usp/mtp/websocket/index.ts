/** The WebSocket MTP (TR-369 R-WS), both roles, and its rows in TR-181. */
export * from './client.ts'
export type { DialSecurity } from './dial-security.ts'
export { LINK_LIMITS, type LinkLimits } from './link.ts'
export { WEBSOCKET_ROWS } from './rows.ts'
export * from './server.ts'
