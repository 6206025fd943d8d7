/**
 * Returns the wait in ms before attempt n (1, 2, ...) to connect or notify again (TR-369 R-NOT, R-WS.12): a random time
 * in [m(k/1000)^(n-1), m(k/1000)^n], constant from the tenth attempt on. `minimumS` is m in seconds, `multiplier` k in
 * thousandths, `fraction` the random number in [0, 1).
 */
export function retryWaitMs(attempt: number, minimumS: number, multiplier: number, fraction: number): number {
  const factor = multiplier / 1000
  const n = Math.min(Math.max(attempt, 1), 10)
  const low = minimumS * factor ** (n - 1)
  return (low + (minimumS * factor ** n - low) * fraction) * 1000
}
