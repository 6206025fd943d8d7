import { AppError } from '../base/index.ts'
import type { MemberState, Pacing, Plan, PlanMember } from '../device/index.ts'
import { otherPlan } from './assessing.ts'
import { type Executor, type ExecutorDeps, LEASE_MS } from './executor.ts'
import { IN_FLIGHT } from './machine.ts'
import { absence } from './presence.ts'
import { GONE } from './script.ts'

const BATCH = 100
/** Boxes that turn out to be absent leave their places to others, but not for ever within one round. */
const PASSES = 3

/**
 * Starts QUEUED members as far as places and rate allow. Only who has the plan's round may call it: the limits are counted, then used.
 * A box that is on its way back but does not come holds no place.
 */
export async function startSome(
  plan: Plan,
  kept: Pacing | undefined,
  deps: ExecutorDeps,
  executor: Pick<Executor, 'begin' | 'settle'>,
): Promise<void> {
  const { plans, clock, instance } = deps
  const { maxInFlight, startsPerMinute } = plan.settings
  for (let pass = 0; pass < PASSES; pass++) {
    const places = maxInFlight - (await placesTaken(plan, deps))
    if (places <= 0) return
    const pacing = startsPerMinute === 0 ? undefined : grown(kept, startsPerMinute, clock.now())
    const limit = Math.min(places, BATCH, pacing === undefined ? BATCH : Math.floor(pacing.tokens))
    if (limit <= 0) return
    const due = await plans.claimDue(plan.id, ['QUEUED'], instance, clock.now(), LEASE_MS, limit)
    if (due.length === 0) return
    // Counted before they start: a cut in between starts too few, never too many.
    if (pacing !== undefined) {
      kept = { ...pacing, tokens: pacing.tokens - due.length }
      await plans.keepPacing(plan.id, instance, kept)
    }
    const results = await Promise.all(due.map((member) => startOne(plan, member, deps, executor)))
    const idle = results.filter((started) => !started).length
    if (kept !== undefined && idle > 0) {
      kept = { ...kept, tokens: kept.tokens + idle }
      await plans.keepPacing(plan.id, instance, kept)
    }
    if (idle === 0) return
  }
}

async function placesTaken(plan: Plan, { plans }: ExecutorDeps): Promise<number> {
  const limit = plan.settings.maxInFlight
  const ahead: MemberState[] = IN_FLIGHT.filter((state) => state !== 'ROLLING_BACK')
  const [forward, back] = await Promise.all([
    plans.countIn(plan.id, ahead, limit),
    plans.countIn(plan.id, ['ROLLING_BACK'], limit, true),
  ])
  return forward + back
}

/** False: it was not started, and why stands on the member. */
async function startOne(
  plan: Plan,
  member: PlanMember,
  deps: ExecutorDeps,
  executor: Pick<Executor, 'begin' | 'settle'>,
): Promise<boolean> {
  const device = await deps.devices.get(member.deviceId)
  if (device === undefined) {
    await release(await executor.settle(plan, member, GONE), deps)
    return false
  }
  const other = otherPlan(plan.id, device.migration)
  if (other !== undefined) {
    await release(await executor.settle(plan, member, other), deps)
    return false
  }
  const absent = absence(device, member, deps.clock.now())
  if (absent !== undefined) {
    await executor.settle(plan, member, absent)
    return false
  }
  try {
    // Another plan that starts the same device changes its revision: one of the two finds out here.
    await executor.begin(plan, member, { revision: device.revision })
    return true
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'conflict') throw error
    await deps.plans.free(member.id, deps.instance, deps.clock.now())
    return false
  }
}

async function release(member: PlanMember, { plans, instance }: ExecutorDeps): Promise<void> {
  await plans.free(member.id, instance, member.nextAt)
}

/** A bucket that fills by the rate and holds five seconds' worth, at least one start. */
function grown(kept: Pacing | undefined, perMinute: number, now: number): Pacing {
  const full = Math.max(1, perMinute / 12)
  if (kept === undefined) return { tokens: 1, at: now }
  const tokens = kept.tokens + (Math.max(0, now - kept.at) * perMinute) / 60_000
  return { tokens: Math.min(tokens, full), at: now }
}
