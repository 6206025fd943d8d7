import { unlessConflict } from '../base/index.ts'
import type { Device, Pacing } from '../domain/index.ts'
import type { MemberRunner, RolloutDeps } from './member-runner.ts'
import { allowance } from './pace.ts'
import type { RolloutMember, RolloutPlan, RolloutStep } from './plan.ts'
import type { ScriptSet } from './script-set.ts'

/** Members that are looked at in one go: more each time that a look found fewer devices than may start. */
const MIN_LOOK = 50
const MAX_LOOK = 500
/**
 * Looks in one round. Absent devices leave their places to others: so many looks find those within a few rounds,
 * whatever the start rate.
 */
const MAX_LOOKS = 10

/** Starts members that wait for a place, as far as places and start rate allow. */
export class Starting<P extends RolloutPlan, M extends RolloutMember, S extends RolloutStep, X extends object> {
  readonly #deps: RolloutDeps<P, M>
  readonly #set: ScriptSet<P, M, S, X>
  readonly #runner: MemberRunner<P, M, S, X>

  constructor(deps: RolloutDeps<P, M>, set: ScriptSet<P, M, S, X>, runner: MemberRunner<P, M, S, X>) {
    this.#deps = deps
    this.#set = set
    this.#runner = runner
  }

  /**
   * Starts what may start now. Only the holder of the plan's round may call it: the limits are counted, then used.
   * Looking at a member costs no start: one whose device is absent waits for its contact from then on.
   */
  async some(plan: P, kept: Pacing | undefined): Promise<void> {
    const { plans, time } = this.#deps
    const { states, start } = this.#set
    let pacing = kept
    for (let looks = 0, look = MIN_LOOK; looks < MAX_LOOKS; looks++, look = Math.min(MAX_LOOK, 4 * look)) {
      const taken = states.placesTaken(await plans.counters(plan.id))
      const allowed = allowance(plan, { taken, pacing }, time.now())
      pacing = allowed.pacing
      if (allowed.starts <= 0) return
      look = Math.min(MAX_LOOK, Math.max(look, allowed.starts))
      const found = await plans.freeMembers(plan.id, { states: [start.from], waiting: 'place' }, time.now(), look)
      if (found.length === 0) return
      // Counted before they start: a cut in between starts too few, never too many.
      const reserved = Math.min(allowed.starts, found.length)
      pacing = await this.#spend(plan, pacing, reserved)
      const started = await this.#upTo(allowed.starts, plan, found)
      pacing = await this.#spend(plan, pacing, started - reserved)
      if (found.length < look) return
    }
  }

  /** Starts the first members whose devices are here. Resolves with how many started. */
  async #upTo(limit: number, plan: P, found: M[]): Promise<number> {
    const here: { member: M; device: Device }[] = []
    await Promise.all(
      found.map(async (member) => {
        const device = await this.#ready(plan, member)
        if (device !== undefined) here.push({ member, device })
      }),
    )
    here.sort((a, b) => (a.member.id < b.member.id ? -1 : 1))
    // The next look decides again about a member that has changed, or whose device has.
    const begun = await Promise.all(
      here
        .slice(0, limit)
        .map(({ member, device }) => unlessConflict(this.#runner.begin(plan, member, this.#set.start.step, device))),
    )
    return begun.filter(Boolean).length
  }

  /** The device of a member that may start. Undefined: it may not, and its member is stored with the reason. */
  async #ready(plan: P, member: M): Promise<Device | undefined> {
    const decision = await this.#set.mayStart(plan, member)
    if (decision.starts) return decision.device
    const { outcome, device } = decision
    await unlessConflict(
      outcome.kind === 'event'
        ? this.#runner.begin(plan, member, outcome, device)
        : this.#runner.park(plan, member, outcome),
    )
    return undefined
  }

  async #spend(plan: P, pacing: Pacing | undefined, starts: number): Promise<Pacing | undefined> {
    if (pacing === undefined || starts === 0) return pacing
    const left = { ...pacing, tokens: pacing.tokens - starts }
    await this.#deps.plans.keepPacing(plan.id, this.#deps.instance, left)
    return left
  }
}
