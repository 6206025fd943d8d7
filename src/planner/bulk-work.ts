import { AppError, isConflict } from '../base/index.ts'
import {
  type BulkWork,
  type DeviceId,
  ENDED,
  type GroupStore,
  type LeftOut,
  type MemberQuery,
  type MemberState,
  memberStateRow,
  type Plan,
  type PlanMember,
  parseSelector,
  type Selector,
} from '../domain/index.ts'
import type { Groups } from '../groups/index.ts'
import { enrol } from './enrolling.ts'
import { leftOutBy, withLeftOut } from './left-out.ts'
import { ABORTABLE, MEMBER_TABLE, RETRIABLE, RETURNABLE } from './machine.ts'
import { LEASE_MS, type MemberRunner, type RunnerDeps } from './member-runner.ts'
import { allowance } from './pace.ts'
import { isAborting } from './plan-state.ts'
import type { MemberStep } from './transition.ts'

/** Devices in one claim, read or commit. */
const BATCH = 500
/** Devices in one round: a round must end soon, because starts and the gate wait for it. */
const PER_ROUND = 4000

/** The kinds of bulk work that act on members; the others make them or look at them. */
export type MemberAction = 'retry' | 'abort' | 'rollback'

/** The outcome of an action for named devices. */
export interface ActionReport {
  accepted: number
  /** Accepted ones that were being rolled back already: an abort or a rollback of these only says that no other attempt follows. */
  underWay: number
  refused: { deviceId: string; reason: string }[]
}

interface BulkDeps extends RunnerDeps {
  groups: Groups
  groupStore: Pick<GroupStore, 'get'>
}

/** States that an action applies to. An ineligible device stays so until somebody changes it; it is retried by name only. */
const STATES: Record<MemberAction, readonly MemberState[]> = {
  retry: RETRIABLE.filter((state) => state !== 'INELIGIBLE'),
  abort: ABORTABLE,
  rollback: RETURNABLE,
}
const VERB: Record<MemberAction, string> = { retry: 'retry', abort: 'abort', rollback: 'roll back' }
/** Not refused: what is asked for is being done. */
const UNDER_WAY = 'underWay'
const NAMED: Record<MemberAction, readonly MemberState[]> = { ...STATES, retry: RETRIABLE }

/**
 * The event of an action for a member. AppError `conflict` when the member's plan never wrote on the device, or when it would begin anew in a
 * plan that is being aborted.
 */
function stepOf(plan: Plan, action: MemberAction, member: PlanMember): MemberStep {
  if (action === 'retry') {
    const next = MEMBER_TABLE[member.state].retry
    if (isAborting(plan) && next !== undefined && memberStateRow(next).phase === 'before')
      throw new AppError('conflict', 'the plan is being aborted; retry the device when that is over')
    return member.state === 'CONFLICT' ? { event: 'retry', facts: { afterwards: 'again' } } : { event: 'retry' }
  }
  if (action === 'abort') return { event: 'abort', facts: { afterwards: 'stop' } }
  if (member.startedAt === undefined || member.facts.alreadyThere === true)
    throw new AppError('conflict', 'the device was on USP before this plan: there is nothing to roll back')
  return { event: 'rollback', facts: { afterwards: 'stop' } }
}

/** Work over many members of a plan, a bounded piece per round; its progress is kept in the plan, so that a restart goes on behind it. */
export class BulkWorks {
  readonly #deps: BulkDeps
  readonly #runner: MemberRunner
  /** Devices that are being enrolled, by plan: one query serves all rounds. */
  readonly #streams = new Map<string, { after: string; ids: AsyncIterator<DeviceId[]> }>()

  constructor(deps: BulkDeps, runner: MemberRunner) {
    this.#deps = deps
    this.#runner = runner
  }

  /**
   * Carries on the bulk work of a plan and resolves with the plan as it stands then; the same object when nothing went on. Works go on in their
   * order. Only an abort and a paced rollback let others go on beside them, and a retry waits for the end of an abort, which would cancel what
   * it takes up. Only the holder of the plan's round may call it.
   */
  async goOn(plan: Plan): Promise<Plan> {
    const { bulk = [], leftOut: _leftOut, ...rest } = plan
    if (!bulk.some(({ kind }) => kind === 'enrol')) await this.#endStream(plan.id)
    const left: BulkWork[] = []
    const found = { leftOut: plan.leftOut ?? [] }
    let changed = false
    for (const work of bulk) {
      const mayGoOn = left.every(({ kind, paced }) => (kind === 'abort' && work.kind !== 'retry') || paced === true)
      const after = mayGoOn || work.kind === 'abort' ? await this.#piece(plan, work, left.length > 0, found) : work
      changed ||= after?.after !== work.after
      if (after !== undefined) left.push(after)
    }
    if (!changed) return plan
    const next: Plan = {
      ...rest,
      revision: plan.revision + 1,
      ...(left.length === 0 ? {} : { bulk: left }),
      ...(found.leftOut.length === 0 ? {} : { leftOut: found.leftOut }),
    }
    await this.#deps.plans.putPlan(next, plan.revision)
    return next
  }

  /** Applies an action to named devices, and tells of each that does not take it. */
  async forDevices(plan: Plan, action: MemberAction, devices: DeviceId[], actor: string): Promise<ActionReport> {
    const refused: ActionReport['refused'] = []
    let underWay = 0
    const wanted = [...new Set(devices)]
    for (let i = 0; i < wanted.length; i += BATCH) {
      const batch = wanted.slice(i, i + BATCH)
      const members = await this.#free(plan, { states: NAMED[action], devices: batch }, BATCH)
      const taken = await this.#runner.applyTo(plan, members, (member) => stepOf(plan, action, member), actor)
      await Promise.all(
        batch.map(async (deviceId) => {
          const reason = taken.has(deviceId) ? undefined : await this.#alone(plan, action, deviceId, actor)
          if (reason === UNDER_WAY) underWay++
          else if (reason !== undefined) refused.push({ deviceId, reason })
        }),
      )
    }
    return { accepted: wanted.length - refused.length, underWay, refused }
  }

  /** A device that was worked on, or that changed meanwhile: it waits its turn, is being rolled back, or there is nothing to do for it. */
  async #alone(plan: Plan, action: MemberAction, deviceId: DeviceId, actor: string): Promise<string | undefined> {
    const member = await this.#deps.plans.getMember(`${plan.id}|${deviceId}`)
    if (member === undefined) return 'the device is no member of this plan'
    try {
      if (member.state === 'ROLLING_BACK' && action !== 'retry') {
        await this.#runner.stopAfterRollback(member.id)
        return UNDER_WAY
      }
      if (!NAMED[action].includes(member.state))
        return `the device is ${member.state}: there is nothing to ${VERB[action]}`
      await this.#runner.apply(member.id, stepOf(plan, action, member), actor)
      return undefined
    } catch (error) {
      if (!isConflict(error) || !(error instanceof Error)) throw error
      return error.message
    }
  }

  /** One piece; undefined when the work is done. `behind`: other work before it is not done. `found`: where a survey adds what it finds. */
  #piece(plan: Plan, work: BulkWork, behind: boolean, found: { leftOut: LeftOut[] }): Promise<BulkWork | undefined> {
    if (work.kind === 'survey') return this.#survey(plan, work, found)
    if (work.kind === 'enrol') return this.#enrol(plan, work)
    if (work.kind === 'abort') return this.#abort(plan, work, behind)
    if (work.selector !== undefined) return this.#bySelector(plan, work, work.selector)
    return this.#byMembers(plan, work, work.kind)
  }

  /**
   * Freezes the membership: every device of the group is a member from now on. AppError `notFound` when the group was deleted meanwhile and
   * the plan runs. A plan that was paused for it, or that is being aborted, has all members that it can have.
   */
  async #enrol(plan: Plan, work: BulkWork): Promise<BulkWork | undefined> {
    const gone = plan.state !== 'running' && (await this.#deps.groupStore.get(plan.groupId)) === undefined
    if (gone) return undefined
    const stream = await this.#devicesBehind(plan, work.after)
    let goesOn = false
    try {
      for (let count = 0; count < PER_ROUND; ) {
        const next = await stream.ids.next()
        if (next.done === true) return undefined
        await this.#enrolAll(plan, next.value, work.actor)
        stream.after = next.value.at(-1) ?? stream.after
        count += next.value.length
      }
      goesOn = true
      return { ...work, after: stream.after }
    } finally {
      if (!goesOn) await this.#endStream(plan.id)
    }
  }

  async #enrolAll(plan: Plan, ids: DeviceId[], actor: string): Promise<void> {
    const members = await Promise.all(
      ids.map(async (id) => {
        const device = await this.#deps.devices.get(id)
        return device === undefined ? undefined : enrol(plan, device, this.#deps, actor)
      }),
    )
    for (const member of members) if (member !== undefined) this.#runner.noted(member)
  }

  /** The devices of the plan's group behind an id. The embedded engine reads all that match for each query, whatever the limit. */
  async #devicesBehind(plan: Plan, after: string): Promise<{ after: string; ids: AsyncIterator<DeviceId[]> }> {
    const { groups, devices } = this.#deps
    const group = await groups.get(plan.groupId)
    const open = this.#streams.get(plan.id)
    if (open?.after === after) return open
    await this.#endStream(plan.id)
    const ids = devices.ids(groups.selectorOf(group), BATCH, after)[Symbol.asyncIterator]()
    const stream = { after, ids }
    this.#streams.set(plan.id, stream)
    return stream
  }

  async #endStream(planId: string): Promise<void> {
    const stream = this.#streams.get(planId)
    this.#streams.delete(planId)
    await stream?.ids.return?.()
  }

  /** Cancels or turns back what there is, until nothing is left that an abort applies to. */
  async #abort(plan: Plan, work: BulkWork, behind: boolean): Promise<BulkWork | undefined> {
    const members = await this.#free(plan, { states: ABORTABLE }, PER_ROUND)
    await this.#apply(plan, 'abort', members, work.actor)
    if (members.length === PER_ROUND) return work
    const { items } = await this.#deps.plans.listMembers(plan.id, { states: ABORTABLE, limit: 1 })
    return items.length > 0 || behind ? work : undefined
  }

  async #byMembers(plan: Plan, work: BulkWork, action: MemberAction): Promise<BulkWork | undefined> {
    const limit = await this.#limit(plan, work)
    if (limit <= 0) return work
    const members = await this.#free(plan, { states: STATES[action], after: work.after as DeviceId }, limit)
    await this.#apply(plan, action, members, work.actor)
    return members.length < limit ? undefined : { ...work, after: members.at(-1)?.deviceId ?? work.after }
  }

  /** Counts the devices that the rollback leaves out. What is found is stored with the progress, so that no device is counted twice. */
  async #survey(plan: Plan, work: BulkWork, found: { leftOut: LeftOut[] }): Promise<BulkWork | undefined> {
    const members = await this.#free(plan, { states: ENDED, after: work.after as DeviceId }, PER_ROUND)
    const records = await Promise.all(members.map(({ deviceId }) => this.#deps.devices.get(deviceId)))
    for (const [i, member] of members.entries()) {
      const reason = leftOutBy(plan, member, records[i])
      if (reason !== undefined) found.leftOut = withLeftOut(found.leftOut, reason, member)
    }
    return members.length < PER_ROUND ? undefined : { ...work, after: members.at(-1)?.deviceId ?? work.after }
  }

  async #bySelector(plan: Plan, work: BulkWork, text: string): Promise<BulkWork | undefined> {
    const limit = await this.#limit(plan, work)
    if (limit <= 0) return work
    const selector: Selector = {
      and: [parseSelector(text), { field: 'migration.planId', operator: '==', values: [plan.id] }],
    }
    let count = 0
    const size = Math.min(BATCH, limit)
    for await (const ids of this.#deps.devices.ids(selector, size, work.after)) {
      const members = await this.#free(plan, { states: STATES.rollback, devices: ids }, size)
      await this.#apply(plan, 'rollback', members, work.actor)
      count += ids.length
      if (count >= limit || ids.length < size)
        return ids.length < size ? undefined : { ...work, after: ids.at(-1) ?? '' }
    }
    return undefined
  }

  /** A paced rollback keeps to the places and the rate of the plan. */
  async #limit(plan: Plan, work: BulkWork): Promise<number> {
    if (work.paced !== true) return PER_ROUND
    const { plans, time, instance } = this.#deps
    const round = await plans.takeRound(plan.id, instance, time.now(), LEASE_MS)
    const { starts, pacing } = allowance(plan.settings, await plans.counters(plan.id), round?.pacing, time.now())
    if (pacing !== undefined) await plans.keepPacing(plan.id, instance, { ...pacing, tokens: pacing.tokens - starts })
    return Math.min(starts, PER_ROUND)
  }

  #free(plan: Plan, query: MemberQuery, limit: number): Promise<PlanMember[]> {
    const { plans, time } = this.#deps
    return plans.freeMembers(plan.id, query, time.now(), limit)
  }

  /** Applies an action to members, batch by batch. One that changed meanwhile is asked once more; one that does not take it stays as it is. */
  async #apply(plan: Plan, action: MemberAction, members: PlanMember[], actor: string): Promise<void> {
    for (let i = 0; i < members.length; i += BATCH) {
      const batch = members.slice(i, i + BATCH)
      const taken = await this.#runner.applyTo(plan, batch, (member) => stepOf(plan, action, member), actor)
      const others = batch.filter(({ deviceId }) => !taken.has(deviceId))
      await Promise.all(others.map(({ deviceId }) => this.#alone(plan, action, deviceId, actor)))
    }
  }
}
