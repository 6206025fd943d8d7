import type { Clock, Log } from '../../base/index.ts'
import { isLoopback } from '../../config/index.ts'
import { type ApiSecurity, openApi, openSsh, RouterOsError, type RouterSession } from '../../routeros/index.ts'
import type { RouterRow } from './router-rows.ts'

/** The settings of all connections of a bridge to its routers. */
interface RouterSecurity {
  /** PEM certificates by which API-SSL of routers is trusted; undefined: those of the system. */
  ca: string | undefined
  /** True allows the plain API to other machines. */
  allowPlain: boolean
}

/** Opens one session with a router. RouterOsError. */
export type OpenRouter = (row: RouterRow, signal: AbortSignal) => Promise<RouterSession>

/** Returns the function that opens sessions, over the transport that the row names; auto tries those that are safe. */
export function routerOpener(security: RouterSecurity, parts: { clock: Clock; log: Log }): OpenRouter {
  return async (row, signal) => {
    if (row.login === undefined) throw refused('the login of the router is not known')
    const { address: host, port, login } = row
    const account = { user: login.username, password: login.password }
    const open = (kind: ApiSecurity) =>
      openApi(
        { host, ...(port === undefined ? {} : { port }), ...account, security: kind, allowPlain: security.allowPlain },
        parts,
        signal,
      )
    const secure: ApiSecurity =
      row.fingerprint === undefined
        ? { kind: 'ca', ...(security.ca === undefined ? {} : { ca: security.ca }) }
        : { kind: 'fingerprint', sha256: row.fingerprint }
    if (row.transport === 'api-ssl') return open(secure)
    if (row.transport === 'api') return open({ kind: 'plain' })
    if (row.transport === 'ssh') {
      const { fingerprint: hostKey } = row
      if (hostKey === undefined) throw refused('SSH needs the fingerprint of the host key of the router in its row')
      return openSsh({ host, ...(port === undefined ? {} : { port }), ...account, hostKey }, parts, signal)
    }
    try {
      return await open(secure)
    } catch (error) {
      const mayBePlain = (security.allowPlain || isLoopback(host)) && row.fingerprint === undefined
      if (!mayBePlain || !(error instanceof RouterOsError) || error.kind !== 'unreachable') throw error
      return open({ kind: 'plain' })
    }
  }
}

function refused(text: string): RouterOsError {
  return new RouterOsError('refused', text, { sent: false })
}
