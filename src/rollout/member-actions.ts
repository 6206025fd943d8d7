import { isConflict } from '../base/index.ts'
import {
  type Actor,
  type BulkWork,
  type DeviceId,
  type DeviceStore,
  parseSelector,
  type Selector,
} from '../domain/index.ts'
import { PER_ROUND, type Piece } from './bulk-queue.ts'
import type { MemberRunner, RolloutDeps } from './member-runner.ts'
import { LEASE_MS } from './member-writer.ts'
import { allowance } from './pace.ts'
import type { RolloutMember, RolloutPlan, RolloutStep } from './plan.ts'
import type { MemberAction, RolloutStore } from './ports.ts'
import type { ScriptSet } from './script-set.ts'

/** Devices in one claim, read or commit. */
const BATCH = 500

/** The outcome of an action for named devices. */
export interface ActionReport {
  accepted: number
  /** Accepted ones for which the same was being done already. */
  underWay: number
  refused: { deviceId: string; reason: string }[]
}

/** The rule of an action on members. */
export interface ActionRule<P extends RolloutPlan, M extends RolloutMember, S extends RolloutStep> {
  /** States of the members that the action takes when it is for all. */
  states: readonly M['state'][]
  /** States of the members that it takes by name. */
  named: readonly M['state'][]
  /** The words for it: "there is nothing to ...". */
  words: string
  /** The event of the action for a member. AppError `conflict` when it is not for this member. */
  step(plan: P, member: M): S
  /** Stores that the action was asked for, where the member does it already. Undefined: it does not. */
  underWay?(member: M): Promise<void> | undefined
  /** The reason for which a member does not take it, where more is known than `step` says. */
  refusal?(plan: P, member: M): Promise<string | undefined>
}

interface ActionParts<P extends RolloutPlan, M extends RolloutMember, S extends RolloutStep, X extends object> {
  set: ScriptSet<P, M, S, X>
  runner: MemberRunner<P, M, S, X>
  devices: Pick<DeviceStore, 'ids'>
  rules: Record<MemberAction, ActionRule<P, M, S>>
}

/** Actions on many members of a plan: on all that the action applies to, piece by piece, or on named devices. */
export class MemberActions<P extends RolloutPlan, M extends RolloutMember, S extends RolloutStep, X extends object> {
  readonly #deps: Pick<RolloutDeps<P, M>, 'plans' | 'time' | 'instance'>
  readonly #parts: ActionParts<P, M, S, X>

  constructor(deps: RolloutDeps<P, M>, parts: ActionParts<P, M, S, X>) {
    this.#deps = deps
    this.#parts = parts
  }

  /** Applies an action to named devices, and reports each that does not take it. */
  async forDevices(plan: P, action: MemberAction, devices: DeviceId[], actor: Actor): Promise<ActionReport> {
    const rule = this.#parts.rules[action]
    const refused: ActionReport['refused'] = []
    let underWay = 0
    const wanted = [...new Set(devices)]
    for (let i = 0; i < wanted.length; i += BATCH) {
      const batch = wanted.slice(i, i + BATCH)
      const members = await this.#free(plan, { states: rule.named, devices: batch }, BATCH)
      const taken = await this.#parts.runner.applyTo(plan, members, (member) => rule.step(plan, member), actor)
      await Promise.all(
        batch.map(async (deviceId) => {
          const one = taken.has(deviceId) ? 'taken' : await this.#alone(plan, rule, deviceId, actor)
          if (one === 'underWay') underWay++
          else if (one !== 'taken') refused.push({ deviceId, reason: one.refused })
        }),
      )
    }
    return { accepted: wanted.length - refused.length, underWay, refused }
  }

  /** One piece of an abort: cancels or turns back what there is, until nothing is left that an abort applies to. */
  async abort(plan: P, work: BulkWork, behind: boolean): Promise<Piece<P>> {
    const { states } = this.#parts.rules.abort
    const members = await this.#free(plan, { states }, PER_ROUND)
    await this.#apply(plan, 'abort', members, work.actor)
    if (members.length === PER_ROUND) return { left: work }
    const { items } = await this.#deps.plans.listMembers(plan.id, { states, limit: 1 })
    return items.length > 0 || behind ? { left: work } : {}
  }

  /**
   * One piece of an action for all members in its states, or for those whose device the selector of the work matches.
   */
  async piece(plan: P, work: BulkWork, action: MemberAction): Promise<Piece<P>> {
    const limit = await this.#limit(plan, work)
    if (limit <= 0) return { left: work }
    if (work.selector !== undefined) return this.#bySelector(plan, work, action, work.selector, limit)
    const query = { states: this.#parts.rules[action].states, after: work.after as DeviceId }
    const members = await this.#free(plan, query, limit)
    await this.#apply(plan, action, members, work.actor)
    return members.length < limit ? {} : { left: { ...work, after: members.at(-1)?.deviceId ?? work.after } }
  }

  async #bySelector(plan: P, work: BulkWork, action: MemberAction, text: string, limit: number): Promise<Piece<P>> {
    const { set, devices, rules } = this.#parts
    const selector: Selector = { and: [parseSelector(text), set.devicesOf(plan)] }
    let count = 0
    const size = Math.min(BATCH, limit)
    for await (const ids of devices.ids(selector, size, work.after)) {
      const members = await this.#free(plan, { states: rules[action].states, devices: ids }, size)
      await this.#apply(plan, action, members, work.actor)
      count += ids.length
      if (ids.length < size) return {}
      if (count >= limit) return { left: { ...work, after: ids.at(-1) ?? '' } }
    }
    return {}
  }

  /** A member that was worked on, or that changed meanwhile: it waits until it is free. */
  async #alone(
    plan: P,
    rule: ActionRule<P, M, S>,
    deviceId: DeviceId,
    actor: Actor,
  ): Promise<'taken' | 'underWay' | { refused: string }> {
    const member = await this.#deps.plans.getMember(`${plan.id}|${deviceId}`)
    if (member === undefined) return { refused: 'the device is no member of this plan' }
    try {
      const isUnderWay = rule.underWay?.(member)
      if (isUnderWay !== undefined) {
        await isUnderWay
        return 'underWay'
      }
      if (!rule.named.includes(member.state))
        return { refused: `the device is ${member.state}: there is nothing to ${rule.words}` }
      await this.#parts.runner.apply(member.id, rule.step(plan, member), actor)
      return 'taken'
    } catch (error) {
      if (!isConflict(error) || !(error instanceof Error)) throw error
      return { refused: (await rule.refusal?.(plan, member)) ?? error.message }
    }
  }

  /** Members that one piece may take: a paced rollback keeps to the places and the rate of the plan. */
  async #limit(plan: P, work: BulkWork): Promise<number> {
    if (work.paced !== true) return PER_ROUND
    const { plans, time, instance } = this.#deps
    const round = await plans.takeRound(plan.id, instance, time.now(), LEASE_MS)
    const taken = this.#parts.set.states.placesTaken(await plans.counters(plan.id))
    const { starts, pacing } = allowance(plan, { taken, pacing: round?.pacing }, time.now())
    if (pacing !== undefined) await plans.keepPacing(plan.id, instance, { ...pacing, tokens: pacing.tokens - starts })
    return Math.min(starts, PER_ROUND)
  }

  #free(plan: P, query: Parameters<RolloutStore<P, M>['freeMembers']>[1], limit: number): Promise<M[]> {
    const { plans, time } = this.#deps
    return plans.freeMembers(plan.id, query, time.now(), limit)
  }

  /**
   * Applies an action to members, batch by batch. One that changed meanwhile is asked once more; one that does not take
   * it stays as it is.
   */
  async #apply(plan: P, action: MemberAction, members: M[], actor: Actor): Promise<void> {
    const rule = this.#parts.rules[action]
    for (let i = 0; i < members.length; i += BATCH) {
      const batch = members.slice(i, i + BATCH)
      const taken = await this.#parts.runner.applyTo(plan, batch, (member) => rule.step(plan, member), actor)
      const others = batch.filter(({ deviceId }) => !taken.has(deviceId))
      await Promise.all(others.map(({ deviceId }) => this.#alone(plan, rule, deviceId, actor)))
    }
  }
}
