/** The one door to ws. */
export { WebSocket, WebSocketServer } from 'ws'
