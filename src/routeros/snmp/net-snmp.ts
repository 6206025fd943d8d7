import { isIPv6 } from 'node:net'
import snmp, { type User, type Varbind } from 'net-snmp'
import { RouterOsError } from '../router-os-error.ts'

/** A value of SNMP: text and addresses as bytes. */
export type SnmpValue = number | bigint | Buffer

/** Rows of a table by the rest of their OID, each with its values by the number of the column. */
export type SnmpTable = ReadonlyMap<string, ReadonlyMap<number, SnmpValue>>

export interface SnmpAccount {
  host: string
  port: number
  /** A community of v2c, or a user of v3 with its keys. */
  login: { community: string } | { user: string; auth: SnmpKey<'md5' | 'sha'>; privacy: SnmpKey<'des' | 'aes'> }
}

interface SnmpKey<T> {
  protocol: T
  key: string
}

const TIMEOUT_MS = 2000
const RETRIES = 1
const REPETITIONS = 20
const AUTH = { md5: snmp.AuthProtocols.md5, sha: snmp.AuthProtocols.sha }
const PRIVACY = { des: snmp.PrivProtocols.des, aes: snmp.PrivProtocols.aes }

/**
 * The door to net-snmp: reads values and tables, and has no way to write. Its caller names OIDs that are read safely: a
 * mere GET of a script of RouterOS runs it (MIKROTIK-MIB, mtxrScriptRun).
 */
export class SnmpWire {
  private readonly session: GuardedSession

  constructor({ host, port, login }: SnmpAccount) {
    const options = {
      port,
      timeout: TIMEOUT_MS,
      retries: RETRIES,
      backoff: 1,
      transport: isIPv6(host) ? ('udp6' as const) : ('udp4' as const),
    }
    this.session =
      'community' in login
        ? new GuardedSession(host, login.community, { ...options, version: snmp.Version2c })
        : new GuardedSession(host, userOf(login), { ...options, version: snmp.Version3 })
    // Datagrams that cannot be read belong to no request: the time-out of the request ends it.
    this.session.on('error', () => undefined)
  }

  /** Resolves with the values that exist, by OID. RouterOsError. */
  get(oids: readonly string[]): Promise<Map<string, SnmpValue>> {
    return new Promise((resolve, reject) => {
      this.session.get([...oids], (error, varbinds = []) => {
        if (error !== null) reject(failed(error))
        else resolve(new Map(varbinds.flatMap((one) => entryOf(one))))
      })
    })
  }

  /** Resolves with some columns of the rows below an entry, which may be none. RouterOsError. */
  async table(entry: string, columns: readonly number[], maxRows: number): Promise<SnmpTable> {
    const rows = new Map<string, Map<number, SnmpValue>>()
    for (const column of columns) {
      const base = `${entry}.${column}`
      let count = 0
      await this.subtree(base, (oid, value) => {
        const index = oid.slice(base.length + 1)
        const row = rows.get(index) ?? new Map<number, SnmpValue>()
        // An agent that gives one row again walks in a circle.
        if (row.has(column)) return false
        if (rows.size < maxRows || rows.has(index)) rows.set(index, row.set(column, value))
        return ++count < maxRows
      })
    }
    return rows
  }

  close(): void {
    this.session.close()
  }

  /** Gives each value below an OID until there are no more, or the receiver wants no more. */
  private subtree(base: string, take: (oid: string, value: SnmpValue) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.session.subtree(
        base,
        REPETITIONS,
        (varbinds: Varbind[]): true | undefined => {
          for (const one of varbinds) {
            const [entry] = entryOf(one)
            if (entry === undefined || !entry[0].startsWith(`${base}.`) || !take(...entry)) return true
          }
          return undefined
        },
        (error) => (error === null || error === undefined ? resolve() : reject(failed(error))),
      )
    })
  }
}

/** A datagram that the package cannot handle ends the requests under way, never the process. */
class GuardedSession extends snmp.Session {
  override onMsg(buffer: Buffer): void {
    try {
      super.onMsg(buffer)
    } catch (error) {
      this.cancelRequests(error)
    }
  }
}

function userOf({ user, auth, privacy }: Extract<SnmpAccount['login'], { user: string }>): User {
  return {
    name: user,
    level: snmp.SecurityLevel.authPriv,
    authProtocol: AUTH[auth.protocol],
    authKey: auth.key,
    privProtocol: PRIVACY[privacy.protocol],
    privKey: privacy.key,
  }
}

function entryOf(varbind: Varbind): [string, SnmpValue][] {
  const { oid, type, value } = varbind
  if (snmp.isVarbindError(varbind) || value === undefined || value === null) return []
  if (type === snmp.ObjectType.Counter64 && Buffer.isBuffer(value)) {
    const hex = value.toString('hex')
    return [[oid, hex === '' ? 0n : BigInt(`0x${hex}`)]]
  }
  if (typeof value === 'number' || typeof value === 'bigint' || Buffer.isBuffer(value)) return [[oid, value]]
  return typeof value === 'string' ? [[oid, Buffer.from(value)]] : []
}

function failed(error: Error): RouterOsError {
  const kind = error.name === 'RequestTimedOutError' ? 'timeout' : 'closed'
  const why =
    kind === 'timeout'
      ? 'no answer over SNMP: it is off, or this address, community or user is not allowed'
      : error.message
  return new RouterOsError(kind, why, { cause: error })
}
