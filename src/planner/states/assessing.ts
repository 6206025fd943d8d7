import { errorText } from '../../base/index.ts'
import { bootstrapOf, type Device, type Plan, type Readiness } from '../../domain/index.ts'
import { absence, DeviceGone, MustWait, StepFailed } from '../../rollout/index.ts'
import { GONE, type Outcome, type Script } from '../machine/script.ts'
import { heldByOther, type MemberStep } from '../machine/transition.ts'
import { readinessOf } from '../readiness/keeper.ts'
import { assess, READINESS_PATHS, sameReadiness } from '../readiness/readiness.ts'

/** UNASSESSED: the readiness of the record decides; a CPE that has shown too little is asked, when it is here. */
export async function assessing(script: Script): Promise<Outcome> {
  const { plan, member, deps } = script
  const device = await deps.devices.get(member.deviceId)
  if (device === undefined) return GONE
  const before = beforeReadiness(plan, device)
  if (before !== undefined) return { kind: 'event', ...before }
  let readiness = await readinessOf(device, deps)
  if (readiness.class === 'UNKNOWN') {
    const absent = absence(device, member, deps.clock.now())
    if (absent !== undefined) return absent
    const found = await ask(script, device, readiness)
    if ('kind' in found) return found
    readiness = found
  }
  if (!sameReadiness(device.readiness, readiness))
    await deps.devices.commit({ deviceId: device.id, set: { readiness } })
  return { kind: 'event', ...byReadiness(readiness) }
}

/** The event that needs no readiness: another plan has the device, or it is on USP already. */
export function beforeReadiness(plan: Plan, device: Device): MemberStep | undefined {
  const other = heldByOther(plan.id, device.migration)
  if (device.owner === 'usp' && (other === undefined || device.migration?.state === 'MIGRATED'))
    return { event: 'alreadyThere', facts: { alreadyThere: true, bootstrapAt: bootstrapOf(device) } }
  return other === undefined ? undefined : { event: 'blocked', reason: other }
}

/** The event of a readiness. */
export function byReadiness({ class: found, reasons, evidence }: Readiness): MemberStep {
  if (found === 'READY_STANDARD' || found === 'READY_BRIDGE') return { event: 'eligible', evidence }
  return { event: 'ineligible', reason: { code: found, text: reasons.join('; ') }, evidence }
}

/** Asks the CPE for what its record does not show. */
async function ask(script: Script, device: Device, readiness: Readiness): Promise<Readiness | Outcome> {
  const tries = script.facts.assessed ?? 0
  const { clock } = script.deps
  try {
    const found = await script.read(`assess${tries}`, READINESS_PATHS, 'cwmp')
    const parameters = [...found.values()].map(({ path, value }) => ({ path, value: value ?? '' }))
    return assess(device, { parameters, asked: true }, clock.now())
  } catch (error) {
    if (error instanceof MustWait) return error.outcome
    if (error instanceof DeviceGone) return GONE
    if (!(error instanceof StepFailed)) throw error
    // A CPE that did not connect has not answered: it is asked again after its next contact.
    if (error.reason.code === 'offline')
      return { kind: 'wait', waiting: 'offline', facts: { assessed: tries + 1, missedAt: clock.now() } }
    // One that knows none of the paths has no Agent; one that could not be asked stays unknown.
    return /^90(03|05)$/.test(error.reason.code)
      ? assess(device, { parameters: [], asked: true }, clock.now())
      : { ...readiness, reasons: [...readiness.reasons, errorText(error)] }
  }
}
