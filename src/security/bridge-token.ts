import { createHash, timingSafeEqual } from 'node:crypto'
import { type Random, randomToken } from '../base/index.ts'

const SECRET_BYTES = 24

/** Returns a new token for a bridge, `isthmus-bridge_<id>_<secret>`, and the hash by which it is recognised. */
export function newBridgeToken(random: Random, bridgeId: string): { text: string; hash: string } {
  const secret = randomToken(random, SECRET_BYTES)
  return { text: `isthmus-bridge_${bridgeId}_${secret}`, hash: hashOf(secret) }
}

/** Splits a presented token; undefined when it does not have the form of one. */
export function splitBridgeToken(text: string): { id: string; secret: string } | undefined {
  const match = /^isthmus-bridge_([0-9a-z]{10,40})_([A-Za-z0-9_-]{20,64})$/.exec(text)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  return { id: match[1], secret: match[2] }
}

/** Returns true when the secret has this hash, compared in constant time. */
export function matchesBridgeToken(hash: string, secret: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(secret), 'hex'), Buffer.from(hash, 'hex'))
}

/** The secret has 192 random bits, so a slow hash would add nothing. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
