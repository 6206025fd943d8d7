import { errorText, TransportError } from '../../../base/index.ts'
import type { AgentTransport, ControllerLink, LinkEvents, LinkTarget } from '../port/index.ts'
import { type DialSecurity, SecureContexts } from './dial-security.ts'
import { WebSocket } from './ws.ts'

const DIAL_TIMEOUT_MS = 10_000
/** Bytes of one Record. */
const MAX_MESSAGE = 16 * 1024 * 1024
/** Bytes that wait for a Controller that does not read; the link is cut above it. */
const MAX_BUFFERED = 32 * 1024 * 1024
/** Time for a Controller to answer a close frame before the connection is cut. */
const CLOSE_MS = 2000
/** Close codes of RFC 6455 7.4.1. */
const NORMAL = 1000
const UNSUPPORTED_DATA = 1003

/** Shared by all Agents of the process. */
const CONTEXTS = new SecureContexts()

/**
 * Returns the WebSocket MTP of an Agent (TR-369 R-WS). `securityOf` returns the certificates for a target; it is called
 * for each connection.
 */
export function websocketTransport(securityOf: (target: LinkTarget) => DialSecurity): AgentTransport {
  return { dial: (target, events) => dial(target, events, securityOf(target)) }
}

/**
 * Connects to a Controller; TransportError when it is not reached, does not answer with v1.usp, or does not prove that
 * it is the Controller.
 */
function dial(target: LinkTarget, { onRecord, onClose }: LinkEvents, security: DialSecurity): Promise<ControllerLink> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(addressOf(target), 'v1.usp', {
      perMessageDeflate: false,
      handshakeTimeout: DIAL_TIMEOUT_MS,
      maxPayload: MAX_MESSAGE,
      ...(target.tls ? { createConnection: CONTEXTS.connectorTo(target.host, target.controllerId, security) } : {}),
    })
    let stopPings: (() => void) | undefined
    let opened = false
    socket.on('open', () => {
      opened = true
      stopPings = keepAlive(socket, target.keepAliveS)
      resolve(linkOver(socket))
    })
    socket.on('message', (data: Buffer, binary: boolean) => {
      if (binary) onRecord(data)
      else socket.close(UNSUPPORTED_DATA)
    })
    socket.on('error', (cause) => {
      const text = `the Controller was not reached: ${errorText(cause)}`
      if (!opened) reject(new TransportError('dial', text, { sent: false, cause }))
    })
    socket.on('close', () => {
      stopPings?.()
      if (opened) onClose()
      else reject(new TransportError('dial', 'the Controller closed the connection', { sent: false }))
    })
  })
}

/**
 * Pings at each interval (R-WS.17), and cuts a connection on which nothing has come since the last ping: it is half
 * open. Returns the function that ends this.
 */
function keepAlive(socket: WebSocket, seconds: number): () => void {
  let alive = true
  const note = () => {
    alive = true
  }
  socket.on('pong', note)
  socket.on('message', note)
  const timer = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return
    if (!alive) return socket.terminate()
    alive = false
    socket.ping()
  }, Math.max(seconds, 1) * 1000)
  timer.unref()
  return () => clearInterval(timer)
}

function linkOver(socket: WebSocket): ControllerLink {
  const send = (record: Uint8Array) => {
    if (socket.readyState !== WebSocket.OPEN) return false
    if (socket.bufferedAmount > MAX_BUFFERED) {
      socket.terminate()
      return false
    }
    socket.send(record)
    return true
  }
  const close = (code: number) => {
    socket.close(code)
    // A half-open connection never answers the close frame.
    setTimeout(() => socket.terminate(), CLOSE_MS).unref()
  }
  return {
    send,
    leave: (goodbye) => {
      send(goodbye)
      close(NORMAL)
    },
    refuse: () => close(UNSUPPORTED_DATA),
    cut: () => socket.terminate(),
  }
}

/** Returns the URL of the Controller with the Endpoint ID of the Agent in its query, each `%` encoded (R-WS.10b). */
function addressOf({ host, port, path, tls, endpointId }: LinkTarget): string {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const separator = path.includes('?') ? '&' : '?'
  const query = `${separator}eid=${encodeURIComponent(endpointId)}`
  return `${tls ? 'wss' : 'ws'}://${authority}/${path.replace(/^\//, '')}${query}`
}
