import type { Clock, Log } from '../../base/index.ts'
import { RouterOsError } from '../router-os-error.ts'
import type { RouterSession } from '../router-session.ts'
import { SshSession } from './session.ts'
import { SshWire } from './ssh2.ts'

/** A router and its account over SSH. */
export interface SshOptions {
  host: string
  /** Default: 22. */
  port?: number
  user: string
  password?: string
  /** Private key of the account in PEM or OpenSSH form. */
  privateKey?: string
  /** SHA-256 of the host key: `SHA256:` and base64 as OpenSSH shows it, or 64 hexadecimal digits. */
  hostKey: string
  /** Milliseconds in which the router must have accepted connection and account. Default: 15 s. */
  connectMs?: number
}

const CONNECT_MS = 15_000
/** No colours, no detection of the terminal, and lines that are not broken (RouterOS manual, console login process). */
const CONSOLE = '+cet4096w'

/** Connects over SSH and logs in. RouterOsError: `refused`, `unreachable`, `untrusted`, `login`, `timeout`, `cancelled`. */
export async function openSsh(
  options: SshOptions,
  parts: { clock: Clock; log: Log },
  signal?: AbortSignal,
): Promise<RouterSession> {
  const { host, port = 22, user, connectMs = CONNECT_MS } = options
  const pinned = digestOf(options.hostKey)
  if (/[+\x00-\x1f\x7f]/.test(user)) throw new RouterOsError('refused', 'this user name is not sent', { sent: false })
  if (signal?.aborted) throw new RouterOsError('cancelled', 'connecting was cancelled', { sent: false })
  return new Promise((resolve, reject) => {
    let session: SshSession | undefined
    let shown: string | undefined
    let reason: RouterOsError | undefined
    const stop = (kind: 'timeout' | 'cancelled', message: string): void => {
      reason ??= new RouterOsError(kind, message, { sent: false })
      wire.destroy()
    }
    const settle = (): void => {
      stopTimer()
      signal?.removeEventListener('abort', onAbort)
    }
    const stopTimer = parts.clock.after(connectMs, () => stop('timeout', `no answer within ${connectMs} ms`))
    const onAbort = (): void => stop('cancelled', 'connecting was cancelled')
    signal?.addEventListener('abort', onAbort, { once: true })
    const wire = new SshWire(
      {
        host,
        port,
        user: `${user}${CONSOLE}`,
        ...(options.password === undefined ? {} : { password: options.password }),
        ...(options.privateKey === undefined ? {} : { privateKey: options.privateKey }),
        isTrusted: (digest) => {
          shown = digest
          return digest === pinned
        },
      },
      {
        onReady: () => {
          settle()
          session = new SshSession(wire, parts.clock)
          resolve(session)
        },
        onEnd: (error) => {
          if (session !== undefined) return session.lost(closed(error))
          settle()
          reject(reason ?? notOpened(error, shown !== undefined && shown !== pinned ? shown : undefined))
        },
      },
    )
  })
}

function closed(error: Error | undefined): RouterOsError {
  const cause = error === undefined ? {} : { cause: error }
  return new RouterOsError('closed', error?.message ?? 'the router closed the connection', cause)
}

/** The error of a connection that did not come to its login. */
function notOpened(error: Error | undefined, wrongKey: string | undefined): RouterOsError {
  const details = { sent: false, ...(error === undefined ? {} : { cause: error }) }
  if (wrongKey !== undefined) {
    const seen = Buffer.from(wrongKey, 'hex').toString('base64').replace(/=+$/, '')
    return new RouterOsError('untrusted', `the router shows the host key SHA256:${seen}, which is not pinned`, details)
  }
  if (error !== undefined && 'level' in error && error.level === 'client-authentication')
    return new RouterOsError('login', 'the router refuses the account over SSH', details)
  return new RouterOsError('unreachable', error?.message ?? 'the router closed the connection', details)
}

/** Hexadecimal digits of a pinned key. RouterOsError `refused` for a text that is none. */
function digestOf(hostKey: string): string {
  const [, base64] = /^SHA256:([A-Za-z0-9+/]{43})=?$/.exec(hostKey) ?? []
  if (base64 !== undefined) return Buffer.from(base64, 'base64').toString('hex')
  const hex = hostKey.replace(/[:\s]/g, '').toLowerCase()
  if (/^[0-9a-f]{64}$/.test(hex)) return hex
  throw new RouterOsError('refused', 'the host key is no SHA-256 of a key', { sent: false })
}
