import { rootCertificates } from 'node:tls'
import { errorText, TransportError } from '../../../base/index.ts'
import { WebSocket } from './ws.ts'

interface DialOptions {
  url: { host: string; port: number; path: string; tls: boolean }
  /** Endpoint ID of the Agent: sent in the query, each `%` encoded (R-WS.10b). */
  endpointId: string
  timeoutMs: number
  /** Seconds between pings. */
  keepAliveS: number
  /** PEM certificates that are trusted besides those of the system. */
  trusted?: string[]
  onRecord(bytes: Uint8Array): void
  onClose(code: number): void
}

/** An open WebSocket to a Controller. */
interface Dialled {
  send(record: Uint8Array): void
  close(code: number): void
  /** Ends the connection without a close frame, as a power cut does. */
  terminate(): void
}

/** Connects to the WebSocket of a Controller; TransportError when it is not reached or does not answer with v1.usp. */
export function dial(options: DialOptions): Promise<Dialled> {
  const { host, port, path, tls } = options.url
  const query = `eid=${encodeURIComponent(options.endpointId)}`
  const address = `${tls ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${port}/${path.replace(/^\//, '')}?${query}`
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address, 'v1.usp', {
      perMessageDeflate: false,
      handshakeTimeout: options.timeoutMs,
      maxPayload: 16 * 1024 * 1024,
      ...(options.trusted === undefined || options.trusted.length === 0
        ? {}
        : { ca: [...rootCertificates, ...options.trusted] }),
    })
    let ping: NodeJS.Timeout | undefined
    let opened = false
    socket.on('open', () => {
      opened = true
      ping = setInterval(
        () => socket.readyState === WebSocket.OPEN && socket.ping(),
        Math.max(options.keepAliveS, 1) * 1000,
      )
      ping.unref()
      resolve({
        send: (record) => {
          if (socket.readyState === WebSocket.OPEN) socket.send(record)
        },
        close: (code) => socket.close(code),
        terminate: () => socket.terminate(),
      })
    })
    socket.on('message', (data: Buffer, binary: boolean) => {
      if (binary) options.onRecord(data)
      else socket.close(1003)
    })
    socket.on('error', (cause) => {
      if (!opened)
        reject(
          new TransportError('dial', `the Controller was not reached: ${errorText(cause)}`, { sent: false, cause }),
        )
    })
    socket.on('close', (code) => {
      clearInterval(ping)
      if (opened) options.onClose(code)
      else reject(new TransportError('dial', 'the Controller closed the connection', { sent: false }))
    })
  })
}
