import type { Log } from '../base/index.ts'
import type { Metrics } from './metrics.ts'
import type { RouteDeps } from './routes/ports.ts'

/** The parts that the API serves from; the composition root gives them. */
export interface ApiDeps extends Omit<RouteDeps, 'forgetKey'> {
  host: string
  port: number
  /** Connections at once; beyond them the oldest one is closed that has shown no key. */
  maxConnections: number
  /** Serves HTTPS only. */
  tls?: { cert: string; key: string }
  /** Origins of pages that may call from a browser; default: none. */
  corsOrigins?: readonly string[]
  /** The version in the OpenAPI document. */
  version: string
  metrics: Metrics
  /** Rejects with a reason while the server is not ready to serve. */
  ready(): Promise<void>
  log: Log
}
