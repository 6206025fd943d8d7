import { isConflict } from '../base/index.ts'
import type { Device, DeviceId, Plan, PlanMember, PlanStore } from '../device/index.ts'
import { beforeReadiness, byReadiness } from './assessing.ts'
import { absence } from './presence.ts'
import { type MemberStep, type TransitionDeps, Transitions } from './transition.ts'

/**
 * Makes a member of a device. What the record shows decides at once: readiness, another plan, presence. Only a device whose readiness is
 * not known stays UNASSESSED. A device that is a member already stays as it is. Resolves with the stored member.
 */
export async function enrol(
  plan: Plan,
  device: Device,
  deps: TransitionDeps & { plans: Pick<PlanStore, 'commitMember' | 'getMember'> },
  actor: string,
): Promise<PlanMember | undefined> {
  const transitions = new Transitions(deps)
  const member = newMember(plan.id, device.id, deps)
  const steps = stepsOf(plan, device)
  try {
    return await transitions.create(plan, member, device, steps, actor, (queued) => {
      const absent = absence(device, queued, deps.clock.now())
      return absent === undefined ? queued : { ...queued, waiting: absent.waiting }
    })
  } catch (error) {
    if (!isConflict(error)) throw error
    if ((await deps.plans.getMember(member.id)) !== undefined) return undefined
    // The device changed at the same moment: it is looked at once more as a member.
    return transitions.create(plan, member, undefined, [], actor, (same) => same)
  }
}

function stepsOf(plan: Plan, device: Device): MemberStep[] {
  const before = beforeReadiness(plan, device)
  if (before !== undefined) return [before]
  const { readiness } = device
  if (readiness === undefined || readiness.class === 'UNKNOWN') return []
  const step = byReadiness(readiness)
  return step.event === 'eligible' ? [step, { event: 'queue' }] : [step]
}

function newMember(
  planId: string,
  deviceId: DeviceId,
  { clock, time }: Pick<TransitionDeps, 'clock' | 'time'>,
): PlanMember {
  return {
    id: `${planId}|${deviceId}`,
    planId,
    deviceId,
    state: 'UNASSESSED',
    step: '',
    done: [],
    facts: {},
    attempt: 1,
    visit: 0,
    dueMs: time.now(),
    history: [],
    enteredAt: clock.now(),
    enteredMs: time.now(),
    revision: 1,
  }
}
