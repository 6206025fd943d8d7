/** Message transfer protocols: WebSocket, both roles. */
export * from './link.ts'
export * from './retry.ts'
export * from './websocket-client.ts'
export * from './websocket-link.ts'
export * from './websocket-server.ts'
