import type { Random } from '../../base/index.ts'
import type { RouterOsErrorKind } from '../router-os-error.ts'

const FIRST_MS = 1000
const LONGEST_MS = 60_000
/** An account that is refused is tried seldom: a router may block addresses that fail often. */
const FIRST_AFTER_REFUSAL_MS = 30_000
const LONGEST_AFTER_REFUSAL_MS = 900_000

/**
 * Milliseconds before the next attempt: doubled with each failure in a row (`failures` from 1), with a random part of
 * one half, so that routers that were lost together do not come back together.
 */
export function reconnectDelay(kind: RouterOsErrorKind, failures: number, random: Random): number {
  const isRefusal = kind === 'login' || kind === 'refused' || kind === 'untrusted'
  const first = isRefusal ? FIRST_AFTER_REFUSAL_MS : FIRST_MS
  const longest = isRefusal ? LONGEST_AFTER_REFUSAL_MS : LONGEST_MS
  const delay = Math.min(longest, first * 2 ** Math.min(failures - 1, 20))
  return delay * (0.5 + random.fraction() / 2)
}
