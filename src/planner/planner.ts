import { AppError, isConflict, type Lifecycle } from '../base/index.ts'
import type {
  DeviceId,
  EventBus,
  EventLog,
  FleetStore,
  GroupStore,
  Plan,
  PlanMember,
  Protocol,
} from '../domain/index.ts'
import { GroupCounts, type Groups } from '../groups/index.ts'
import { Awaited } from './awaited.ts'
import { type ActionReport, BulkWorks, type MemberAction } from './bulk-work.ts'
import { type GroupStatus, groupStatus } from './group-status.ts'
import { MemberRunner, type RunnerDeps } from './member-runner.ts'
import { feedNotifies } from './notify-log.ts'
import { batches } from './pages.ts'
import {
  type ActionScope,
  type PlanAction,
  PlanActions,
  type PlanActionsDeps,
  type SettingsInput,
} from './plan-actions.ts'
import { PlanEvents } from './plan-events.ts'
import { PlanLock } from './plan-lock.ts'
import { isAborting, LIVE } from './plan-state.ts'
import { MAX_ROWS, type ReadinessStatus, readinessStatus } from './readiness-status.ts'
import { RecordLook } from './record-look.ts'
import { goRound, hasOpen, hasWork, type RoundDeps } from './rounds.ts'
import { type PlanStatus, planStatus } from './status.ts'
import { MigratedWatch } from './watch.ts'

interface PlannerDeps extends Omit<RunnerDeps, 'notifies'>, PlanActionsDeps {
  groupStore: GroupStore
  groups: Groups
  events: EventLog
  fleet: FleetStore
  bus: EventBus
  /** Calls back with each device that comes into contact with this process; the returned function ends that. */
  onContact(listener: (deviceId: DeviceId, protocol: Protocol) => void): () => void
}

/** Plans and what moves them. */
export interface Planner extends Lifecycle {
  create(input: { name: string; groupId: string; settings?: SettingsInput }, actor: string): Promise<Plan>
  get(id: string): Promise<Plan>
  /** Name and settings; of a started plan, `controller` and `retire` stand. AppError `conflict` when `revision` is not the current one. */
  update(
    id: string,
    input: { name?: string; settings?: SettingsInput },
    revision: number | undefined,
    actor: string,
  ): Promise<Plan>
  /** Deletes a plan; devices that it moved or must bring back keep their rollback. AppError `conflict` while it moves devices. */
  remove(id: string, actor: string): Promise<void>
  /** An action that has happened already is done. AppError `conflict` when it does not fit the plan's state. */
  act(id: string, action: PlanAction, actor: string, scope?: ActionScope): Promise<Plan>
  /** Retries, cancels or rolls back these devices only, and tells of each that does not take it. */
  forDevices(
    id: string,
    action: MemberAction,
    devices: DeviceId[],
    actor: string,
  ): Promise<ActionReport & { plan: Plan }>
  /**
   * Rolls back one device, by the plan that has moved it, also a deleted one; a rollback that is under way goes on. AppError `notFound` when
   * there is no such device, `conflict` when no plan has moved it.
   */
  rollBackDevice(deviceId: DeviceId, actor: string): Promise<PlanMember>
  status(id: string): Promise<PlanStatus>
  groupStatus(groupId: string): Promise<GroupStatus>
  /** The readiness of the devices of a group, or of all, with at most `limit` models and firmwares. */
  readiness(groupId: string | undefined, limit: number): Promise<ReadinessStatus>
  member(planId: string, deviceId: DeviceId): Promise<PlanMember>
  /** One round over all plans. The planner does it by itself every second; the promise resolves when the round is over. */
  tick(): Promise<void>
  /**
   * Looks at all migrated devices that are not heard, and compares some members with the records of their devices. The job queue calls it
   * about every minute.
   */
  watch(): Promise<void>
}

const TICK_MS = 1000
/** Plans that are live at once are looked at so many at a time. */
const PAGE = 100
/** Many changes in this process make one round. */
const KICK_MS = 100
/** Members that wait for absent devices are looked at, page by page, this often. */
const LOOK_MS = 30_000

/** Builds the planner of its parts. Nothing runs before `start`. */
export function createPlanner(deps: PlannerDeps): Planner {
  return new PlanEngine(deps)
}

class PlanEngine implements Planner {
  readonly name = 'planner'
  readonly #deps: PlannerDeps
  readonly #actions: PlanActions
  readonly #runner: MemberRunner
  readonly #bulk: BulkWorks
  readonly #lock: PlanLock
  readonly #roundDeps: RoundDeps
  readonly #events: PlanEvents
  readonly #awaited: Awaited
  readonly #watch: MigratedWatch
  readonly #counts: GroupCounts
  readonly #records: RecordLook
  readonly #kicked = new Map<string, () => void>()
  #unsubscribe: (() => void)[] = []
  #cancelTick = () => {}
  #lookedMs = 0
  #started = false
  #stopping = false

  constructor(given: PlannerDeps) {
    const log = given.log.child({ part: 'planner' })
    const deps = { ...given, log, notifies: feedNotifies(given.events) }
    this.#deps = given
    this.#lock = new PlanLock(deps, (planId) => this.#kick(planId))
    this.#awaited = new Awaited(
      deps,
      () => this.#runner,
      (memberId, planId) => this.#came(memberId, planId),
    )
    this.#runner = new MemberRunner(
      deps,
      (planId) => this.#kick(planId),
      (member) => this.#awaited.note(member),
    )
    this.#bulk = new BulkWorks(deps, this.#runner)
    this.#actions = new PlanActions(deps, this.#bulk, this.#lock)
    this.#roundDeps = {
      ...deps,
      runner: this.#runner,
      bulk: this.#bulk,
      save: (...change) => this.#actions.save(...change),
      kick: (planId) => this.#kick(planId),
    }
    this.#counts = new GroupCounts(deps)
    this.#events = new PlanEvents(
      {
        ...deps,
        kick: (planId) => this.#kick(planId),
        alone: (planId, work) => this.#lock.alone(planId, work),
      },
      this.#runner,
    )
    this.#records = new RecordLook({ ...deps, catchUp: (member) => this.#events.catchUp(member) })
    this.#watch = new MigratedWatch(
      {
        ...deps,
        rollBack: async (plan, deviceId) => void (await this.forDevices(plan.id, 'rollback', [deviceId], 'planner')),
      },
      this.#runner,
    )
  }

  async start(): Promise<void> {
    const { bus, operations, onContact } = this.#deps
    this.#unsubscribe = [
      bus.subscribe((event) => this.#events.take(event)),
      onContact((deviceId, protocol) => this.#awaited.contact(deviceId, protocol)),
      operations.onFinished((operation) => {
        if (operation.actor.kind === 'planner') this.#runner.wake(`${operation.actor.id}|${operation.deviceId}`)
      }),
    ]
    this.#started = true
    this.#scheduleTick()
    this.#background('loading of members that wait', async () => {
      await this.#awaited.load(LIVE)
      await this.#awaited.lookAtStranded()
    })
  }

  async stop(): Promise<void> {
    this.#stopping = true
    this.#cancelTick()
    this.#counts.stop()
    for (const cancel of this.#kicked.values()) cancel()
    for (const off of this.#unsubscribe) off()
    await this.#lock.idle()
    await this.#runner.stop()
  }

  create: Planner['create'] = (input, actor) => this.#actions.create(input, actor)
  get: Planner['get'] = (id) => this.#actions.get(id)
  update: Planner['update'] = (id, input, revision, actor) => this.#actions.update(id, input, revision, actor)
  remove: Planner['remove'] = async (id, actor) => {
    await this.#actions.remove(id, actor)
    this.#kick(id)
  }

  async act(id: string, action: PlanAction, actor: string, scope: ActionScope = {}): Promise<Plan> {
    const plan = await this.#actions.act(id, action, actor, scope)
    // Small groups are enrolled when the answer is there; of large ones the first piece.
    if (action === 'start') await this.#round(plan)
    if (isAborting(plan)) this.#runner.turnBack(id, actor)
    this.#kick(id)
    return plan
  }

  async forDevices(
    id: string,
    action: MemberAction,
    devices: DeviceId[],
    actor: string,
  ): Promise<ActionReport & { plan: Plan }> {
    const report = await this.#actions.forDevices(id, action, devices, actor)
    this.#kick(id)
    return report
  }

  async rollBackDevice(deviceId: DeviceId, actor: string): Promise<PlanMember> {
    const device = await this.#deps.devices.get(deviceId)
    if (device === undefined) throw new AppError('notFound', `there is no device ${deviceId}`)
    const pointer = device.migration
    if (pointer === undefined) throw new AppError('conflict', 'no plan has moved this device')
    const { refused } = await this.forDevices(pointer.planId, 'rollback', [deviceId], actor)
    const [refusal] = refused
    if (refusal !== undefined) throw new AppError('conflict', refusal.reason)
    return this.member(pointer.planId, deviceId)
  }

  async status(id: string): Promise<PlanStatus> {
    const { plans, groupStore, clock } = this.#deps
    const plan = await this.get(id)
    const isGroupGone = plan.state === 'draft' && (await groupStore.get(plan.groupId)) === undefined
    return planStatus(plan, await plans.counters(id), clock, { isGroupGone })
  }

  async groupStatus(groupId: string): Promise<GroupStatus> {
    const { groups, plans, clock } = this.#deps
    const group = await groups.get(groupId)
    return groupStatus(group, await this.#counts.presence(group), plans, clock)
  }

  async readiness(groupId: string | undefined, limit: number): Promise<ReadinessStatus> {
    const group = groupId === undefined ? undefined : await this.#deps.groups.get(groupId)
    const rows = await this.#counts.readiness(group, MAX_ROWS)
    return { ...(group === undefined ? {} : { groupId: group.id, name: group.name }), ...readinessStatus(rows, limit) }
  }

  async member(planId: string, deviceId: DeviceId): Promise<PlanMember> {
    const member = await this.#deps.plans.getMember(`${planId}|${deviceId}`)
    if (member === undefined) throw new AppError('notFound', 'the device is no member of this plan')
    return member
  }

  async tick(): Promise<void> {
    const { plans, time } = this.#deps
    const look = time.now() - this.#lookedMs >= LOOK_MS
    if (look) this.#lookedMs = time.now()
    const live = new Set<string>()
    for await (const page of batches((cursor) => plans.listPlans({ states: LIVE, limit: PAGE, ...cursor }))) {
      const counted = await Promise.all(page.map(({ id }) => plans.counters(id)))
      for (const [i, plan] of page.entries()) {
        if (this.#stopping) return
        live.add(plan.id)
        const counters = counted[i]
        if (look) await this.#awaited.look(plan)
        // Counters may be wrong where there are no transactions: now and then the members have the last word.
        if (look || counters === undefined || hasWork(plan, counters)) await this.#round(plan)
        else if (hasOpen(counters)) await this.#runner.tick(plan)
      }
    }
    await this.#awaited.forget(live)
    if (look) await this.#awaited.lookAtStranded()
  }

  async watch(): Promise<void> {
    await this.#watch.look()
    await this.#records.look()
  }

  /** The next tick follows the end of this one. It is the planner's own timer: a job queue keeps its times by the wall clock. */
  #scheduleTick(): void {
    if (this.#stopping) return
    this.#cancelTick = this.#deps.clock.after(TICK_MS, () => {
      this.tick()
        .catch((err: unknown) => this.#deps.log.warn({ err }, 'a round over the plans failed; the next one repeats it'))
        .finally(() => this.#scheduleTick())
    })
  }

  #round(plan: Plan): Promise<void> {
    return this.#lock.round(plan.id, () =>
      goRound(plan, this.#roundDeps).catch((err: unknown) => {
        if (isConflict(err)) return
        this.#deps.log.error({ err, planId: plan.id }, 'plan round failed; the next one repeats it')
      }),
    )
  }

  /** A round soon, because something has changed in this process. */
  #kick(planId: string): void {
    if (!this.#started || this.#stopping || this.#kicked.has(planId)) return
    const cancel = this.#deps.clock.after(KICK_MS, () => {
      this.#kicked.delete(planId)
      this.#background('plan round', async () => {
        const plan = await this.#deps.plans.getPlan(planId)
        if (plan !== undefined && LIVE.includes(plan.state)) await this.#round(plan)
      })
    })
    this.#kicked.set(planId, cancel)
  }

  /**
   * A rollback that was given up because the device did not come goes on when it does. Between the two changes no round may find a plan that
   * runs and has nothing to do: it would end it.
   */
  async #came(memberId: string, planId: string): Promise<void> {
    await this.#lock.alone(planId, async () => {
      const member = await this.#deps.plans.getMember(memberId)
      if (member?.state !== 'STRANDED') return
      await this.#reopen(planId)
      await this.#runner.apply(memberId, { event: 'came' }, 'planner')
    })
    this.#kick(planId)
  }

  async #reopen(planId: string): Promise<void> {
    const plan = await this.#deps.plans.getPlan(planId)
    if (plan !== undefined) await this.#actions.reopen(plan)
  }

  #background(what: string, work: () => Promise<void>): void {
    if (this.#stopping) return
    work().catch((err: unknown) => this.#deps.log.warn({ err, what }, 'background work of the planner failed'))
  }
}
