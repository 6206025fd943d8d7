import type { Server, ServerResponse } from 'node:http'
import type { Metrics } from '../../api/index.ts'
import { AppError, createWebServer, errorText, type Log, listen } from '../../base/index.ts'

interface Health {
  /** The numbers of routers and links. */
  counts(): object
  metrics: Pick<Metrics, 'render'>
}

/**
 * Serves GET /healthz, that the process is alive with the numbers of its routers, and GET /metrics for Prometheus, both
 * without a key. AppError `invalid` when the port cannot be had.
 */
export async function serveHealth(
  at: { host: string; port: number },
  { counts, metrics }: Health,
  log: Log,
): Promise<Server> {
  const limits = { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 5000 }
  const server = createWebServer(limits, undefined, ({ method, url }, response) => {
    if (method !== 'GET') return answer(response, 404, { status: 'not found' })
    if (url === '/healthz') return answer(response, 200, { status: 'ok', ...counts() })
    if (url !== '/metrics') return answer(response, 404, { status: 'not found' })
    metrics.render().then(
      ({ contentType, text }) => send(response, 200, contentType, text),
      (error: unknown) => {
        log.warn({ reason: errorText(error) }, 'metrics cannot be shown')
        answer(response, 500, { status: 'failed' })
      },
    )
  })
  server.maxConnections = 50
  try {
    await listen(server, at, (error) => log.warn({ reason: errorText(error) }, 'health listener error'))
  } catch (cause) {
    throw new AppError('invalid', `--health-port ${at.port}: ${errorText(cause)}`, { cause })
  }
  return server
}

function answer(response: ServerResponse, status: number, body: object): void {
  send(response, status, 'application/json', `${JSON.stringify(body)}\n`)
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, connection: 'close' })
  response.end(text)
}
