import { rootCertificates } from 'node:tls'
import { errorText, TransportError } from '../../../base/index.ts'
import type { AgentTransport, ControllerLink, LinkEvents, LinkTarget } from '../port/index.ts'
import { WebSocket } from './ws.ts'

const DIAL_TIMEOUT_MS = 10_000
const MAX_MESSAGE = 16 * 1024 * 1024
/** Close codes of RFC 6455 7.4.1. */
const NORMAL = 1000
const UNSUPPORTED_DATA = 1003

/**
 * Returns the WebSocket MTP of an Agent (TR-369 R-WS). `trusted` returns PEM certificates that are trusted besides
 * those of the system; it is called for each connection.
 */
export function websocketTransport(trusted: () => string[]): AgentTransport {
  return { dial: (target, events) => dial(target, events, trusted()) }
}

/** Connects to a Controller; TransportError when it is not reached or does not answer with v1.usp. */
function dial(target: LinkTarget, { onRecord, onClose }: LinkEvents, trusted: string[]): Promise<ControllerLink> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(addressOf(target), 'v1.usp', {
      perMessageDeflate: false,
      handshakeTimeout: DIAL_TIMEOUT_MS,
      maxPayload: MAX_MESSAGE,
      ...(trusted.length === 0 ? {} : { ca: [...rootCertificates, ...trusted] }),
    })
    let ping: NodeJS.Timeout | undefined
    let opened = false
    socket.on('open', () => {
      opened = true
      ping = setInterval(
        () => socket.readyState === WebSocket.OPEN && socket.ping(),
        Math.max(target.keepAliveS, 1) * 1000,
      )
      ping.unref()
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
      clearInterval(ping)
      if (opened) onClose()
      else reject(new TransportError('dial', 'the Controller closed the connection', { sent: false }))
    })
  })
}

function linkOver(socket: WebSocket): ControllerLink {
  const send = (record: Uint8Array) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(record)
  }
  return {
    send,
    leave: (goodbye) => {
      send(goodbye)
      socket.close(NORMAL)
    },
    refuse: () => socket.close(UNSUPPORTED_DATA),
    cut: () => socket.terminate(),
  }
}

/** Returns the URL of the Controller with the Endpoint ID of the Agent in its query, each `%` encoded (R-WS.10b). */
function addressOf({ host, port, path, tls, endpointId }: LinkTarget): string {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return `${tls ? 'wss' : 'ws'}://${authority}/${path.replace(/^\//, '')}?eid=${encodeURIComponent(endpointId)}`
}
