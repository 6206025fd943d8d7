import type { RouterOs } from './router-os.ts'
import type { RouterOsError } from './router-os-error.ts'

/** One connection to a router, from its login to its end. */
export interface RouterSession extends RouterOs {
  /** The way on which the router is reached. */
  readonly transport: 'api' | 'api-ssl' | 'ssh'
  /** Time at which the router was heard last. */
  readonly heardAt: number
  /** Resolves with the reason when the connection has ended. */
  readonly ended: Promise<RouterOsError>
  /** Ends the connection; commands under way end with this error. */
  end(error: RouterOsError): void
}
