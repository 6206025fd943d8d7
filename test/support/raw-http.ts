import { once } from 'node:events'
import { connect } from 'node:net'

/** The answer over one TCP connection: its raw text, and whether the server closed it. */
export interface RawAnswer {
  status: number
  text: string
}

/**
 * Sends bytes as they are and reads until the server closes, the answer is complete or `timeoutMs` is over. Status 0:
 * no answer. The bytes behind the first ones are sent each `pauseMs` after those before it, or once the answer holds
 * the text `goOnAt`.
 */
export function rawHttp(
  port: number,
  chunks: (string | Uint8Array)[],
  options: { timeoutMs?: number; pauseMs?: number; goOnAt?: string } = {},
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    const done = () => {
      socket.destroy()
      resolve({ status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0), text })
    }
    const timer = setTimeout(done, options.timeoutMs ?? 5000)
    socket.on('data', (data) => {
      text += data.toString('latin1')
      if (isComplete(text)) {
        clearTimeout(timer)
        done()
      }
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      done()
    })
    socket.on('connect', async () => {
      for (const chunk of chunks) {
        if (socket.destroyed) return
        socket.write(chunk)
        // A slow peer: the wait itself is the point.
        if (options.pauseMs !== undefined) await new Promise((next) => setTimeout(next, options.pauseMs))
        while (!socket.destroyed && !text.includes(options.goOnAt ?? '')) await once(socket, 'data')
      }
    })
  })
}

function isComplete(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0 || text.startsWith('HTTP/1.1 100')) return false
  const head = text.slice(0, end)
  if (/\r\ntransfer-encoding: chunked/i.test(head)) return text.endsWith('0\r\n\r\n')
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
  return text.length >= end + 4 + length
}

/** A POST with a body, as one chunk. */
export function post(path: string, body: string | Uint8Array, headers: Record<string, string> = {}): Uint8Array[] {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const lines = Object.entries({
    host: '127.0.0.1',
    'content-length': String(bytes.length),
    connection: 'close',
    ...headers,
  })
  const head = `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  return [Buffer.concat([Buffer.from(head), bytes])]
}
