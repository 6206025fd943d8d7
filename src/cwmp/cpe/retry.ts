/**
 * Returns the wait in milliseconds before session retry n (1, 2, ...) of a CPE (TR-069 3.2.1.1): random in
 * [m(k/1000)^(n-1), m(k/1000)^n] seconds, constant from the tenth on. `minimumS` is CWMPRetryMinimumWaitInterval,
 * `multiplier` CWMPRetryIntervalMultiplier.
 */
export function sessionRetryWaitMs(attempt: number, minimumS: number, multiplier: number, fraction: number): number {
  const n = Math.min(Math.max(attempt, 1), 10)
  const factor = multiplier / 1000
  const low = minimumS * factor ** (n - 1)
  return (low + (minimumS * factor ** n - low) * fraction) * 1000
}
