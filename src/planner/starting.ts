import { isConflict } from '../base/index.ts'
import type { Device, Pacing, Plan, PlanMember } from '../domain/index.ts'
import { alreadyThere } from './assessing.ts'
import type { MemberRunner, RunnerDeps } from './member-runner.ts'
import { allowance } from './pace.ts'
import { absence } from './presence.ts'
import { GONE } from './script.ts'
import { heldByOther } from './transition.ts'

/** Members that are looked at in one go: more each time that a look found fewer devices than may start. */
const MIN_LOOK = 50
const MAX_LOOK = 500
/** Absent devices leave their places to others; so many looks find these within a few rounds, whatever the start rate. */
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
  const { plans, time } = deps
  let pacing = kept
  for (let looks = 0, look = MIN_LOOK; looks < MAX_LOOKS; looks++, look = Math.min(MAX_LOOK, 4 * look)) {
    const allowed = allowance(plan.settings, await plans.counters(plan.id), pacing, time.now())
    pacing = allowed.pacing
    if (allowed.starts <= 0) return
    look = Math.min(MAX_LOOK, Math.max(look, allowed.starts))
    const found = await plans.freeMembers(plan.id, { states: ['QUEUED'], waiting: 'place' }, time.now(), look)
    if (found.length === 0) return
    // Counted before they start: a cut in between starts too few, never too many.
    pacing = await spend(plan, pacing, Math.min(allowed.starts, found.length), deps)
    const started = await startUpTo(allowed.starts, plan, found, deps, runner)
    pacing = await spend(plan, pacing, started - Math.min(allowed.starts, found.length), deps)
    if (found.length < look) return
  }
}

/** Starts the first members whose devices are here. Resolves with how many started. */
async function startUpTo(
  limit: number,
  plan: Plan,
  found: PlanMember[],
  deps: RunnerDeps,
  runner: MemberRunner,
): Promise<number> {
  const here: { member: PlanMember; device: Device }[] = []
  await Promise.all(
    found.map(async (member) => {
      const device = await present(plan, member, deps, runner)
      if (device !== undefined) here.push({ member, device })
    }),
  )
  here.sort((a, b) => (a.member.id < b.member.id ? -1 : 1))
  const begun = await Promise.all(
    here
      .slice(0, limit)
      .map(({ member, device }) => unlessChanged(runner.begin(plan, member, { event: 'start' }, device))),
  )
  return begun.filter(Boolean).length
}

/** The device of a member that may start. Undefined: it may not, and its member says why. */
async function present(
  plan: Plan,
  member: PlanMember,
  deps: RunnerDeps,
  runner: MemberRunner,
): Promise<Device | undefined> {
  const device = await deps.devices.get(member.deviceId)
  if (device === undefined) {
    await unlessChanged(runner.begin(plan, member, GONE))
    return undefined
  }
  const other = heldByOther(plan.id, device.migration)
  if (device.owner === 'usp' && (other === undefined || device.migration?.state === 'MIGRATED')) {
    await unlessChanged(runner.begin(plan, member, alreadyThere(device), device))
    return undefined
  }
  if (other !== undefined) {
    await unlessChanged(runner.begin(plan, member, { event: 'blocked', reason: other }, device))
    return undefined
  }
  const absent = absence(device, member, deps.clock.now())
  if (absent === undefined) return device
  await unlessChanged(runner.park(plan, member, absent))
  return undefined
}

/** False: the member or its device has changed since it was read; the next look sees how it stands then. */
async function unlessChanged(work: Promise<void>): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    if (!isConflict(error)) throw error
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
