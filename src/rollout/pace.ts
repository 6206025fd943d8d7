import type { Pacing } from '../domain/index.ts'
import type { RolloutSettings } from './plan.ts'

/** The starts that a rate may save up, in seconds. */
const BURST_S = 5

/** Starts that are allowed now. */
interface Allowance {
  starts: number
  pacing?: Pacing
  /** The bound that is reached; absent when none is. */
  because?: 'place' | 'rate'
  /** Service time at which the rate allows one start more; absent when the rate is not the bound. */
  again?: number
}

/** The use that a plan makes of its limits: places in use, and the rest of the start rate as it was kept last. */
interface Use {
  taken: number
  pacing: Pacing | undefined
}

/** The number of devices that may start now, by places and rate. `now` is service time. */
export function allowance(
  { settings }: { settings: Pick<RolloutSettings, 'maxInFlight' | 'startsPerMinute'> },
  { taken, pacing: kept }: Use,
  now: number,
): Allowance {
  const { maxInFlight, startsPerMinute } = settings
  const places = Math.max(0, maxInFlight - taken)
  if (startsPerMinute === 0) return { starts: places, ...(places === 0 ? { because: 'place' } : {}) }
  const pacing = grown(kept, startsPerMinute, now)
  const tokens = Math.floor(pacing.tokens)
  if (places === 0) return { starts: 0, pacing, because: 'place' }
  if (tokens >= places) return { starts: places, pacing }
  const again = now + Math.ceil(((tokens + 1 - pacing.tokens) * 60_000) / startsPerMinute)
  return { starts: tokens, pacing, because: 'rate', again }
}

/** The tokens of a bucket that fills by the rate and holds the starts of five seconds, at least one. */
function grown(kept: Pacing | undefined, perMinute: number, now: number): Pacing {
  const full = Math.max(1, (perMinute * BURST_S) / 60)
  if (kept === undefined) return { tokens: 1, at: now }
  const tokens = kept.tokens + (Math.max(0, now - kept.at) * perMinute) / 60_000
  return { tokens: Math.min(tokens, full), at: now }
}
