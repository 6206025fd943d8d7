/** The WebSocket MTP (TR-369 4.4), both roles. */
export * from './client.ts'
export { LINK_LIMITS, type LinkLimits } from './link.ts'
export * from './server.ts'
