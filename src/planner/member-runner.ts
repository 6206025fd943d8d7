import { AppError, createKeyedQueue, endsWithin, isConflict, type Log } from '../base/index.ts'
import {
  type Device,
  type DeviceId,
  memberStateRow,
  type NewEvent,
  type ParameterStore,
  type Plan,
  type PlanMember,
  type PlanStore,
} from '../domain/index.ts'
import { assessMember } from './assessing.ts'
import { ABORTABLE, statesThatTake } from './machine.ts'
import { isAborting } from './plan-state.ts'
import { failed, type Outcome, outcomeOf, type Persist, Script, type ScriptDeps } from './script.ts'
import { STATE_SCRIPTS } from './states/index.ts'
import { type MemberStep, Transitions } from './transition.ts'

export interface RunnerDeps extends ScriptDeps {
  plans: PlanStore
  parameters: ParameterStore
  /** This server instance: the holder of leases. */
  instance: string
  log: Log
}

/** An instance may be silent for so long before another takes a member over. */
export const LEASE_MS = 60_000
const MAX_RUNNING = 128
/** A member whose work broke off on a defect or a dead database is tried again after this. */
const BROKEN_MS = 5000
/** No member is left alone for longer than this, whatever a script says. */
const MAX_WAIT_MS = 86_400_000
/** States that one run may pass; more means that two scripts send a member to and fro. */
const MAX_STEPS = 50
const STOP_MS = 5000

/** Called when a member has freed its place, or when more members were due than could be taken. */
type Freed = (planId: string) => void
/** Called when a member is stored: as it waits, ended or goes on. */
type Stored = (member: PlanMember) => void

/** Runs members of plans from state to state until they wait or have ended; each member on one instance at a time, under a lease. */
export class MemberRunner {
  readonly #deps: RunnerDeps
  readonly #log: Log
  readonly #transitions: Transitions
  readonly #freed: Freed
  readonly #stored: Stored
  readonly #queue = createKeyedQueue()
  readonly #running = new Set<string>()
  readonly #again = new Set<string>()
  /** Plans that have more due than could be taken. */
  readonly #behind = new Set<string>()
  /** Plans whose members turn back, with who wanted that. */
  readonly #turning = new Map<string, string>()
  #stopping = false

  constructor(deps: RunnerDeps, freed: Freed, stored: Stored) {
    this.#deps = deps
    this.#log = deps.log.child({ part: 'planner' })
    this.#transitions = new Transitions(deps)
    this.#freed = freed
    this.#stored = stored
  }

  /** Members of a plan that are under way turn back at their next step; `undefined`: they go on. `actor`: who aborted the plan. */
  turnBack(planId: string, actor: string | undefined): void {
    if (actor === undefined) this.#turning.delete(planId)
    else this.#turning.set(planId, actor)
  }

  /** Members of a plan turn back, or go on, as the plan says now. To be called before any of them is started. */
  heed(plan: Plan): void {
    const actor = plan.bulk?.find(({ kind }) => kind === 'abort')?.actor ?? 'planner'
    this.turnBack(plan.id, isAborting(plan) ? actor : undefined)
  }

  /** Goes on with members of a plan that are due. Resolves when they are handed out, not when they are done. */
  async tick(plan: Plan): Promise<void> {
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
    for (const member of due) this.#run(member.id, { plan, member })
  }

  /** Goes on with a member at once, if it is not under way. */
  wake(memberId: string): void {
    this.#run(memberId)
  }

  /**
   * Applies an event to a free member and goes on with it. `device`: its record, as it was just read. AppError `conflict` when the member has
   * changed since it was read.
   */
  async begin(plan: Plan, member: PlanMember, step: MemberStep, device?: Device): Promise<void> {
    const options = { lease: this.#lease(), ...(device === undefined ? {} : { device }) }
    const begun = await this.#move(plan, member, step, options)
    if (begun.lease !== undefined) this.#run(member.id, { plan, member: begun })
  }

  /** Lets a free member wait. AppError `conflict` when it has changed since it was read. */
  async park(plan: Plan, member: PlanMember, outcome: Outcome): Promise<void> {
    await this.#settle(plan, member, outcome)
  }

  /** Applies an event to free members. Resolves with the devices whose members took it; the others have changed, or it is not for them. */
  async applyTo(
    plan: Plan,
    members: PlanMember[],
    step: (member: PlanMember) => MemberStep,
    actor: string,
  ): Promise<Set<DeviceId>> {
    const taken = new Set<DeviceId>()
    await Promise.all(
      members.map(async (member) => {
        try {
          await this.#move(plan, member, step(member), { actor })
          taken.add(member.deviceId)
        } catch (error) {
          if (!isConflict(error)) throw error
          this.#log.debug({ err: error, memberId: member.id }, 'event did not apply')
        }
      }),
    )
    return taken
  }

  /**
   * Applies an event from outside to one member, and goes on with it. AppError `conflict` while another instance works on it, `notFound`
   * when there is no such member, and the errors of the transition.
   */
  apply(memberId: string, step: MemberStep, actor: string): Promise<PlanMember> {
    const { plans, instance, time } = this.#deps
    return this.#queue.run(memberId, async () => {
      const member = await plans.claim(memberId, instance, time.now(), LEASE_MS)
      if (member === undefined) throw new AppError('conflict', 'the device is being worked on; try again')
      try {
        const plan = await plans.getPlan(member.planId)
        if (plan === undefined) throw new AppError('notFound', `there is no plan ${member.planId}`)
        const moved = await this.#move(plan, member, step, { actor })
        if (memberStateRow(member.state).phase !== 'ended') this.#freed(plan.id)
        if (moved.dueMs !== undefined) this.#run(memberId)
        return moved
      } catch (error) {
        await plans.free([memberId], instance)
        throw error
      }
    })
  }

  /** Tells of a member that was stored outside of a run. */
  noted(member: PlanMember): void {
    this.#stored(member)
  }

  /** The device of a member that waits for it has come: it may start, or be looked at. Does nothing for a member that does not wait so. */
  arrived(memberId: string): Promise<void> {
    return this.#change(memberId, (member) => {
      if (member.waiting !== 'offline' || member.dueMs !== undefined) return undefined
      const { missedAt: _missed, ...facts } = member.facts
      if (member.state === 'QUEUED') return { ...member, facts, waiting: 'place' }
      return { ...member, facts, dueMs: this.#deps.time.now() }
    })
  }

  /**
   * No attempt follows the rollback of a member that is under way. AppError `conflict` when the member is not being rolled back any more, or
   * while another instance works on it.
   */
  async stopAfterRollback(memberId: string): Promise<void> {
    let isStopped = false
    await this.#change(memberId, (member) => {
      if (member.state !== 'ROLLING_BACK')
        throw new AppError('conflict', `the device is ${member.state} meanwhile; try again`)
      isStopped = true
      return member.facts.afterwards === 'stop'
        ? undefined
        : { ...member, facts: { ...member.facts, afterwards: 'stop' } }
    })
    if (!isStopped) throw new AppError('conflict', 'the device is being worked on; try again')
  }

  /** Notes that the Agent of a migrated device is not heard, has been silent for too long, or is heard again. */
  setSilence(memberId: string, silence: 'unheard' | 'silent' | 'heard'): Promise<void> {
    return this.#change(memberId, (member) => {
      if (member.state !== 'MIGRATED') return undefined
      const { silentAt, ...rest } = member
      const { silentMs, ...facts } = member.facts
      if (silence === 'heard') return silentAt === undefined && silentMs === undefined ? undefined : { ...rest, facts }
      if (silence === 'unheard') return { ...member, facts: { ...facts, silentMs: this.#deps.time.now() } }
      return silentAt === undefined ? { ...member, silentAt: this.#deps.clock.now() } : undefined
    })
  }

  /** Stores a change of a member that is no event; `undefined` changes nothing. A member that is worked on stays as it is. */
  async #change(memberId: string, change: (member: PlanMember) => PlanMember | undefined): Promise<void> {
    const { plans, instance, time, clock } = this.#deps
    await this.#queue.run(memberId, async () => {
      const member = await plans.claim(memberId, instance, time.now(), LEASE_MS)
      if (member === undefined) return
      let changed: PlanMember | undefined
      try {
        changed = change(member)
      } finally {
        if (changed === undefined) await plans.free([memberId], instance)
      }
      if (changed === undefined) return
      const { lease: _lease, ...free } = changed
      const next: PlanMember = { ...free, revision: member.revision + 1 }
      const { deviceId, planId } = member
      const wasSilent = member.silentAt !== undefined
      const events: NewEvent[] =
        (next.silentAt !== undefined) === wasSilent
          ? []
          : [{ type: 'member.silent', at: clock.now(), deviceId, planId, data: { silent: !wasSilent } }]
      await plans.commitMember({ before: member, member: next, events })
      this.#stored(next)
    })
  }

  /** Waits for the members under way, for some seconds at the most; the leases of the others run out. */
  async stop(): Promise<void> {
    this.#stopping = true
    await endsWithin(this.#queue.idle(), STOP_MS, this.#deps.clock)
  }

  /** `leased`: the member as it was claimed for this run; a claimed one always runs. */
  #run(memberId: string, leased?: { plan: Plan; member: PlanMember }): void {
    if (this.#stopping) return
    if (this.#running.has(memberId)) {
      this.#again.add(memberId)
      return
    }
    if (this.#running.size >= MAX_RUNNING && leased === undefined) return
    this.#running.add(memberId)
    this.#queue
      .run(memberId, () => this.#advance(memberId, leased))
      .catch((err: unknown) => this.#brokeOff(memberId, err))
      .finally(() => {
        this.#running.delete(memberId)
        if (this.#again.delete(memberId)) this.#run(memberId)
        else if (this.#running.size < MAX_RUNNING / 2) for (const planId of this.#behind) this.#freed(planId)
      })
  }

  /** The member is given back, and tried again in a while. */
  async #brokeOff(memberId: string, err: unknown): Promise<void> {
    const expected = isConflict(err)
    this.#log[expected ? 'info' : 'error']({ err, memberId }, 'plan member broke off; it is tried again')
    const { plans, instance, time } = this.#deps
    try {
      await plans.free([memberId], instance, time.now() + (expected ? 0 : BROKEN_MS))
    } catch (error) {
      this.#log.debug({ err: error, memberId }, 'lease was not given back; it runs out by itself')
    }
  }

  /** Runs a member from state to state until it has to wait or has ended. */
  async #advance(memberId: string, leased?: { plan: Plan; member: PlanMember }): Promise<void> {
    const { plans, instance, time } = this.#deps
    const claimed = leased?.member ?? (await plans.claim(memberId, instance, time.now(), LEASE_MS))
    if (claimed === undefined) return
    const plan = leased?.plan ?? (await plans.getPlan(claimed.planId))
    let member = claimed
    for (let steps = 0; plan !== undefined && steps < MAX_STEPS && !this.#stopping; steps++) {
      const actor = this.#turning.get(plan.id)
      const inFlight = isInFlight(member)
      if (actor !== undefined && ABORTABLE.includes(member.state)) {
        const step = { event: 'abort', facts: { afterwards: 'stop' } } as const
        member = await this.#move(plan, member, step, { actor, lease: this.#lease() })
      } else {
        const outcome = await this.#once(plan, member)
        if (outcome === undefined) break
        member = await this.#settle(plan, outcome.member, outcome.outcome)
      }
      if (inFlight && !isInFlight(member)) this.#freed(plan.id)
      if (member.lease === undefined) return
    }
    await plans.free([member.id], instance)
  }

  /** One state's work. Undefined: nothing is to be done in this state. */
  async #once(plan: Plan, member: PlanMember): Promise<{ member: PlanMember; outcome: Outcome } | undefined> {
    if (member.state === 'UNASSESSED')
      return { member, outcome: await assessMember(plan, member, this.#deps, this.#persist) }
    if (member.state === 'ELIGIBLE') return { member, outcome: { kind: 'event', event: 'queue' } }
    if (member.state === 'BACKOFF')
      return (member.dueMs ?? 0) <= this.#deps.time.now()
        ? { member, outcome: { kind: 'event', event: 'again' } }
        : undefined
    const script = STATE_SCRIPTS[member.state]
    if (script === undefined) return undefined
    const context = new Script(plan, member, this.#deps, this.#persist)
    let outcome: Outcome
    try {
      outcome = await script(context)
    } catch (error) {
      outcome = outcomeOf(error)
    }
    return { member: context.member, outcome: this.#timedOut(plan, context.member, outcome) ?? outcome }
  }

  /** Time in which the device is waited for, or has to come back after an outage of the servers, does not count against it. */
  #timedOut({ settings }: Plan, { deadlineMs, enteredMs, step }: PlanMember, outcome: Outcome): Outcome | undefined {
    if (outcome.kind !== 'wait' || outcome.waiting === 'offline' || deadlineMs === undefined) return undefined
    const { time } = this.#deps
    const anew = enteredMs < time.silenceCountsFrom ? time.silenceCountsFrom + settings.verifyTimeoutMs : 0
    if (time.now() <= Math.max(deadlineMs, anew)) return undefined
    const text = `not verified within ${Math.round(settings.verifyTimeoutMs / 1000)} s; last step: ${step}`
    return failed({ code: 'verifyTimeout', text }, true)
  }

  /** Stores an outcome: the member after the event, or the member that waits, which is then free. */
  async #settle(plan: Plan, member: PlanMember, outcome: Outcome): Promise<PlanMember> {
    if (outcome.kind === 'event') return this.#move(plan, member, outcome, { lease: this.#lease() })
    const now = this.#deps.time.now()
    const { lease: _lease, dueMs: _due, ...free } = member
    const next: PlanMember = { ...free, waiting: outcome.waiting, facts: merged(member.facts, outcome.facts) }
    if (outcome.afterMs !== undefined) next.dueMs = now + Math.min(outcome.afterMs, MAX_WAIT_MS)
    if (outcome.waiting === 'offline' && next.deadlineMs !== undefined)
      next.deadlineMs = Math.max(next.deadlineMs, (next.dueMs ?? now) + plan.settings.verifyTimeoutMs)
    return this.#persist(member, next, {})
  }

  async #move(
    plan: Plan,
    member: PlanMember,
    step: MemberStep,
    options: { actor?: string; lease?: PlanMember['lease']; device?: Device },
  ): Promise<PlanMember> {
    if (!statesThatTake(step.event).includes(member.state))
      throw new AppError('conflict', `the device is ${member.state}: ${step.event} does not apply to it`)
    const moved = await this.#transitions.apply(plan, member, step, options)
    this.#stored(moved)
    return moved
  }

  /** Stores a member under its revision; the lease is renewed while it is being worked on. */
  readonly #persist: Persist = async (before, after, { change, snapshot }) => {
    const member: PlanMember = { ...after, revision: before.revision + 1 }
    if (after.lease !== undefined) member.lease = this.#lease()
    const useful = change !== undefined && Object.keys(change).length > 1
    await this.#deps.plans.commitMember({
      before,
      member,
      events: [],
      ...(useful ? { device: change } : {}),
      ...(snapshot === undefined ? {} : { snapshot }),
    })
    this.#stored(member)
    return member
  }

  #lease(): NonNullable<PlanMember['lease']> {
    return { by: this.#deps.instance, until: this.#deps.time.now() + LEASE_MS }
  }
}

function isInFlight({ state }: PlanMember): boolean {
  const { phase } = memberStateRow(state)
  return phase === 'forward' || phase === 'back'
}

/** Facts with newer ones; one that is undefined goes. */
function merged(facts: PlanMember['facts'], newer: Partial<PlanMember['facts']> | undefined): PlanMember['facts'] {
  if (newer === undefined) return facts
  return Object.fromEntries(Object.entries({ ...facts, ...newer }).filter(([, value]) => value !== undefined))
}
