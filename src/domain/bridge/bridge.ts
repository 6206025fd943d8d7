import type { Timestamp } from '../timestamp.ts'

/** Bridges of one installation, and routers of one bridge, at most. */
export const MAX_BRIDGES = 1000
export const MAX_ROUTERS = 2000
export const MAX_BRIDGE_NAME = 100

/** The right to register as a bridge: a token that is shown once. */
export interface BridgeEnrolment {
  /** SHA-256 of the secret in the token, hex. */
  hash: string
  expiresAt: Timestamp
  /** The key that used the token: that one alone may use it again, because its answer may have been lost. */
  usedBy?: string
}

/** The public keys that a bridge registered with. */
interface BridgeKeys {
  /** SHA-256 of the key of its certificates, base64url. */
  keyId: string
  /** The key of its certificates: SPKI in PEM. */
  certificateKey: string
  /** The X25519 key that credentials are sealed to: 32 bytes, base64url. */
  sealingKey: string
  registeredAt: Timestamp
}

/** A process that speaks for routers without an Agent of their own, as the server knows it. */
export interface Bridge {
  id: string
  /** Unique. */
  name: string
  description?: string
  revision: number
  createdAt: Timestamp
  updatedAt: Timestamp
  /** Counts the changes of its routers: the bridge reads them again when it has another number. */
  routersVersion: number
  enrolment?: BridgeEnrolment
  /** Absent until it has registered. */
  keys?: BridgeKeys
  /** The last time that it asked for its routers. */
  lastSeenAt?: Timestamp
  /** The version of its program, and its address, as it registered or asked last. */
  version?: string
  remoteAddress?: string
}

/** A bridge that was not heard for this time is not connected: it asks every five seconds. */
const BRIDGE_AWAY_MS = 60_000

/** Returns true when the bridge was heard lately. */
export function isBridgeConnected({ lastSeenAt }: Bridge, now: Timestamp): boolean {
  return lastSeenAt !== undefined && now - lastSeenAt < BRIDGE_AWAY_MS
}

/** The holder of certificates that a bridge is, as their records name it. */
export function ownerOfBridge(bridgeId: string): string {
  return `bridge:${bridgeId}`
}

/** The URI of an Endpoint ID in a certificate (TR-369 R-SEC.0a). */
export function nameOfEndpoint(endpointId: string): string {
  return `urn:bbf:usp:id:${endpointId}`
}

/** The URI in the certificate by which the process of a bridge is known. */
export function nameOfBridge(id: string): string {
  return `urn:isthmus:bridge:${id}`
}

/** Returns the bridge that a holder of certificates is; undefined for another holder. */
export function bridgeOfOwner(owner: string): string | undefined {
  return /^bridge:(.+)$/.exec(owner)?.[1]
}
