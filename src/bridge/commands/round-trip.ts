import { parseDurationUs } from '../../routeros/index.ts'

/** Returns the microseconds of a round trip as RouterOS writes it, e.g. `453us` or `12ms`; undefined for another text. */
export function microsecondsOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : (parseDurationUs(text) ?? undefined)
}

/** Milliseconds for TR-181, where a time below one counts as one. */
export function millisecondsOf(microseconds: number): number {
  return microseconds === 0 ? 0 : Math.max(1, Math.round(microseconds / 1000))
}
