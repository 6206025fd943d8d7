import { FORWARD, type Pacing, type PlanCounters, type PlanSettings } from '../domain/index.ts'

/** A start rate may save up this many seconds' worth of starts. */
const BURST_S = 5

/** Starts that are allowed now. `because`: the bound that is reached; absent when none is. */
interface Allowance {
  starts: number
  pacing?: Pacing
  because?: 'place' | 'rate'
}

/**
 * The number of devices that may start now, by places and rate. A device on its way back that does not come holds no place. `now` is service
 * time.
 */
export function allowance(
  { maxInFlight, startsPerMinute }: Pick<PlanSettings, 'maxInFlight' | 'startsPerMinute'>,
  counters: Pick<PlanCounters, 'states' | 'waits'>,
  kept: Pacing | undefined,
  now: number,
): Allowance {
  const places = Math.max(0, maxInFlight - placesTaken(counters))
  if (startsPerMinute === 0) return { starts: places, ...(places === 0 ? { because: 'place' } : {}) }
  const pacing = grown(kept, startsPerMinute, now)
  const tokens = Math.floor(pacing.tokens)
  if (places === 0) return { starts: 0, pacing, because: 'place' }
  return { starts: Math.min(places, tokens), pacing, ...(tokens < places ? { because: 'rate' } : {}) }
}

/** Places that are in use. */
export function placesTaken({ states, waits }: Pick<PlanCounters, 'states' | 'waits'>): number {
  const forward = FORWARD.reduce((sum, state) => sum + (states[state] ?? 0), 0)
  const absent = waits['ROLLING_BACK|offline'] ?? 0
  return forward + Math.max(0, (states.ROLLING_BACK ?? 0) - absent)
}

/** A bucket that fills by the rate and holds five seconds' worth, at least one start. */
function grown(kept: Pacing | undefined, perMinute: number, now: number): Pacing {
  const full = Math.max(1, (perMinute * BURST_S) / 60)
  if (kept === undefined) return { tokens: 1, at: now }
  const tokens = kept.tokens + (Math.max(0, now - kept.at) * perMinute) / 60_000
  return { tokens: Math.min(tokens, full), at: now }
}
