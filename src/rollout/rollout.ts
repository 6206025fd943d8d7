import { isConflict } from '../base/index.ts'
import { type Actor, type DeviceId, type DeviceStore, PLANNER, type Protocol } from '../domain/index.ts'
import { Awaited } from './awaited.ts'
import { type BulkKinds, BulkQueue } from './bulk-queue.ts'
import { type ActionRule, MemberActions } from './member-actions.ts'
import { MemberRunner, type RolloutDeps } from './member-runner.ts'
import { batches } from './pages.ts'
import { isAborting, LIVE, type RolloutMember, type RolloutPlan, type RolloutStep } from './plan.ts'
import { PlanLock } from './plan-lock.ts'
import type { MemberAction } from './ports.ts'
import { hasWork, type PlanChange, Rounds } from './rounds.ts'
import type { ScriptSet } from './script-set.ts'
import { Starting } from './starting.ts'

/** One kind of rollout: its script set, the rules of its actions, and how its plans change. */
export interface RolloutKind<P extends RolloutPlan, M extends RolloutMember, S extends RolloutStep, X extends object> {
  set: ScriptSet<P, M, S, X>
  rules: Record<MemberAction, ActionRule<P, M, S>>
  /** The bulk work that makes members, and that looks at them. */
  bulk(runner: MemberRunner<P, M, S, X>): Pick<BulkKinds<P>, 'enrol' | 'survey'>
  /** Ends the members of a deleted plan that hold their device without a claim of the plan. */
  release?(plan: P, runner: MemberRunner<P, M, S, X>): Promise<void>
  /** Stores a change of the plan's state, with event and audit entry. */
  save(plan: P, change: PlanChange, actor: Actor, action: string): Promise<P>
  /** Lets a plan that is over go on, because one of its members has work again. */
  reopen(plan: P): Promise<P>
  /** The event of an ended member whose device is in contact again, in the state `awaiting` of the script set. */
  returned?: S
}

const TICK_MS = 1000
/** Plans that are live at once are looked at so many at a time. */
const PAGE = 100
/** Many changes in this process make one round. */
const KICK_MS = 100
/** Members that wait for absent devices are looked at, page by page, this often. */
const LOOK_MS = 30_000

/** Runs the live plans of one kind: a round of each plan that has work at each tick, and the members under way. */
export class Rollout<P extends RolloutPlan, M extends RolloutMember, S extends RolloutStep, X extends object> {
  readonly #deps: RolloutDeps<P, M>
  readonly #kind: RolloutKind<P, M, S, X>
  readonly #lock: PlanLock
  readonly #awaited: Awaited<P, M>
  readonly #rounds: Rounds<P, M, S, X>
  readonly #kicked = new Map<string, () => void>()
  #cancelTick = () => {}
  #lookedMs = 0
  #started = false
  #stopping = false
  readonly runner: MemberRunner<P, M, S, X>
  readonly actions: MemberActions<P, M, S, X>

  constructor(deps: RolloutDeps<P, M> & { devices: Pick<DeviceStore, 'get' | 'ids'> }, kind: RolloutKind<P, M, S, X>) {
    const { plans, devices, clock, log } = deps
    const { set, rules } = kind
    const kick = (planId: string) => this.kick(planId)
    this.#deps = deps
    this.#kind = kind
    this.#lock = new PlanLock(deps, kick)
    const runner = new MemberRunner(deps, set, { freed: kick, stored: (member) => this.#awaited.note(member) })
    this.runner = runner
    this.#awaited = new Awaited({
      plans,
      devices,
      clock,
      log,
      awaiting: set.awaiting,
      arrived: (memberId) => runner.arrived(memberId),
      returned: (memberId, planId) => this.#returned(memberId, planId),
    })
    const actions = new MemberActions(deps, { set, runner, devices, rules })
    this.actions = actions
    const bulk = new BulkQueue<P, M>(plans, {
      ...kind.bulk(runner),
      abort: { piece: (plan, work, behind) => actions.abort(plan, work, behind) },
      retry: { piece: (plan, work) => actions.piece(plan, work, 'retry') },
      rollback: { piece: (plan, work) => actions.piece(plan, work, 'rollback') },
    })
    const starting = new Starting(deps, set, runner)
    const { save } = kind
    const release = async (plan: P) => kind.release?.(plan, runner)
    this.#rounds = new Rounds(deps, { states: set.states, runner, bulk, starting, release, save, kick })
  }

  /** Starts ticks, and loads the devices that members wait for in the background. */
  start(): void {
    this.#started = true
    this.#scheduleTick()
    this.#background('loading of members that wait', async () => {
      await this.#awaited.load(LIVE)
      await this.#awaited.lookAtEnded()
    })
  }

  /** Ends ticks, and waits for rounds and, for some seconds, for members under way. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#cancelTick()
    for (const cancel of this.#kicked.values()) cancel()
    await this.#lock.idle()
    await this.runner.stop()
  }

  /** Takes a contact of a device: it brings on members that wait for it. */
  contact(deviceId: DeviceId, protocol: Protocol): void {
    this.#awaited.contact(deviceId, protocol)
  }

  /** Runs work that no round of the plan, on any instance, may see half done; see `PlanLock.alone`. */
  alone<T>(planId: string, work: () => Promise<T>): Promise<T> {
    return this.#lock.alone(planId, work)
  }

  /** One round over a plan, or the one that is under way. Resolves at its end; its errors are logged. */
  round(plan: P): Promise<void> {
    return this.#lock.round(plan.id, () =>
      this.#rounds.go(plan).catch((err: unknown) => {
        if (isConflict(err)) return
        this.#deps.log.error({ err, planId: plan.id }, 'plan round failed; the next one repeats it')
      }),
    )
  }

  /** Asks for a round soon, because something has changed in this process. */
  kick(planId: string): void {
    if (!this.#started || this.#stopping || this.#kicked.has(planId)) return
    const cancel = this.#deps.clock.after(KICK_MS, () => {
      this.#kicked.delete(planId)
      this.#background('plan round', async () => {
        const plan = await this.#deps.plans.getPlan(planId)
        if (plan !== undefined && LIVE.includes(plan.state)) await this.round(plan)
      })
    })
    this.#kicked.set(planId, cancel)
  }

  /** Members of a plan that is being aborted turn back at their next step. */
  turnBack(plan: P, actor: Actor): void {
    if (isAborting(plan)) this.runner.turnBack(plan.id, actor)
  }

  /** Looks at all live plans once. The rollout does it by itself every second. */
  async tick(): Promise<void> {
    const { plans, time } = this.#deps
    const { states, start } = this.#kind.set
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
        // Counters may be wrong where there are no transactions: now and then the members decide.
        if (look || counters === undefined || hasWork(plan, counters, states, start.from)) await this.round(plan)
        else if (states.hasOpen(counters)) await this.runner.tick(plan)
      }
    }
    await this.#awaited.forget(live)
    if (look) await this.#awaited.lookAtEnded()
  }

  /**
   * The next tick follows the end of this one, by a timer of its own: a job queue keeps its times by the wall clock.
   */
  #scheduleTick(): void {
    if (this.#stopping) return
    this.#cancelTick = this.#deps.clock.after(TICK_MS, () => {
      this.tick()
        .catch((err: unknown) => this.#deps.log.warn({ err }, 'a round over the plans failed; the next one repeats it'))
        .finally(() => this.#scheduleTick())
    })
  }

  /**
   * An ended member whose device is in contact again goes on. Between the two changes no round may find a plan that
   * runs and has nothing to do: it would end it.
   */
  async #returned(memberId: string, planId: string): Promise<void> {
    const { set, returned, reopen } = this.#kind
    if (returned === undefined) return
    const { plans } = this.#deps
    await this.alone(planId, async () => {
      if ((await plans.getMember(memberId))?.state !== set.awaiting) return
      const plan = await plans.getPlan(planId)
      if (plan !== undefined) await reopen(plan)
      await this.runner.apply(memberId, returned, PLANNER)
    })
    this.kick(planId)
  }

  #background(what: string, work: () => Promise<void>): void {
    if (this.#stopping) return
    work().catch((err: unknown) => this.#deps.log.warn({ err, what }, 'background work of a rollout failed'))
  }
}
