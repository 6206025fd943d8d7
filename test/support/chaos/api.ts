import type { ServerProcess } from '../server-process.ts'

/** The answer of a request; status 0: none came. */
export interface ChaosAnswer {
  status: number
  body: Record<string, unknown>
}

/** A person does not wait for longer. */
const PATIENCE_MS = 4000

/**
 * Talks to whichever server answers, as an integrator behind a load balancer does, and remembers what was acknowledged.
 */
export class ChaosApi {
  /** Operations that were answered 2xx, in the order of their answers, with what they asked for. */
  readonly operations = new Map<string, { deviceId: string; request: Record<string, unknown> }>()
  /** Plans that were answered 2xx, without those that somebody asked to delete. */
  readonly plans = new Set<string>()
  /** Answers that no request may get, whatever dies meanwhile. */
  readonly defects: string[] = []
  readonly #servers: readonly ServerProcess[]
  readonly #key: string

  constructor(servers: readonly ServerProcess[], key: string) {
    this.#servers = servers
    this.#key = key
  }

  /** Sends a request to one of the servers. Never rejects. */
  async call(server: number, method: string, path: string, body?: unknown): Promise<ChaosAnswer> {
    const port = this.#servers[server]?.ports.apiPort
    try {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(PATIENCE_MS),
      })
      const text = await response.text()
      if (response.status === 500 || response.status === 400)
        this.defects.push(`${method} ${path} ${JSON.stringify(body) ?? ''}: ${response.status} ${text.slice(0, 300)}`)
      return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
    } catch {
      return { status: 0, body: {} }
    }
  }

  /** Makes a plan; an acknowledged one is remembered. */
  async plan(server: number, body: Record<string, unknown>): Promise<ChaosAnswer> {
    const answer = await this.call(server, 'POST', '/plans', body)
    if (answer.status === 201) this.plans.add(String(answer.body.id))
    return answer
  }

  /** Asks for an operation; an acknowledged one is remembered. */
  async operate(server: number, deviceId: string, request: Record<string, unknown>): Promise<ChaosAnswer> {
    const answer = await this.call(server, 'POST', `/devices/${encodeURIComponent(deviceId)}/operations`, request)
    const { id } = answer.body
    if (answer.status >= 200 && answer.status < 300 && typeof id === 'string')
      this.operations.set(id, { deviceId, request })
    return answer
  }
}
