import { isConflict } from '../base/index.ts'
import type { Pacing, Plan, PlanMember } from '../device/index.ts'
import { LEASE_MS, type MemberRunner, type RunnerDeps } from './member-runner.ts'
import { allowance } from './pace.ts'
import { absence } from './presence.ts'
import { GONE } from './script.ts'
import { heldByOther } from './transition.ts'

/** Members that are looked at in one go. */
const MIN_LOOK = 50
const MAX_LOOK = 200
/** Absent devices leave their places to others; so many looks find these within one round. */
const MAX_LOOKS = 10

/**
 * Starts QUEUED members as far as places and rate allow. Only the holder of the plan's round may call it: the limits are counted, then used.
 * Looking at a member costs no start: one whose device is absent waits for its contact from then on.
 */
export async function startSome(
  plan: Plan,
  kept: Pacing | undefined,
  deps: RunnerDeps,
  runner: MemberRunner,
): Promise<void> {
  const { plans, time, instance } = deps
  let pacing = kept
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const allowed = allowance(plan.settings, await plans.counters(plan.id), pacing, time.now())
    pacing = allowed.pacing
    if (allowed.starts <= 0) return
    const look = Math.min(MAX_LOOK, Math.max(MIN_LOOK, allowed.starts))
    const found = await plans.claimSome(
      plan.id,
      { states: ['QUEUED'], waiting: 'place' },
      instance,
      time.now(),
      LEASE_MS,
      look,
    )
    if (found.length === 0) return
    // Counted before they start: a cut in between starts too few, never too many.
    pacing = await spend(plan, pacing, Math.min(allowed.starts, found.length), deps)
    const started = await startUpTo(allowed.starts, plan, found, deps, runner)
    pacing = await spend(plan, pacing, started - Math.min(allowed.starts, found.length), deps)
    if (found.length < look) return
  }
}

/** Starts the first members whose devices are here, and gives the rest back. Resolves with how many started. */
async function startUpTo(
  limit: number,
  plan: Plan,
  found: PlanMember[],
  deps: RunnerDeps,
  runner: MemberRunner,
): Promise<number> {
  const here: PlanMember[] = []
  await Promise.all(
    found.map(async (member) => {
      if (await mayStart(plan, member, deps, runner)) here.push(member)
    }),
  )
  here.sort((a, b) => (a.id < b.id ? -1 : 1))
  const begun = await Promise.all(here.slice(0, limit).map((member) => begin(plan, member, deps, runner)))
  await deps.plans.free(
    here.slice(limit).map(({ id }) => id),
    deps.instance,
  )
  return begun.filter(Boolean).length
}

/** False: it is not to be started, and its member says why. */
async function mayStart(plan: Plan, member: PlanMember, deps: RunnerDeps, runner: MemberRunner): Promise<boolean> {
  const device = await deps.devices.get(member.deviceId)
  if (device === undefined) {
    await runner.begin(plan, member, GONE)
    return false
  }
  const other = heldByOther(plan.id, device.migration)
  if (device.owner === 'usp' && (other === undefined || device.migration?.state === 'MIGRATED')) {
    await runner.begin(plan, member, { event: 'alreadyThere' })
    return false
  }
  if (other !== undefined) {
    await runner.begin(plan, member, { event: 'blocked', reason: other })
    return false
  }
  const absent = absence(device, member, deps.clock.now())
  if (absent === undefined) return true
  await runner.park(plan, member, absent)
  return false
}

/** False: the device changed meanwhile; another plan may have started it. */
async function begin(plan: Plan, member: PlanMember, deps: RunnerDeps, runner: MemberRunner): Promise<boolean> {
  try {
    await runner.begin(plan, member, { event: 'start' })
    return true
  } catch (error) {
    if (!isConflict(error)) throw error
    await deps.plans.free([member.id], deps.instance)
    return false
  }
}

async function spend(
  plan: Plan,
  pacing: Pacing | undefined,
  starts: number,
  { plans, instance }: RunnerDeps,
): Promise<Pacing | undefined> {
  if (pacing === undefined || starts === 0) return pacing
  const left = { ...pacing, tokens: pacing.tokens - starts }
  await plans.keepPacing(plan.id, instance, left)
  return left
}
