import { AppError, type ServiceTime } from '../base/index.ts'
import type { NewEvent } from '../domain/index.ts'
import type { RolloutFacts, RolloutMember, RolloutPlan, RolloutStep } from './plan.ts'
import type { ApplyOptions, Outcome, Persist, ScriptSet } from './script-set.ts'

/** An instance may be silent for so long before another takes a member over, in milliseconds. */
export const LEASE_MS = 60_000
/** No wait is longer, in milliseconds. */
const MAX_WAIT_MS = 86_400_000

interface WriterDeps<P extends RolloutPlan, M extends RolloutMember, S extends RolloutStep, X extends object> {
  set: ScriptSet<P, M, S, X>
  instance: string
  time: ServiceTime
  /** Called with each stored member. */
  stored(member: M): void
}

/** Stores members after events, waits, steps and notes. */
export class MemberWriter<P extends RolloutPlan, M extends RolloutMember, S extends RolloutStep, X extends object> {
  readonly #deps: WriterDeps<P, M, S, X>

  constructor(deps: WriterDeps<P, M, S, X>) {
    this.#deps = deps
  }

  /** A lease of this instance that begins now. */
  lease(): NonNullable<RolloutMember['lease']> {
    const { instance, time } = this.#deps
    return { by: instance, until: time.now() + LEASE_MS }
  }

  /** Stores the member after an event. AppError `conflict` when the event does not apply, or when it has changed. */
  async move(plan: P, member: M, step: S, options: ApplyOptions): Promise<M> {
    const { set, stored } = this.#deps
    if (!set.takes(member.state, step.event))
      throw new AppError('conflict', `the device is ${member.state}: ${step.event} does not apply to it`)
    const moved = await set.apply(plan, member, step, options)
    stored(moved)
    return moved
  }

  /** Stores an outcome: the member after the event, or the member that waits, which is then free. */
  async conclude(plan: P, member: M, outcome: Outcome<M, S>): Promise<M> {
    if (outcome.kind === 'event') return this.move(plan, member, outcome, { lease: this.lease() })
    const { set, time } = this.#deps
    const now = time.now()
    const next: M = { ...member }
    delete next.lease
    delete next.dueMs
    next.waiting = outcome.waiting
    next.facts = merged(member.facts, outcome.facts)
    if (outcome.afterMs !== undefined) next.dueMs = now + Math.min(outcome.afterMs, MAX_WAIT_MS)
    if (outcome.waiting === 'offline' && next.deadlineMs !== undefined && set.limit !== undefined)
      next.deadlineMs = Math.max(next.deadlineMs, (next.dueMs ?? now) + set.limit.ms(plan))
    return this.persist(member, next)
  }

  /** Stores a change of a member that is no event, and gives the member back. */
  async note(before: M, after: M, events: NewEvent[]): Promise<void> {
    const next: M = { ...after, revision: before.revision + 1 }
    delete next.lease
    await this.#deps.set.commit(before, next, events)
    this.#deps.stored(next)
  }

  /** Stores a member under its revision; its lease is renewed while it is being worked on. */
  readonly persist = async (before: M, after: M, more?: X): ReturnType<Persist<M, X>> => {
    const member: M = { ...after, revision: before.revision + 1 }
    if (after.lease !== undefined) member.lease = this.lease()
    await this.#deps.set.commit(before, member, [], more)
    this.#deps.stored(member)
    return member
  }
}

/** Facts with newer ones; one that is undefined goes. */
function merged(facts: RolloutFacts, newer: object | undefined): RolloutFacts {
  if (newer === undefined) return facts
  return Object.fromEntries(Object.entries({ ...facts, ...newer }).filter(([, value]) => value !== undefined))
}
