import type { Clock } from '../../base/index.ts'
import { RouterOsError } from '../router-os-error.ts'
import { type SnmpAccount, SnmpWire } from './net-snmp.ts'
import { type RouterTelemetry, readTelemetry } from './telemetry.ts'

/** A router and its account over SNMP. */
export interface SnmpOptions {
  host: string
  /** Default: 161. */
  port?: number
  /** v2c: for networks that nobody else can read. v3: with authentication and privacy, as RouterOS offers them. */
  login: SnmpAccount['login']
}

/** Reads a router over SNMP, and never writes. */
export interface RouterTelemetrySource {
  /** Resolves with one reading. RouterOsError `timeout`, `closed`, `cancelled`. */
  read(options?: { deadlineMs?: number; signal?: AbortSignal }): Promise<RouterTelemetry>
}

const DEADLINE_MS = 30_000
const MIN_KEY = 8

/** Returns the source of a router. RouterOsError `refused` for a community or a key that everyone knows. */
export function openSnmp(options: SnmpOptions, { clock }: { clock: Clock }): RouterTelemetrySource {
  const { host, port = 161, login } = options
  checkLogin(login)
  return {
    async read({ deadlineMs = DEADLINE_MS, signal } = {}) {
      if (signal?.aborted) throw new RouterOsError('cancelled', 'reading was cancelled', { sent: false })
      const wire = new SnmpWire({ host, port, login })
      let stop: () => void = () => undefined
      const stopped = new Promise<never>((_resolve, reject) => {
        const onAbort = (): void => reject(new RouterOsError('cancelled', 'reading was cancelled'))
        signal?.addEventListener('abort', onAbort, { once: true })
        const stopTimer = clock.after(deadlineMs, () =>
          reject(new RouterOsError('timeout', `no whole reading after ${deadlineMs} ms`)),
        )
        stop = () => {
          stopTimer()
          signal?.removeEventListener('abort', onAbort)
        }
      })
      const reading = readTelemetry(wire)
      // Requests that are cut off below reject it once more.
      reading.catch(() => undefined)
      try {
        return await Promise.race([reading, stopped])
      } finally {
        stop()
        wire.close()
      }
    },
  }
}

function checkLogin(login: SnmpAccount['login']): void {
  const refused = (what: string) => new RouterOsError('refused', what, { sent: false })
  if ('community' in login) {
    if (/^(?:public|private)?$/i.test(login.community.trim()))
      throw refused('the community `public` is known to everyone: give the router another one, or use SNMP v3')
    return
  }
  if (login.auth.key.length < MIN_KEY || login.privacy.key.length < MIN_KEY)
    throw refused(`keys of SNMP v3 have ${MIN_KEY} characters at least (RFC 3414 11.2)`)
}
