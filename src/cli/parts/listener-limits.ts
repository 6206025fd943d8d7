import { readFileSync } from 'node:fs'
import { defined, networksOf } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import type { AcsOptions } from '../../cwmp/index.ts'
import type { WebSocketMtpOptions } from '../../usp/index.ts'

/**
 * The part of the files a process may open that the listeners of devices may take together; the API and the database
 * need the rest.
 */
const SHARE = 0.8
/** That of the API, whose clients are programs and people, and their streams. */
const API_SHARE = 0.1
const MAX_API_CONNECTIONS = 2000
/** Beyond its sessions or links: connections that begin and end. */
const SPARE = 1000
/** Some devices open their next connection before the last one is closed. */
const CONNECTIONS_EACH = 1.25

type CwmpLimits = Pick<
  AcsOptions,
  | 'maxSessions'
  | 'maxPerAddress'
  | 'maxConnections'
  | 'maxInformBytes'
  | 'digestAlgorithms'
  | 'trustedProxies'
  | 'connectionRequestNetworks'
>
type UspLimits = Pick<WebSocketMtpOptions, 'maxLinks' | 'maxConnections' | 'maxPerAddress' | 'trustedProxies'>

/**
 * The limits of the ACS, of the Controller and of the API, and the line to log when the limit of open files is too low
 * for the devices.
 */
interface ListenerLimits {
  api: { maxConnections: number }
  cwmp: CwmpLimits
  usp: UspLimits
  tooFewFiles?: { limit: number; needed: number }
}

/** Returns the limits of the listeners from the configuration and the limit of open files. */
export function listenerLimits(config: Config, files: number | undefined = openFileLimit()): ListenerLimits {
  const { trustedProxies: proxies, connectionRequestNetworks: networks, maxSessions, maxLinks } = config
  const trustedProxies = proxies === undefined ? undefined : networksOf(proxies)
  const wanted = { cwmp: maxSessions * 2 + SPARE, usp: maxLinks + SPARE }
  // CWMP has a listener with TLS and one without.
  const needed = Math.ceil((2 * wanted.cwmp + wanted.usp) / SHARE)
  const part = files === undefined ? 1 : Math.min(1, files / needed)
  return defined({
    api: { maxConnections: Math.min(MAX_API_CONNECTIONS, Math.floor((files ?? Number.POSITIVE_INFINITY) * API_SHARE)) },
    cwmp: defined({
      maxSessions,
      maxPerAddress: config.maxDevicesPerAddress,
      maxConnections: Math.floor(wanted.cwmp * part),
      maxInformBytes: config.maxInformKb * 1024,
      digestAlgorithms: config.digestAlgorithms.split(',').map((name) => (name === 'md5' ? 'MD5' : 'SHA-256')),
      trustedProxies,
      connectionRequestNetworks: networks === undefined ? undefined : networksOf(networks),
    }),
    usp: defined({
      maxLinks,
      maxConnections: Math.floor(wanted.usp * part),
      maxPerAddress: Math.ceil(config.maxDevicesPerAddress * CONNECTIONS_EACH),
      trustedProxies,
    }),
    tooFewFiles: files !== undefined && files < needed ? { limit: files, needed } : undefined,
  })
}

/**
 * Returns the number of files, sockets included, that this process may open; undefined where the system does not say.
 */
export function openFileLimit(): number | undefined {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return limit === undefined ? undefined : Number(limit)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
