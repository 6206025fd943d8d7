import {
  AppError,
  type Clock,
  createKeyedQueue,
  endsWithin,
  isConflict,
  type Log,
  type ServiceTime,
} from '../base/index.ts'
import { type Actor, type Device, type DeviceId, type NewEvent, notFound, PLANNER } from '../domain/index.ts'
import { LEASE_MS, MemberWriter } from './member-writer.ts'
import { isAborting, type RolloutMember, type RolloutPlan, type RolloutStep } from './plan.ts'
import type { RolloutStore } from './ports.ts'
import type { Outcome, ScriptSet } from './script-set.ts'

/** The parts of the server that a rollout works with. */
export interface RolloutDeps<P extends RolloutPlan, M extends RolloutMember> {
  plans: RolloutStore<P, M>
  /** This server instance: the holder of leases. */
  instance: string
  clock: Clock
  time: ServiceTime
  log: Log
}

/** Functions that a runner calls. */
interface RunnerEvents<M extends RolloutMember> {
  /** A member has freed its place, or more members were due than could be taken. */
  freed(planId: string): void
  /** A member is stored: as it waits, ended or goes on. */
  stored(member: M): void
}

/** A member as it was claimed for a run. `isNew`: this instance has just brought it into its state. */
interface Claimed<P, M> {
  plan: P
  member: M
  isNew: boolean
}

const MAX_RUNNING = 128
/** A member whose work broke off on a defect or a dead database is tried again after this. */
const BROKEN_MS = 5000
/** States that one run may pass; more means that two scripts send a member to and fro. */
const MAX_STEPS = 50
const STOP_MS = 5000

/**
 * Runs members of plans from state to state until they wait or have ended. One instance at a time works on a member,
 * under a lease.
 */
export class MemberRunner<P extends RolloutPlan, M extends RolloutMember, S extends RolloutStep, X extends object> {
  readonly #deps: RolloutDeps<P, M>
  readonly #set: ScriptSet<P, M, S, X>
  readonly #writer: MemberWriter<P, M, S, X>
  readonly #events: RunnerEvents<M>
  readonly #queue = createKeyedQueue()
  readonly #running = new Set<string>()
  readonly #again = new Set<string>()
  /** Plans that have more due than could be taken. */
  readonly #behind = new Set<string>()
  /** Plans whose members turn back, with the actor who wanted that. */
  readonly #turning = new Map<string, Actor>()
  #stopping = false

  constructor(deps: RolloutDeps<P, M>, set: ScriptSet<P, M, S, X>, events: RunnerEvents<M>) {
    this.#deps = deps
    this.#set = set
    this.#events = events
    const { instance, time } = deps
    this.#writer = new MemberWriter({ set, instance, time, stored: events.stored })
  }

  /**
   * Members of a plan that are under way turn back at their next step; `undefined`: they go on. `actor`: the one who
   * aborted the plan.
   */
  turnBack(planId: string, actor: Actor | undefined): void {
    if (actor === undefined) this.#turning.delete(planId)
    else this.#turning.set(planId, actor)
  }

  /** Members of a plan turn back, or go on, as the plan says now. To be called before any of them is started. */
  heed(plan: P): void {
    const actor = plan.bulk?.find(({ kind }) => kind === 'abort')?.actor ?? PLANNER
    this.turnBack(plan.id, isAborting(plan) ? actor : undefined)
  }

  /** Goes on with members of a plan that are due. Resolves when they are handed out, not when they are done. */
  async tick(plan: P): Promise<void> {
    this.heed(plan)
    const room = MAX_RUNNING - this.#running.size
    if (this.#stopping || room <= 0) {
      this.#behind.add(plan.id)
      return
    }
    const { plans, instance, time } = this.#deps
    const due = await plans.claimDue(plan.id, instance, time.now(), LEASE_MS, room)
    if (due.length === room) this.#behind.add(plan.id)
    else this.#behind.delete(plan.id)
    for (const member of due) this.#run(member.id, { plan, member, isNew: false })
  }

  /** Goes on with a member at once, if it is not under way. */
  wake(memberId: string): void {
    this.#run(memberId)
  }

  /**
   * Applies an event to a free member and goes on with it. `device`: its record, as it was just read. AppError
   * `conflict` when the member has changed since it was read.
   */
  async begin(plan: P, member: M, step: S, device?: Device): Promise<void> {
    const options = { lease: this.#writer.lease(), ...(device === undefined ? {} : { device }) }
    const begun = await this.#writer.move(plan, member, step, options)
    if (begun.lease !== undefined) this.#run(member.id, { plan, member: begun, isNew: true })
  }

  /** Lets a free member wait. AppError `conflict` when it has changed since it was read. */
  async park(plan: P, member: M, outcome: Outcome<M, S>): Promise<void> {
    await this.#writer.conclude(plan, member, outcome)
  }

  /**
   * Applies an event to free members. Resolves with the devices whose members took it; the others have changed, or the
   * event does not apply to them.
   */
  async applyTo(plan: P, members: M[], step: (member: M) => S, actor: Actor): Promise<Set<DeviceId>> {
    const taken = new Set<DeviceId>()
    await Promise.all(
      members.map(async (member) => {
        try {
          await this.#writer.move(plan, member, step(member), { actor })
          taken.add(member.deviceId)
        } catch (error) {
          if (!isConflict(error)) throw error
          this.#deps.log.debug({ err: error, memberId: member.id }, 'event did not apply')
        }
      }),
    )
    return taken
  }

  /**
   * Applies an event from outside to one member, and goes on with it. AppError `conflict` while another instance works
   * on it, `notFound` when there is no such member, and the errors of the transition.
   */
  apply(memberId: string, step: S, actor: Actor): Promise<M> {
    const { plans, instance, time } = this.#deps
    return this.#queue.run(memberId, async () => {
      const member = await plans.claim(memberId, instance, time.now(), LEASE_MS)
      if (member === undefined)
        throw new AppError('conflict', 'a step of the device is under way; repeat the request in some seconds')
      try {
        const plan = await plans.getPlan(member.planId)
        if (plan === undefined) throw notFound('plan', member.planId)
        const moved = await this.#writer.move(plan, member, step, { actor })
        if (this.#set.states.phase(member.state) !== 'ended') this.#events.freed(plan.id)
        if (moved.dueMs !== undefined) this.#run(memberId)
        return moved
      } catch (error) {
        await plans.free([memberId], instance)
        throw error
      }
    })
  }

  /** Passes on a member that was stored outside of a run. */
  noted(member: M): void {
    this.#events.stored(member)
  }

  /**
   * The device of a member that waits for it is in contact: the member may start, or goes on. Does nothing for a member
   * that does not wait so.
   */
  arrived(memberId: string): Promise<void> {
    return this.change(memberId, (member) => {
      if (member.waiting !== 'offline' || member.dueMs !== undefined) return undefined
      const { missedAt: _missed, ...facts } = member.facts
      const next: M = { ...member }
      next.facts = facts
      if (member.state === this.#set.start.from) next.waiting = 'place'
      else next.dueMs = this.#deps.time.now()
      return { member: next, events: [] }
    })
  }

  /** Stores a change of a member that is no event; `undefined` changes nothing. A member that is worked on stays. */
  async change(memberId: string, change: (member: M) => { member: M; events: NewEvent[] } | undefined): Promise<void> {
    const { plans, instance, time } = this.#deps
    await this.#queue.run(memberId, async () => {
      const member = await plans.claim(memberId, instance, time.now(), LEASE_MS)
      if (member === undefined) return
      let changed: { member: M; events: NewEvent[] } | undefined
      try {
        changed = change(member)
      } finally {
        if (changed === undefined) await plans.free([memberId], instance)
      }
      if (changed !== undefined) await this.#writer.note(member, changed.member, changed.events)
    })
  }

  /** Waits for the members under way, for some seconds at the most; the leases of the others run out. */
  async stop(): Promise<void> {
    this.#stopping = true
    await endsWithin(this.#queue.idle(), STOP_MS, this.#deps.clock)
  }

  /** `claimed`: the member as it was claimed for this run; a claimed one always runs. */
  #run(memberId: string, claimed?: Claimed<P, M>): void {
    if (this.#stopping) return
    if (this.#running.has(memberId)) {
      this.#again.add(memberId)
      return
    }
    if (this.#running.size >= MAX_RUNNING && claimed === undefined) return
    this.#running.add(memberId)
    this.#queue
      .run(memberId, () => this.#advance(memberId, claimed))
      .catch((err: unknown) => this.#brokeOff(memberId, err))
      .finally(() => {
        this.#running.delete(memberId)
        if (this.#again.delete(memberId)) this.#run(memberId)
        else if (this.#running.size < MAX_RUNNING / 2) for (const planId of this.#behind) this.#events.freed(planId)
      })
  }

  /** The member is given back, and tried again in a while. */
  async #brokeOff(memberId: string, err: unknown): Promise<void> {
    const { plans, instance, time, log } = this.#deps
    const expected = isConflict(err)
    log[expected ? 'info' : 'error']({ err, memberId }, 'plan member broke off; it is tried again')
    try {
      // One that has ended meanwhile was claimed by a contact of its device: it has nothing to do at any time.
      const member = await plans.getMember(memberId)
      const isOver = member === undefined || this.#set.states.phase(member.state) === 'ended'
      await plans.free([memberId], instance, isOver ? undefined : time.now() + (expected ? 0 : BROKEN_MS))
    } catch (error) {
      log.debug({ err: error, memberId }, 'lease was not given back; it runs out by itself')
    }
  }

  /** Runs a member from state to state until it has to wait or has ended. */
  async #advance(memberId: string, given?: Claimed<P, M>): Promise<void> {
    const { plans, instance, time } = this.#deps
    const claimed = given?.member ?? (await plans.claim(memberId, instance, time.now(), LEASE_MS))
    if (claimed === undefined) return
    const plan = given?.plan ?? (await plans.getPlan(claimed.planId))
    let member = claimed
    let isNew = given?.isNew === true
    for (let steps = 0; plan !== undefined && steps < MAX_STEPS && !this.#stopping; steps++) {
      const inFlight = this.#set.states.isInFlight(member.state)
      // The script looks at everything anew: what woke the member before has been seen.
      this.#again.delete(memberId)
      const next = await this.#next(plan, member, isNew)
      if (next === undefined) break
      member = next
      isNew = true
      if (inFlight && !this.#set.states.isInFlight(member.state)) this.#events.freed(plan.id)
      if (member.lease === undefined) return
    }
    await plans.free([member.id], instance)
  }

  /**
   * Does the work of one state, or turns back the member of a plan that is being aborted. Undefined: nothing is to be
   * done.
   */
  async #next(plan: P, member: M, isNew: boolean): Promise<M | undefined> {
    const actor = this.#turning.get(plan.id)
    const { abort } = this.#set
    if (actor !== undefined && this.#set.takes(member.state, abort.event))
      return this.#writer.move(plan, member, abort, { actor, lease: this.#writer.lease() })
    const done = await this.#set.work(plan, member, this.#writer.persist, isNew)
    if (done === undefined) return undefined
    return this.#writer.conclude(plan, done.member, this.#timedOut(plan, done.member, done.outcome) ?? done.outcome)
  }

  /**
   * The outcome of a member beyond its time limit; undefined within it. Time in which the device is waited for, or has
   * to reconnect after an outage of the servers, does not count.
   */
  #timedOut(plan: P, member: M, outcome: Outcome<M, S>): Outcome<M, S> | undefined {
    const { limit } = this.#set
    const { deadlineMs, enteredMs } = member
    if (limit === undefined || outcome.kind !== 'wait' || outcome.waiting === 'offline' || deadlineMs === undefined)
      return undefined
    const { time } = this.#deps
    const anew = enteredMs < time.silenceCountsFrom ? time.silenceCountsFrom + limit.ms(plan) : 0
    return time.now() <= Math.max(deadlineMs, anew) ? undefined : limit.exceeded(plan, member)
  }
}
