/** The only import of the package ws. */
export { WebSocket, WebSocketServer } from 'ws'
