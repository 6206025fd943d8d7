import { isConflict } from '../base/index.ts'
import type { Actor, Device, DeviceId, Plan, PlanMember, PlanStore, Readiness } from '../domain/index.ts'
import { absence } from '../rollout/index.ts'
import { type MemberStep, type TransitionDeps, Transitions } from './machine/transition.ts'
import { type JudgeDeps, readinessToStore } from './readiness/keeper.ts'
import { beforeReadiness, byReadiness } from './states/assessing.ts'

/**
 * Makes a member of a device. Readiness, another plan and presence are read from the store and decide at once. Only a device
 * whose readiness is not known stays UNASSESSED. A device that is a member already stays as it is. Resolves with the
 * stored member. Devices that are enrolled together share their reads and writes.
 */
export async function enrol(
  plan: Plan,
  device: Device,
  deps: TransitionDeps & JudgeDeps & { plans: Pick<PlanStore, 'commitMember' | 'getMember'> },
  actor: Actor,
): Promise<PlanMember | undefined> {
  const transitions = new Transitions(deps)
  const member = newMember(plan.id, device.id, deps)
  const newer = await readinessToStore(device, deps)
  const steps = stepsOf(plan, device, newer ?? device.readiness)
  try {
    const record = { device, ...(newer === undefined ? {} : { readiness: newer }) }
    return await transitions.create(plan, member, record, steps, actor, (made) => awaiting(made, device, deps))
  } catch (error) {
    if (!isConflict(error)) throw error
    if ((await deps.plans.getMember(member.id)) !== undefined) return undefined
    // The device changed at the same moment: it is looked at once more as a member.
    return transitions.create(plan, member, undefined, [], actor, (same) => same)
  }
}

/** A member whose device is away waits for its contact: until then nothing is to be done. */
function awaiting(member: PlanMember, device: Device, { clock }: Pick<TransitionDeps, 'clock'>): PlanMember {
  const absent = member.endedAt === undefined ? absence(device, member, clock.now()) : undefined
  if (absent === undefined) return member
  const { dueMs: _due, ...rest } = member
  return { ...rest, waiting: absent.waiting }
}

function stepsOf(plan: Plan, device: Device, readiness: Readiness | undefined): MemberStep[] {
  const before = beforeReadiness(plan, device)
  if (before !== undefined) return [before]
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
