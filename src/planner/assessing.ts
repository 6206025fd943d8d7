import { errorText } from '../base/index.ts'
import type { MemberState, Plan, PlanMember } from '../device/index.ts'
import type { ExecutorDeps } from './executor.ts'
import { IN_FLIGHT } from './machine.ts'
import { absence } from './presence.ts'
import { assess, READINESS_PATHS } from './readiness.ts'
import { GONE, MustWait, type Outcome, Script, StepFailed } from './script.ts'

type Deps = Pick<
  ExecutorDeps,
  'plans' | 'devices' | 'parameters' | 'conflicts' | 'operations' | 'clock' | 'newId' | 'heard'
>

/** UNASSESSED: readiness from what is stored; a box that has shown too little is asked, when it is there. */
export async function assessMember(plan: Plan, member: PlanMember, deps: Deps): Promise<Outcome> {
  const device = await deps.devices.get(member.deviceId)
  if (device === undefined) return GONE
  const other = otherPlan(plan.id, device.migration)
  if (other !== undefined) return other
  if (device.owner === 'usp') return { kind: 'event', event: 'alreadyThere' }
  const stored = await deps.parameters.getMany(device.id, READINESS_PATHS)
  const asked = (device.cwmp?.discoveredFor ?? '') !== ''
  let readiness = assess(device, { parameters: stored, asked }, deps.clock.now())
  if (readiness.class === 'UNKNOWN') {
    const absent = absence(device, member, deps.clock.now())
    if (absent !== undefined) return absent
    const tries = typeof member.cursor.asked === 'number' ? member.cursor.asked : 0
    try {
      const script = new Script(plan, member, deps, async (next) => next)
      const found = await script.read(`assess${tries}`, READINESS_PATHS, 'cwmp')
      const parameters = [...found.values()].map(({ path, value }) => ({ path, value: value ?? '' }))
      readiness = assess(device, { parameters, asked: true }, deps.clock.now())
    } catch (error) {
      if (error instanceof MustWait) return error.outcome
      if (!(error instanceof StepFailed)) throw error
      // Not having come is no answer: it is asked anew once it has been heard of.
      if (error.reason.code === 'offline')
        return {
          kind: 'wait',
          waiting: 'offline',
          untilMs: 1000,
          cursor: { asked: tries + 1, missedAt: deps.clock.now() },
        }
      // A box that knows none of the paths has no Agent; one that could not be asked stays unknown.
      readiness = /^90(03|05)$/.test(error.reason.code)
        ? assess(device, { parameters: [], asked: true }, deps.clock.now())
        : { ...readiness, reasons: [...readiness.reasons, errorText(error)] }
    }
  }
  await deps.devices.commit({ deviceId: device.id, set: { readiness } })
  const { evidence } = readiness
  if (readiness.class === 'READY_STANDARD') return { kind: 'event', event: 'eligible', evidence }
  const reason = { code: readiness.class, text: readiness.reasons.join('; ') }
  return { kind: 'event', event: 'ineligible', reason, evidence }
}

/** One active plan per device: where another one moves it, this one keeps its hands off. */
export function otherPlan(
  planId: string,
  pointer: { planId: string; state: string } | undefined,
): Extract<Outcome, { kind: 'event' }> | undefined {
  if (pointer === undefined || pointer.planId === planId) return undefined
  if (!IN_FLIGHT.includes(pointer.state as MemberState)) return undefined
  const reason = { code: 'otherPlan', text: `plan ${pointer.planId} is moving this device` }
  return { kind: 'event', event: 'blocked', reason }
}
