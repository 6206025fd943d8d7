import type { Clock, Log } from '../../base/index.ts'
import { isLoopback } from '../../config/index.ts'
import {
  type ApiSecurity,
  openAny,
  type RouterAccess,
  RouterOsError,
  type RouterSession,
} from '../../routeros/index.ts'
import type { RouterRow } from './router-rows.ts'

/** The settings of all connections of a bridge to its routers. */
interface RouterSecurity {
  /** PEM certificates by which API-SSL of routers is trusted; undefined: those of the system. */
  ca: string | undefined
  /** True allows the plain API to other machines. */
  allowPlain: boolean
}

/** Opens one session with a router; `onWays` gets the ways that were tried, with their outcomes. RouterOsError. */
export type OpenRouter = (
  row: RouterRow,
  signal: AbortSignal,
  onWays?: (ways: readonly string[]) => void,
) => Promise<RouterSession>

/** Returns the function that opens sessions, over the transport that the row names; auto tries those that are safe. */
export function routerOpener(security: RouterSecurity, parts: { clock: Clock; log: Log }): OpenRouter {
  return async (row, signal, onWays) => {
    const { session, failed } = await openAny(accessOf(row, security), parts, signal)
    onWays?.([`${session.transport}: used`, ...failed.map(({ transport, reason }) => `${transport}: ${reason}`)])
    return session
  }
}

/** The ways to a router. RouterOsError `refused` for a row that has none. */
function accessOf(row: RouterRow, { ca, allowPlain }: RouterSecurity): RouterAccess {
  const { address: host, login, fingerprint, transport } = row
  if (login === undefined) throw refused('the login of the router is not known')
  const port = row.port === undefined ? {} : { port: row.port }
  const account = { host, user: login.username, password: login.password }
  const security: Exclude<ApiSecurity, { kind: 'plain' }> =
    fingerprint === undefined
      ? { kind: 'ca', ...(ca === undefined ? {} : { ca }) }
      : { kind: 'fingerprint', sha256: fingerprint }
  const secure = { apiSsl: { ...port, security } }
  const plain = { api: { ...port, allowPlain } }
  switch (transport) {
    case 'api-ssl':
      return { ...account, ...secure }
    case 'api':
      return { ...account, ...plain }
    case 'ssh':
      if (fingerprint === undefined) throw refused('SSH needs the fingerprint of the host key of the router in its row')
      return { ...account, ssh: { ...port, hostKey: fingerprint } }
    case 'auto':
      // Nothing by which a router could be trusted is needed on this machine.
      if (fingerprint === undefined && ca === undefined && isLoopback(host)) return { ...account, ...plain }
      return { ...account, ...secure, ...(fingerprint === undefined ? {} : { ssh: { hostKey: fingerprint } }) }
  }
}

function refused(text: string): RouterOsError {
  return new RouterOsError('refused', text, { sent: false })
}
