/**
 * Returns the milliseconds until Periodic! is due (TR-181 PeriodicNotifInterval, PeriodicNotifTime): the next time that
 * is a whole number of intervals away from `timeMs`, or one interval when there is no such time.
 */
export function untilPeriodicMs(nowMs: number, intervalS: number, timeMs: number | undefined): number {
  const interval = intervalS * 1000
  if (timeMs === undefined) return interval
  const since = (nowMs - timeMs) % interval
  return since >= 0 ? interval - since : -since
}
