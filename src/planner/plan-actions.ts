import { AppError, type Clock, isConflict, type Log } from '../base/index.ts'
import {
  type Actor,
  actorText,
  type DeviceId,
  notFound,
  PLANNER,
  type Plan,
  type PlanMember,
  type PlanSettings,
  type PlanStore,
} from '../domain/index.ts'
import type { Groups } from '../groups/index.ts'
import { type ActionReport, LIVE, type MemberAction, type MemberActions } from '../rollout/index.ts'
import { type AuditEntry, type AuditLog, audited } from '../security/index.ts'
import type { Stored } from './machine/script.ts'
import type { MemberStep } from './machine/transition.ts'
import { type ActionScope, changeBy, hasHappened, type PlanAction, refusalOf } from './plan-changes.ts'
import { checkSettings, type SettingsInput } from './settings.ts'
import { GROUP_GONE, planStatus } from './status.ts'

/** A new plan. */
export interface PlanInput {
  name: string
  groupId: string
  settings?: SettingsInput
}

export interface PlanActionsDeps {
  plans: PlanStore
  groups: Groups
  audit: AuditLog
  clock: Clock
  newId(): string
  /** Appends events that no commit of a device carries. */
  appendEvents(
    events: { type: 'plan.changed'; at: number; planId: string; groupId: string; data: Record<string, unknown> }[],
  ): Promise<void>
  /** Settings of a plan where its maker gives none, as they are now. */
  defaults(): PlanSettings
  log: Log
}

type Members = Pick<MemberActions<Plan, PlanMember, MemberStep, Stored>, 'forDevices'>

interface PlanWork {
  /** Runs work that no round of the plan may see half done. */
  alone<T>(planId: string, work: () => Promise<T>): Promise<T>
}

const MAX_TRIES = 5
/** Devices that one audit entry names. */
const MAX_NAMED = 100

/** Changes of plans by people: each is stored, with an audit entry and an event in the feed. */
export class PlanActions {
  readonly #deps: PlanActionsDeps
  readonly #members: Members
  readonly #work: PlanWork

  constructor(deps: PlanActionsDeps, members: Members, work: PlanWork) {
    this.#deps = deps
    this.#members = members
    this.#work = work
  }

  /** The plan. AppError `notFound` when there is none, or when it was deleted. */
  async get(id: string): Promise<Plan> {
    const plan = await this.#deps.plans.getPlan(id)
    if (plan === undefined || plan.state === 'deleted') throw notFound('plan', id)
    return plan
  }

  /** Stores a draft. AppError `notFound` when there is no such group, `invalid` for a setting that moves no device. */
  async create(input: PlanInput, actor: Actor): Promise<Plan> {
    const { groups, newId, clock, plans, defaults, audit } = this.#deps
    await groups.get(input.groupId)
    const own = defaults()
    checkSettings(input.settings ?? {}, own.controller)
    const plan: Plan = {
      id: newId(),
      name: input.name,
      groupId: input.groupId,
      state: 'draft',
      settings: settingsOf(own, input.settings),
      revision: 1,
      createdAt: clock.now(),
    }
    const after = { name: plan.name, groupId: plan.groupId }
    await audited(audit, { ...this.#entry(plan.id, 'plan.create', actor), after }, () => plans.putPlan(plan))
    return plan
  }

  /**
   * Changes name and settings. AppError `conflict` when `revision` is not the stored one, or when a started plan would
   * lead its devices elsewhere (`controller`, `retire`).
   */
  async update(
    id: string,
    input: { name?: string; settings?: SettingsInput },
    revision: number | undefined,
    actor: Actor,
  ): Promise<Plan> {
    const plan = await this.get(id)
    if (revision !== undefined && revision !== plan.revision)
      throw new AppError('conflict', 'the plan has changed since it was read; read it again')
    checkSettings(input.settings ?? {}, this.#deps.defaults().controller)
    const { controller, retire } = input.settings ?? {}
    if (plan.state !== 'draft' && (controller !== undefined || retire !== undefined))
      return this.#refuse(plan, 'update', actor, 'controller and retire can be changed before the start only')
    const settings = settingsOf(plan.settings, input.settings)
    return this.save(plan, { settings, ...(input.name === undefined ? {} : { name: input.name }) }, actor, 'update')
  }

  /**
   * Deletes a plan: no list shows it any more, and its history goes. Devices that it has moved, or that it must still
   * bring back, keep their snapshot and their rollback. AppError `conflict` while it moves devices.
   */
  async remove(id: string, actor: Actor): Promise<void> {
    const plan = await this.get(id)
    if (LIVE.includes(plan.state)) return this.#refuse(plan, 'delete', actor, await this.#notYet(plan))
    const before = { name: plan.name, groupId: plan.groupId, state: plan.state }
    const { bulk: _bulk, ...rest } = plan
    const deleted: Plan = { ...rest, state: 'deleted', revision: plan.revision + 1 }
    const { audit, plans } = this.#deps
    const entry = { ...this.#entry(id, 'plan.delete', actor), before }
    await audited(audit, entry, () => plans.putPlan(deleted, plan.revision))
  }

  /** The reason for which a plan cannot be deleted, and what to wait for. */
  async #notYet(plan: Plan): Promise<string> {
    if (plan.state !== 'aborting')
      return `a plan that is ${plan.state} cannot be deleted: abort it, and wait until it is aborted`
    const { plans, clock } = this.#deps
    const { next } = planStatus(plan, await plans.counters(plan.id), clock)
    return `the plan is being aborted: ${next}; wait until it is aborted, then delete it`
  }

  /**
   * Does what a person asks for. An action that has happened already changes nothing. AppError `conflict` when it does
   * not fit the plan's state; a round that changed the plan at the same moment is no reason to fail.
   */
  async act(id: string, action: PlanAction, actor: Actor, scope: ActionScope = {}): Promise<Plan> {
    for (let attempt = 1; ; attempt++) {
      const plan = await this.get(id)
      try {
        return await this.#actOn(plan, action, actor, scope)
      } catch (error) {
        if (!isConflict(error) || attempt >= MAX_TRIES || (await this.get(id)).revision === plan.revision) throw error
      }
    }
  }

  /** Does a member action for named devices only. The plan goes on, so that they get their turns. */
  async forDevices(
    id: string,
    action: MemberAction,
    devices: DeviceId[],
    actor: Actor,
  ): Promise<ActionReport & { plan: Plan }> {
    await this.#allowed(await this.#present(id), action, actor)
    // Between the two no round may find a plan that runs and has nothing to do: it would end it.
    return this.#work.alone(id, async () => {
      const before = await this.#present(id)
      const report = await this.#members.forDevices(before, action, devices, actor)
      if (report.accepted > 0) await this.#audit(before, action, devices, report, actor)
      if (report.accepted === 0) return { ...report, plan: before }
      const plan = await this.reopen(await this.#present(id), actor, action)
      return { ...report, plan }
    })
  }

  /** An action for devices of a plan that goes on changes no plan: the audit log names the devices. */
  async #audit(
    plan: Plan,
    action: MemberAction,
    devices: readonly DeviceId[],
    { refused }: ActionReport,
    actor: Actor,
  ): Promise<void> {
    const left = new Set<string>(refused.map(({ deviceId }) => deviceId))
    const taken = devices.filter((id) => !left.has(id))
    const after = { accepted: taken.length, devices: taken.slice(0, MAX_NAMED) }
    await this.#deps.audit.append({ ...this.#entry(plan.id, `member.${action}`, actor), result: 'ok', after })
  }

  /** Lets a plan that is over go on, because one of its members has work again. */
  async reopen(plan: Plan, actor = PLANNER, action = 'reopen'): Promise<Plan> {
    if (LIVE.includes(plan.state)) return plan
    const { finishedAt: _finished, reason: _reason, ...rest } = plan
    return this.save(
      rest,
      { state: plan.state === 'aborted' && action !== 'retry' ? 'aborting' : 'running' },
      actor,
      action,
    )
  }

  /**
   * Stores a change of a plan with its audit entry and event. AppError `conflict` when the plan has changed meanwhile.
   */
  async save(plan: Plan, changes: Partial<Plan>, actor: Actor, action: string): Promise<Plan> {
    const { audit, plans, appendEvents } = this.#deps
    const next: Plan = { ...plan, ...changes, revision: plan.revision + 1 }
    const why = next.reason === undefined ? {} : { reason: next.reason }
    const entry = {
      ...this.#entry(plan.id, `plan.${action}`, actor),
      before: { state: plan.state },
      after: { state: next.state, ...why },
    }
    await audited(audit, entry, () => plans.putPlan(next, plan.revision))
    const data = { from: plan.state, to: next.state, action, ...why }
    await appendEvents([{ type: 'plan.changed', at: entry.at, planId: plan.id, groupId: plan.groupId, data }])
    return next
  }

  async #actOn(plan: Plan, action: PlanAction, actor: Actor, scope: ActionScope): Promise<Plan> {
    if (hasHappened(plan, action)) return plan
    await this.#allowed(plan, action, actor)
    if (action === 'start') await this.#mayStart(plan, actor)
    const { attempts } = await this.#deps.plans.counters(plan.id)
    const now = this.#deps.clock.now()
    const { base, changes } = changeBy(plan, action, { actor, scope, attempts, now })
    const next = await this.save(base, changes, actor, action)
    this.#deps.log.info({ planId: plan.id, action, actor: actorText(actor) }, 'plan changed')
    return next
  }

  /** A group that was deleted after the draft was made has no devices to enrol. */
  async #mayStart(plan: Plan, actor: Actor): Promise<void> {
    try {
      await this.#deps.groups.get(plan.groupId)
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'notFound') throw error
      await this.#refuse(plan, 'start', actor, GROUP_GONE)
    }
  }

  async #allowed(plan: Plan, action: PlanAction, actor: Actor): Promise<void> {
    const reason = refusalOf(plan, action)
    if (reason !== undefined) await this.#refuse(plan, action, actor, reason)
  }

  /** The plan, also a deleted one: its devices can still be brought back. */
  async #present(id: string): Promise<Plan> {
    const plan = await this.#deps.plans.getPlan(id)
    if (plan === undefined) throw notFound('plan', id)
    return plan
  }

  async #refuse(plan: Plan, action: string, actor: Actor, reason: string): Promise<never> {
    const entry = this.#entry(plan.id, `plan.${action}`, actor)
    await this.#deps.audit.append({ ...entry, result: 'refused', reason })
    throw new AppError('conflict', reason)
  }

  /** The place of an action of now in the audit log. */
  #entry(target: string, action: string, actor: Actor): Pick<AuditEntry, 'at' | 'actor' | 'action' | 'target'> {
    return { at: this.#deps.clock.now(), actor: actorText(actor), action, target }
  }
}

function settingsOf(base: PlanSettings, input: SettingsInput = {}): PlanSettings {
  return { ...base, ...input, controller: { ...base.controller, ...input.controller } }
}
