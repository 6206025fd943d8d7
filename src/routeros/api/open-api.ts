import { type Clock, type Log, plainAddress } from '../../base/index.ts'
import { RouterOsError } from '../router-os-error.ts'
import type { RouterSession } from '../router-session.ts'
import { type Account, login } from './login.ts'
import { Wire } from './node-routeros.ts'
import { type ApiSecurity, checkPeer, checkPlain, tlsOptions } from './security.ts'
import type { SentenceLimits } from './sentence.ts'
import { ApiSession, REPLY_LIMITS, type ReplyLimits } from './session.ts'

/** A router and its account. */
export interface ApiOptions extends Account {
  host: string
  /** Default: 8728 for the plain API, 8729 for API-SSL. */
  port?: number
  security: ApiSecurity
  /** True allows the plain API to other machines. */
  allowPlain?: boolean
  /** Milliseconds in which the router must have accepted connection and account. Default: 10 s. */
  connectMs?: number
  /** Bounds of replies that are not the default ones. */
  limits?: Partial<ReplyLimits>
}

/** Nothing but the answer to the login is read before it. */
const LIMITS_BEFORE_LOGIN: SentenceLimits = { wordBytes: 4096, sentenceBytes: 8192, words: 16 }
const LIMITS: SentenceLimits = { wordBytes: 1024 * 1024, sentenceBytes: 2 * 1024 * 1024, words: 1024 }
const CONNECT_MS = 10_000

/**
 * Connects to the API of a router and logs in. RouterOsError: `refused` for settings that are not allowed,
 * `unreachable`, `untrusted`, `login`, `protocol`, `fatal`, `timeout`, `cancelled`.
 */
export async function openApi(
  options: ApiOptions,
  parts: { clock: Clock; log: Log },
  signal?: AbortSignal,
): Promise<RouterSession> {
  const { host, security, allowPlain = false, connectMs = CONNECT_MS } = options
  const { clock, log } = parts
  checkPlain(security, host, allowPlain)
  const tls = tlsOptions(security, host)
  if (signal?.aborted) throw new RouterOsError('cancelled', 'connecting was cancelled', { sent: false })

  return new Promise((resolve, reject) => {
    let session: ApiSession | undefined
    let place: 'connecting' | 'login' = 'connecting'
    const stop = (kind: 'timeout' | 'cancelled', what: string): void =>
      wire.destroy(new RouterOsError(kind, what, { sent: false }))
    const fail = (error: RouterOsError): void => {
      settle()
      reject(explained(error, place))
    }
    const stopTimer = clock.after(connectMs, () => stop('timeout', `no answer within ${connectMs} ms`))
    const onAbort = (): void => stop('cancelled', 'connecting was cancelled')
    const settle = (): void => {
      stopTimer()
      signal?.removeEventListener('abort', onAbort)
    }
    const begin = async (): Promise<void> => {
      checkPeer(security, wire.socket)
      checkPlain(security, plainAddress(wire.socket.remoteAddress ?? ''), allowPlain)
      place = 'login'
      await login(wire, options)
      if (!wire.isWritable) return
      settle()
      wire.setLimits(LIMITS)
      const limits = { ...REPLY_LIMITS, ...options.limits }
      session = new ApiSession(wire, tls === undefined ? 'api' : 'api-ssl', clock, log, limits)
      resolve(session)
    }
    let wire: Wire
    try {
      wire = new Wire(
        { host, port: options.port ?? (tls === undefined ? 8728 : 8729), tls, limits: LIMITS_BEFORE_LOGIN },
        {
          onConnected: () =>
            void begin().catch((error: unknown) =>
              wire.destroy(
                error instanceof RouterOsError
                  ? error
                  : new RouterOsError('protocol', 'the login failed', { cause: error }),
              ),
            ),
          onBytes: () => session?.heard(),
          onEnd: (error) => (session === undefined ? fail(error) : session.lost(error)),
        },
      )
      signal?.addEventListener('abort', onAbort, { once: true })
    } catch (error) {
      settle()
      reject(error)
    }
  })
}

/** The error of a connection that did not come to its login, in words that say what to look at. */
function explained(error: RouterOsError, place: 'connecting' | 'login'): RouterOsError {
  const { kind, message } = error
  const isSilent = kind === 'closed' || kind === 'timeout'
  const text =
    place === 'login' && isSilent
      ? `${message} before the login was answered: /ip/service of the router may not allow this address, or serves its largest number of sessions`
      : message
  const shown = kind === 'fatal' ? 'login' : kind === 'closed' ? 'unreachable' : kind
  return new RouterOsError(shown, text, { sent: false, cause: error })
}
