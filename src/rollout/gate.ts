import type { RolloutCounters, RolloutPlan } from './plan.ts'

/**
 * True when so many attempts failed that starts must stop. The gate judges the attempts since a person last let the
 * plan go on, also those of devices that are tried again. A device that did not connect counts as no failure.
 */
export function gateClosed(
  { settings, gateBase }: Pick<RolloutPlan, 'settings' | 'gateBase'>,
  { attempts }: Pick<RolloutCounters, 'attempts'>,
): boolean {
  const failed = attempts.failed - (gateBase?.failed ?? 0)
  const moved = attempts.moved - (gateBase?.moved ?? 0)
  const sample = failed + moved
  if (sample < settings.gateMinSample || sample === 0) return false
  return (failed * 100) / sample > settings.failureGatePercent
}
