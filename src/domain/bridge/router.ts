import type { RouterPolicy } from '../device/router-os.ts'
import { type DeviceId, deviceIdOf } from '../id.ts'
import type { Timestamp } from '../timestamp.ts'

/** The ways to a router. auto: the bridge finds what the router offers. */
export const ROUTER_TRANSPORTS = ['auto', 'api-ssl', 'api', 'ssh'] as const
export type RouterTransport = (typeof ROUTER_TRANSPORTS)[number]

export const MAX_ROUTER_ADDRESS = 253
/** Routers of one table: as many as a bridge has at most. */
export const MAX_ROUTERS_IN_TABLE = 2000
export const MAX_ROUTER_TAGS = 50
export const MAX_ROUTER_TAG = 100
/** Characters of a user name or a password of a router. */
export const MAX_ROUTER_LOGIN = 255
/** Texts that a bridge reports about one router. */
export const MAX_MISSING_RIGHTS = 30
export const MAX_STATE_TEXT = 500
export const MAX_WAYS = 5

/**
 * The use of SNMP beside the connection to a router, for values that are measured, and never to write. auto: where the
 * connection cannot read them. prefer: before it.
 */
export const SNMP_USES = ['off', 'auto', 'prefer'] as const
export type SnmpUse = (typeof SNMP_USES)[number]
export const SNMP_AUTH = ['sha', 'md5'] as const
export const SNMP_PRIVACY = ['aes', 'des'] as const
/** Characters of a key of SNMP v3, at least (RFC 3414 11.2). */
const MIN_SNMP_KEY = 8

/** A community of SNMP v2c, or a user of v3 with both keys. */
export type SnmpLogin =
  | { community: string }
  | {
      user: string
      auth: { protocol: (typeof SNMP_AUTH)[number]; key: string }
      privacy: { protocol: (typeof SNMP_PRIVACY)[number]; key: string }
    }

/** Returns the reason for which nobody should use a login of SNMP; undefined for a good one. */
export function snmpLoginProblem(login: SnmpLogin): string | undefined {
  if ('community' in login)
    return /^(?:public|private)?$/i.test(login.community.trim())
      ? 'the communities public and private are known to everyone: give the router another one, or use SNMP v3'
      : undefined
  if (login.user === '') return 'SNMP v3 needs a user'
  return [login.auth.key, login.privacy.key].some((key) => key.length < MIN_SNMP_KEY)
    ? `keys of SNMP v3 have ${MIN_SNMP_KEY} characters at least (RFC 3414 11.2)`
    : undefined
}

/** The user name and the password of a router, and its login over SNMP. */
export interface RouterLogin {
  username: string
  password: string
  snmp?: SnmpLogin
}

/** A login that the bridge alone can read. */
export interface SealedLogin {
  /** HPKE (RFC 9180) in base64url; see `sealLogin`. */
  sealed: string
  /** The key that it is sealed to: that of another registration cannot be opened any more. */
  sealingKey: string
}

/** The parts of a router that a person decides. */
export interface RouterSettings {
  /** A host name or an address. */
  address: string
  /** Absent: the usual port of the transport. */
  port?: number
  transport: RouterTransport
  /** SHA-256 of its TLS certificate or of its SSH host key, hex: nothing else is trusted then. */
  fingerprint?: string
  policy: RouterPolicy
  tags: string[]
  /** True when the bridge also publishes it over MQTT. */
  mqtt: boolean
  /** Absent: off. */
  snmp?: SnmpUse
  /** Absent: 161. */
  snmpPort?: number
}

/** A router of a bridge: a row that a person makes, and the state that the bridge reports. */
export interface BridgeRouter extends RouterSettings {
  id: string
  bridgeId: string
  /** Its address and port in one text; unique in its bridge. */
  place: string
  login: SealedLogin
  /** False: the bridge connects to it and reports its state, and runs no Agent for it. Absent: true. */
  agent?: boolean
  revision: number
  createdAt: Timestamp
  updatedAt: Timestamp
  /** Absent until the bridge has reported one. */
  state?: RouterState
}

/** The identity that a router states. */
export interface RouterIdentity {
  oui: string
  productClass: string
  serial: string
  /** Endpoint ID of its Agent in the bridge. */
  endpointId: string
  model?: string
  softwareVersion?: string
}

/** The state of a router as its bridge reported it last. */
export interface RouterState {
  reachable: boolean
  identity?: RouterIdentity
  /** Rights that its account lacks, and features that its device mode forbids. */
  missingRights: string[]
  /** True when the account lacks a right without which the bridge cannot do what the policy lets it do. */
  unfit?: boolean
  /** The ways to the router that were tried, each with its outcome: the one that is used, and why others are not. */
  ways?: string[]
  /** The trouble that it has now, in words that a network engineer can act on. */
  lastError?: string
  /** True when the bridge cannot open the login: it was sealed to the key of an earlier registration. */
  needsLogin?: boolean
  /** The revision of the row that it is about. */
  revision: number
  reportedAt: Timestamp
}

/** Returns the text by which a router is unique in its bridge. */
export function placeOf({ address, port }: Pick<RouterSettings, 'address' | 'port'>): string {
  return `${address.toLowerCase()}|${port ?? ''}`
}

/**
 * The use of a sealed login: it opens for this bridge and this address alone, so that nobody who can change rows can
 * have it sent elsewhere.
 */
export function loginContext(bridgeId: string, address: string): { info: string; about: string } {
  return { info: 'isthmus router login', about: `${bridgeId}|${address.toLowerCase()}` }
}

/** Returns the device that a router is by the identity that it states; undefined when that names none. */
export function deviceOfRouter({ state }: BridgeRouter): DeviceId | undefined {
  if (state?.identity === undefined) return undefined
  try {
    return deviceIdOf(state.identity)
  } catch {
    return undefined
  }
}
