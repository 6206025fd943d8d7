import { AppError, errorText, type Log } from '../base/index.ts'
import type { DeviceId, DeviceStore, MemberState, Plan, PlanMember, PlanStore, Timestamp } from '../device/index.ts'
import type { Executor } from './executor.ts'
import type { Groups } from './groups.ts'
import { ABORTABLE, RETRIABLE } from './machine.ts'

const ENROL_BATCH = 500
const ENROL_PER_ROUND = 2000
const PAGE = 100

export interface SweepDeps {
  plans: PlanStore
  devices: DeviceStore
  groups: Groups
  executor: Executor
  now(): Timestamp
  log: Log
}

/** Work over all members of a plan, a bounded piece per round; what is done is kept in the plan, so that a restart goes on behind it. */
export interface Sweeps {
  /** One piece. The plan as it stands after it. */
  goOn(plan: Plan): Promise<Plan>
  /** Cancels or turns back a piece of what an aborting plan still has. */
  abortSome(plan: Plan): Promise<void>
  /** Which of these devices there is something to retry for; of the others, why not. */
  retriable(plan: Plan, devices: DeviceId[]): Promise<{ devices: DeviceId[]; refused: RetryReport['refused'] }>
  /** Retries single devices, and tells of each that cannot be. */
  retry(plan: Plan, devices: DeviceId[], actor: string): Promise<RetryReport>
}

export interface RetryReport {
  accepted: number
  refused: { deviceId: string; reason: string }[]
}

export function createSweeps({ plans, devices, groups, executor, now, log }: SweepDeps): Sweeps {
  /** A member that moved on meanwhile takes the event in its new state or not at all. Undefined: it took it. */
  async function apply(memberId: string, event: 'abort' | 'retry', actor: string): Promise<string | undefined> {
    try {
      await executor.apply(memberId, event, actor)
      return undefined
    } catch (error) {
      log.debug({ memberId, event, reason: errorText(error) }, 'event did not apply')
      return errorText(error)
    }
  }

  /** Freezes the membership: every device of the group is a member from now on. */
  async function enrol(plan: Plan, after: string): Promise<string | undefined> {
    const group = await groups.get(plan.groupId)
    let last = after
    let count = 0
    for await (const ids of devices.ids(groups.selectorOf(group), ENROL_BATCH, after)) {
      await plans.addMembers(ids.map((deviceId) => newMember(plan.id, deviceId, now())))
      last = ids.at(-1) ?? last
      count += ids.length
      if (count >= ENROL_PER_ROUND) return last
    }
    return undefined
  }

  async function retryAll(plan: Plan, cursor: string, actor: string): Promise<string | undefined> {
    // What is not eligible stays so until somebody changes the box; it is retried by name only.
    const states: MemberState[] = RETRIABLE.filter((state) => state !== 'INELIGIBLE')
    const page = await plans.listMembers(plan.id, { states, limit: PAGE, ...(cursor === '' ? {} : { cursor }) })
    await Promise.all(page.items.map((member) => apply(member.id, 'retry', actor)))
    return page.next
  }

  return {
    async goOn(plan) {
      const { sweep, ...rest } = plan
      if (sweep === undefined) return plan
      const after = await (sweep.kind === 'enrol' ? enrol(plan, sweep.after) : retryAll(plan, sweep.after, sweep.actor))
      const next: Plan = {
        ...rest,
        revision: plan.revision + 1,
        ...(after === undefined ? {} : { sweep: { ...sweep, after } }),
      }
      await plans.putPlan(next, plan.revision)
      return next
    },
    async abortSome(plan) {
      const page = await plans.listMembers(plan.id, { states: [...ABORTABLE], limit: PAGE })
      await Promise.all(page.items.map((member) => apply(member.id, 'abort', plan.abortedBy ?? 'planner')))
    },
    async retriable(plan, wanted) {
      const reasons = await inPieces(wanted, async (deviceId) => {
        const member = await plans.getMember(`${plan.id}|${deviceId}`)
        if (member === undefined) return 'the device is no member of this plan'
        return RETRIABLE.includes(member.state) ? undefined : `the device is ${member.state}: there is nothing to retry`
      })
      return { devices: wanted.filter((_, i) => reasons[i] === undefined), refused: refusedOf(wanted, reasons) }
    },
    async retry(plan, wanted, actor) {
      const reasons = await inPieces(wanted, (deviceId) => apply(`${plan.id}|${deviceId}`, 'retry', actor))
      const refused = refusedOf(wanted, reasons)
      return { accepted: wanted.length - refused.length, refused }
    },
  }
}

async function inPieces<T>(all: DeviceId[], work: (deviceId: DeviceId) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let i = 0; i < all.length; i += PAGE) results.push(...(await Promise.all(all.slice(i, i + PAGE).map(work))))
  return results
}

function refusedOf(devices: DeviceId[], reasons: (string | undefined)[]): RetryReport['refused'] {
  return devices.flatMap((deviceId, i) => {
    const reason = reasons[i]
    return reason === undefined ? [] : [{ deviceId, reason }]
  })
}

function newMember(planId: string, deviceId: DeviceId, now: Timestamp): PlanMember {
  return {
    id: `${planId}|${deviceId}`,
    planId,
    deviceId,
    state: 'UNASSESSED',
    step: '',
    cursor: {},
    attempt: 1,
    nextAt: now,
    history: [],
    enteredAt: now,
    revision: 1,
  }
}

/** A plan that somebody changed between read and write: the next round sees it. */
export function isConflict(error: unknown): boolean {
  return error instanceof AppError && error.code === 'conflict'
}
