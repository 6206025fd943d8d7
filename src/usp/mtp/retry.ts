/**
 * The wait before attempt n (1, 2, ...) to connect or notify again (TR-369 R-NOT, R-WS.12): random in [m(k/1000)^(n-1), m(k/1000)^n],
 * frozen from the tenth on. `minimumS` is m in seconds, `multiplier` k in thousandths, `fraction` the random number in [0, 1). Answers ms.
 */
export function retryWaitMs(attempt: number, minimumS: number, multiplier: number, fraction: number): number {
  const factor = multiplier / 1000
  const n = Math.min(Math.max(attempt, 1), 10)
  const low = minimumS * factor ** (n - 1)
  return (low + (minimumS * factor ** n - low) * fraction) * 1000
}
