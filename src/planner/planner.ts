import { AppError, type Lifecycle } from '../base/index.ts'
import {
  type Actor,
  type DeviceId,
  type EventBus,
  type EventLog,
  type FleetStore,
  type GroupStore,
  notFound,
  PLANNER,
  type Plan,
  type PlanMember,
  type Protocol,
} from '../domain/index.ts'
import { GroupCounts, type Groups } from '../groups/index.ts'
import { type ActionReport, type MemberAction, Rollout } from '../rollout/index.ts'
import { releaseAlreadyThere } from './already-there.ts'
import { Enrolment } from './enrolment.ts'
import { type GroupStatus, groupStatus, type SeenPlan } from './group-status.ts'
import { withPresentLeftOut } from './left-out.ts'
import type { Stored } from './machine/script.ts'
import type { MemberStep } from './machine/transition.ts'
import { MemberNotes } from './member-notes.ts'
import { memberRules } from './member-rules.ts'
import { feedNotifies } from './notify-log.ts'
import { PlanActions, type PlanActionsDeps, type PlanInput } from './plan-actions.ts'
import type { ActionScope, PlanAction } from './plan-changes.ts'
import { PlanEvents } from './plan-events.ts'
import { MAX_ROWS, type ReadinessStatus, readinessStatus } from './readiness/status.ts'
import { RecordLook } from './record-look.ts'
import { matchedByRollbacks } from './rollback-left.ts'
import { type MigrationDeps, MigrationSet } from './script-set.ts'
import type { SettingsInput } from './settings.ts'
import { type PlanStatus, planStatus } from './status.ts'
import { Survey } from './survey.ts'
import { MigratedWatch } from './watch.ts'

interface PlannerDeps extends Omit<MigrationDeps, 'notifies'>, PlanActionsDeps {
  groupStore: GroupStore
  groups: Groups
  events: EventLog
  fleet: FleetStore
  bus: EventBus
  /** Calls back with each device that comes into contact with this process; the returned function ends that. */
  onContact(listener: (deviceId: DeviceId, protocol: Protocol) => void): () => void
}

/** Migration plans and what moves their devices. Nothing runs before `start`. */
export class Planner implements Lifecycle {
  readonly name = 'planner'
  readonly #deps: PlannerDeps
  readonly #actions: PlanActions
  readonly #rollout: Rollout<Plan, PlanMember, MemberStep, Stored>
  readonly #events: PlanEvents
  readonly #watch: MigratedWatch
  readonly #records: RecordLook
  readonly #counts: GroupCounts
  #unsubscribe: (() => void)[] = []

  constructor(given: PlannerDeps) {
    const deps = { ...given, log: given.log.child({ part: 'planner' }), notifies: feedNotifies(given.events) }
    this.#deps = given
    this.#counts = new GroupCounts(deps)
    const rollout: Rollout<Plan, PlanMember, MemberStep, Stored> = new Rollout(deps, {
      set: new MigrationSet(deps),
      rules: memberRules((memberId) => notes.stopAfterRollback(memberId), given.devices),
      bulk: (runner) => ({
        enrol: new Enrolment({ ...deps, noted: (member) => runner.noted(member) }),
        survey: new Survey(deps),
      }),
      release: (plan, runner) => releaseAlreadyThere(plan, deps, runner),
      save: (...change) => this.#actions.save(...change),
      reopen: (plan) => this.#actions.reopen(plan),
      returned: { event: 'came' },
    })
    const { runner } = rollout
    const notes = new MemberNotes(runner, deps)
    const work = {
      alone: <T>(planId: string, job: () => Promise<T>) => rollout.alone(planId, job),
      kick: (planId: string) => rollout.kick(planId),
    }
    this.#rollout = rollout
    this.#actions = new PlanActions(deps, rollout.actions, work)
    this.#events = new PlanEvents({ ...deps, ...work, runner, notes })
    this.#records = new RecordLook({ ...deps, catchUp: (member) => this.#events.catchUp(member) })
    this.#watch = new MigratedWatch({
      ...deps,
      notes,
      rollBack: async (plan, deviceId) => void (await this.forDevices(plan.id, 'rollback', [deviceId], PLANNER)),
    })
  }

  async start(): Promise<void> {
    const { bus, operations, onContact } = this.#deps
    this.#unsubscribe = [
      bus.subscribe((event) => this.#events.take(event)),
      onContact((deviceId, protocol) => this.#rollout.contact(deviceId, protocol)),
      operations.onFinished(({ actor, deviceId }) => {
        if (actor.kind === 'planner') this.#rollout.runner.wake(`${actor.id}|${deviceId}`)
      }),
    ]
    this.#rollout.start()
  }

  async stop(): Promise<void> {
    this.#counts.stop()
    for (const off of this.#unsubscribe) off()
    await this.#rollout.stop()
  }

  /** Stores a draft. AppError `notFound` when there is no such group. */
  create(input: PlanInput, actor: Actor): Promise<Plan> {
    return this.#actions.create(input, actor)
  }

  /** The plan. AppError `notFound` when it does not exist, or when it was deleted. */
  get(id: string): Promise<Plan> {
    return this.#actions.get(id)
  }

  /**
   * Changes name and settings; of a started plan, `controller` and `retire` stay. AppError `conflict` when `revision`
   * is not the current one.
   */
  update(
    id: string,
    input: { name?: string; settings?: SettingsInput },
    revision: number | undefined,
    actor: Actor,
  ): Promise<Plan> {
    return this.#actions.update(id, input, revision, actor)
  }

  /**
   * Deletes a plan; devices that it moved or must bring back keep their rollback. AppError `conflict` while it moves
   * devices.
   */
  async remove(id: string, actor: Actor): Promise<void> {
    await this.#actions.remove(id, actor)
    this.#rollout.kick(id)
  }

  /**
   * Does an action; one that has happened already is done. AppError `conflict` when it does not fit the plan's state.
   */
  async act(id: string, action: PlanAction, actor: Actor, scope: ActionScope = {}): Promise<Plan> {
    const plan = await this.#actions.act(id, action, actor, scope)
    // Small groups are enrolled when the answer is there; of large ones the first piece.
    if (action === 'start') await this.#rollout.round(plan)
    this.#rollout.turnBack(plan, actor)
    this.#rollout.kick(id)
    return plan
  }

  /** Retries, cancels or rolls back these devices only, and reports each that does not take it. */
  async forDevices(
    id: string,
    action: MemberAction,
    devices: DeviceId[],
    actor: Actor,
  ): Promise<ActionReport & { plan: Plan }> {
    const report = await this.#actions.forDevices(id, action, devices, actor)
    this.#rollout.kick(id)
    return report
  }

  /**
   * Rolls back one device, by the plan that has moved it, also a deleted one; a rollback that is under way goes on.
   * AppError `notFound` when there is no such device, `conflict` when no plan has moved it.
   */
  async rollBackDevice(deviceId: DeviceId, actor: Actor): Promise<PlanMember> {
    const device = await this.#deps.devices.get(deviceId)
    if (device === undefined) throw notFound('device', deviceId)
    const pointer = device.migration
    if (pointer === undefined)
      throw new AppError('conflict', `no plan has moved ${deviceId}: there is nothing to roll back`)
    const { refused } = await this.forDevices(pointer.planId, 'rollback', [deviceId], actor)
    const [refusal] = refused
    if (refusal !== undefined) throw new AppError('conflict', refusal.reason)
    return this.member(pointer.planId, deviceId)
  }

  /** The state of a plan, for a person. */
  async status(id: string): Promise<PlanStatus> {
    const { plans, groupStore, clock } = this.#deps
    const { plan, matching } = await this.#seen(await this.get(id))
    const isGroupGone = plan.state === 'draft' && (await groupStore.get(plan.groupId)) === undefined
    return planStatus(plan, await plans.counters(id), clock, { isGroupGone, matching })
  }

  /** The state of a group: its devices per protocol, and its plans. */
  async groupStatus(groupId: string): Promise<GroupStatus> {
    const { groups, plans, clock } = this.#deps
    const group = await groups.get(groupId)
    return groupStatus(group, await this.#counts.presence(group), plans, clock, (plan) => this.#seen(plan))
  }

  /** A plan with what the records of the devices say of it now. */
  async #seen(plan: Plan): Promise<SeenPlan> {
    const { devices } = this.#deps
    return { plan: await withPresentLeftOut(plan, devices), matching: await matchedByRollbacks(plan, devices) }
  }

  /** The readiness of the devices of a group, or of all, with at most `limit` models and firmwares. */
  async readiness(groupId: string | undefined, limit: number): Promise<ReadinessStatus> {
    const group = groupId === undefined ? undefined : await this.#deps.groups.get(groupId)
    const rows = await this.#counts.readiness(group, MAX_ROWS)
    return { ...(group === undefined ? {} : { groupId: group.id, name: group.name }), ...readinessStatus(rows, limit) }
  }

  /** The member of a plan. AppError `notFound` when the device is none. */
  async member(planId: string, deviceId: DeviceId): Promise<PlanMember> {
    const member = await this.#deps.plans.getMember(`${planId}|${deviceId}`)
    if (member === undefined)
      throw new AppError(
        'notFound',
        `${deviceId} is no member of plan ${planId}; GET /plans/{id}/members lists the members`,
      )
    return member
  }

  /** One round over all plans, which the planner makes by itself every second. Resolves when the round is over. */
  tick(): Promise<void> {
    return this.#rollout.tick()
  }

  /**
   * Looks at all migrated devices that are not heard, and compares some members with the records of their devices. The
   * job queue calls it about every minute.
   */
  async watch(): Promise<void> {
    await this.#watch.look()
    await this.#records.look()
  }
}
