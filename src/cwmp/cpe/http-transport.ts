import { Agent, type IncomingMessage, request } from 'node:http'
import { request as requestTls, Agent as TlsAgent } from 'node:https'
import { rootCertificates } from 'node:tls'
import { TransportError } from '../../base/index.ts'
import type { CpeTransport, HttpAnswer } from './cpe-transport.ts'

interface HttpTransportOptions {
  /** PEM certificates to trust beside the system's own. */
  trusted?: readonly string[]
  /** Milliseconds without a byte of the ACS after which a request fails. */
  timeoutMs: number
}

/** An answer longer than this is not a CWMP message. */
const MAX_BODY = 32 * 1024 * 1024

/** Returns a transport over HTTP and HTTPS with one TCP connection per session (TR-069 3.4.1). */
export function httpTransport({ trusted = [], timeoutMs }: HttpTransportOptions): CpeTransport {
  const underWay = new Set<{ destroy(): void }>()
  let agent: Agent | undefined
  const connection = (tls: boolean): Agent => {
    const options = { keepAlive: true, maxSockets: 1 }
    agent ??= tls
      ? new TlsAgent({ ...options, ...(trusted.length === 0 ? {} : { ca: [...rootCertificates, ...trusted] }) })
      : new Agent(options)
    return agent
  }
  const end = () => {
    agent?.destroy()
    agent = undefined
  }
  return {
    send({ url, headers, body }) {
      const bytes = Buffer.from(body)
      const tls = url.protocol === 'https:'
      const options = {
        method: 'POST',
        headers: { ...headers, 'content-length': String(bytes.length) },
        agent: connection(tls),
        timeout: timeoutMs,
      }
      return new Promise((resolve, reject) => {
        const outgoing = (tls ? requestTls : request)(url, options, (incoming) => {
          collect(incoming).then(resolve, reject)
        })
        underWay.add(outgoing)
        outgoing.on('timeout', () => outgoing.destroy(new Error('the ACS did not answer in time')))
        outgoing.on('error', (cause) =>
          reject(new TransportError('acs', `the ACS was not reached: ${cause.message}`, { cause })),
        )
        outgoing.on('close', () => underWay.delete(outgoing))
        outgoing.end(bytes)
      })
    },
    end,
    abort() {
      for (const outgoing of underWay) outgoing.destroy()
      end()
    },
  }
}

function collect(incoming: IncomingMessage): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > MAX_BODY) incoming.destroy(new TransportError('acs', 'the answer of the ACS has no end'))
      else chunks.push(chunk)
    })
    incoming.on('end', () =>
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) }),
    )
    incoming.on('error', reject)
    incoming.on('aborted', () => reject(new TransportError('acs', 'the ACS cut its answer off')))
  })
}
