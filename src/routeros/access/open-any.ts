import type { Clock, Log } from '../../base/index.ts'
import type { Account } from '../api/login.ts'
import { openApi } from '../api/open-api.ts'
import type { ApiSecurity } from '../api/security.ts'
import type { ReplyLimits } from '../api/session.ts'
import { RouterOsError, type RouterOsErrorKind } from '../router-os-error.ts'
import type { RouterSession } from '../router-session.ts'
import { openSsh } from '../ssh/open-ssh.ts'

/** A router with all that is known of the ways to it. A way without its settings is not tried. */
export interface RouterAccess extends Account {
  host: string
  /** API-SSL, and by what the router is trusted. */
  apiSsl?: { port?: number; security: Exclude<ApiSecurity, { kind: 'plain' }> }
  /** The plain API: to this machine alone, unless `allowPlain`. It is not tried beside API-SSL, which it would weaken. */
  api?: { port?: number; allowPlain?: boolean }
  ssh?: { port?: number; hostKey: string; privateKey?: string }
  /** Milliseconds for each way. */
  connectMs?: number
  limits?: Partial<ReplyLimits>
}

/** One way that was tried, and why it is not used. */
interface FailedWay {
  transport: RouterSession['transport']
  kind: RouterOsErrorKind
  /** The cause and the place to look at, for a person. */
  reason: string
}

type Way = { transport: RouterSession['transport']; open(): Promise<RouterSession> }

/**
 * Opens the first way on which a router answers: API-SSL or the plain API, then SSH, which carries less. Resolves with
 * the session and the ways before it that failed. RouterOsError says of each way why it is none; it is `login` when the
 * account was refused on one of them.
 */
export async function openAny(
  access: RouterAccess,
  parts: { clock: Clock; log: Log },
  signal?: AbortSignal,
): Promise<{ session: RouterSession; failed: FailedWay[] }> {
  const failed: FailedWay[] = []
  for (const { transport, open } of waysOf(access, parts, signal)) {
    try {
      return { session: await open(), failed }
    } catch (error) {
      if (!(error instanceof RouterOsError) || error.kind === 'cancelled') throw error
      failed.push({ transport, kind: error.kind, reason: reasonOf(transport, error) })
    }
  }
  throw allFailed(access.host, failed)
}

function waysOf(access: RouterAccess, parts: { clock: Clock; log: Log }, signal: AbortSignal | undefined): Way[] {
  const { host, user, password, apiSsl, api, ssh } = access
  const bounds = access.connectMs === undefined ? {} : { connectMs: access.connectMs }
  const login = {
    ...bounds,
    host,
    user,
    password,
    legacyLogin: access.legacyLogin ?? false,
    limits: access.limits ?? {},
  }
  const port = (way: { port?: number }) => (way.port === undefined ? {} : { port: way.port })
  const ways: Way[] = []
  if (apiSsl !== undefined)
    ways.push({
      transport: 'api-ssl',
      open: () => openApi({ ...login, ...port(apiSsl), security: apiSsl.security }, parts, signal),
    })
  else if (api !== undefined)
    ways.push({
      transport: 'api',
      open: () =>
        openApi(
          { ...login, ...port(api), security: { kind: 'plain' }, allowPlain: api.allowPlain ?? false },
          parts,
          signal,
        ),
    })
  if (ssh !== undefined)
    ways.push({
      transport: 'ssh',
      open: () => openSsh({ ...bounds, host, user, password, ...ssh }, parts, signal),
    })
  return ways
}

function allFailed(host: string, failed: readonly FailedWay[]): RouterOsError {
  const kinds = new Set(failed.map((way) => way.kind))
  const kind =
    (['login', 'untrusted'] as const).find((one) => kinds.has(one)) ??
    (failed[0]?.kind === 'refused' ? 'refused' : 'unreachable')
  const ways = failed.map(({ transport, reason }) => `${transport}: ${reason}`).join('; ')
  return new RouterOsError(kind, failed.length === 0 ? 'no way to the router is given' : ways, {
    sent: false,
    context: { host },
  })
}

const SERVICES = { api: 'api', 'api-ssl': 'api-ssl', ssh: 'ssh' } as const

/** The reason of a way with what to do about it, where the error has none of its own. */
function reasonOf(transport: RouterSession['transport'], error: RouterOsError): string {
  const { kind, message } = error
  const service = SERVICES[transport]
  if (/ECONNREFUSED/.test(message))
    return `the port is closed: enable it on the router with /ip service enable ${service}`
  if (/ENOTFOUND|EAI_AGAIN/.test(message)) return 'the name of the router has no address'
  if (/EHOSTUNREACH|ENETUNREACH/.test(message)) return 'there is no route to the router'
  if (/handshake failure/.test(message))
    return `${message}: give the service a certificate with /ip service set ${service} certificate=<name>`
  if (kind === 'login' && transport !== 'ssh')
    return `${message}; the group of the account needs the right \`api\`, and /user address= must allow this address`
  if (kind === 'login') return `${message}; the group of the account needs the right \`ssh\``
  return message
}
