import { readFileSync } from 'node:fs'
import { networksOf } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { AcsOptions } from '../cwmp/index.ts'

/** The part of the files a process may open that one listener of CPE may take; the other listeners and the database need the rest. */
const SHARE = 0.4

type Limits = Pick<
  AcsOptions,
  | 'maxSessions'
  | 'maxPerAddress'
  | 'maxConnections'
  | 'maxInformBytes'
  | 'digestAlgorithms'
  | 'trustedProxies'
  | 'connectionRequestNetworks'
>

/** What the configuration says about whom the ACS listens to, and how much. */
export function cwmpLimits(config: Config): Limits {
  const { trustedProxies, connectionRequestNetworks } = config
  const files = openFileLimit()
  return {
    maxSessions: config.maxSessions,
    maxPerAddress: config.maxDevicesPerAddress,
    ...(files === undefined ? {} : { maxConnections: Math.min(wantedConnections(config), Math.floor(files * SHARE)) }),
    maxInformBytes: config.maxInformKb * 1024,
    digestAlgorithms: config.digestAlgorithms.split(',').map((name) => (name === 'md5' ? 'MD5' : 'SHA-256')),
    ...(trustedProxies === undefined ? {} : { trustedProxies: networksOf(trustedProxies) }),
    ...(connectionRequestNetworks === undefined
      ? {}
      : { connectionRequestNetworks: networksOf(connectionRequestNetworks) }),
  }
}

function wantedConnections({ maxSessions }: Config): number {
  return maxSessions * 2 + 1000
}

/** How many files (sockets are some) this process may open, where the system tells; undefined elsewhere. */
function openFileLimit(): number | undefined {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return limit === undefined ? undefined : Number(limit)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
