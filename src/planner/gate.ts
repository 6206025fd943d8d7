import type { Plan, PlanCounters } from '../domain/index.ts'

/**
 * True when so many attempts failed that starts must stop. Judged are the attempts since a person last let the plan go on, also those of
 * devices that are tried again; a device that did not come has failed at nothing.
 */
export function gateClosed({ settings, gateBase }: Plan, { attempts }: Pick<PlanCounters, 'attempts'>): boolean {
  const failed = attempts.failed - (gateBase?.failed ?? 0)
  const moved = attempts.moved - (gateBase?.moved ?? 0)
  const sample = failed + moved
  if (sample < settings.gateMinSample || sample === 0) return false
  return (failed * 100) / sample > settings.failureGatePercent
}
