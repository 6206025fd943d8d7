import { AppError, type Clock, type ServiceTime, sleep } from '../base/index.ts'
import type { PlanStore } from '../domain/index.ts'

/** Long enough for the slowest piece of work; the round of an instance that dies in it is free after this. */
export const ROUND_LEASE_MS = 60_000
const AGAIN_MS = 200
const MAX_TRIES = 50

interface PlanLockDeps {
  plans: Pick<PlanStore, 'takeRound' | 'leaveRound'>
  instance: string
  clock: Clock
  time: ServiceTime
}

/** Work on a plan as a whole: one piece at a time in this process, and one instance at a time over all. */
export class PlanLock {
  readonly #deps: PlanLockDeps
  readonly #kick: (planId: string) => void
  readonly #busy = new Map<string, Promise<void>>()
  readonly #again = new Set<string>()

  /** `kick` is called when a round was asked for while the plan was worked on. */
  constructor(deps: PlanLockDeps, kick: (planId: string) => void) {
    this.#deps = deps
    this.#kick = kick
  }

  /** Runs a round; one that is asked for while the plan is worked on follows by `kick`. */
  round(planId: string, work: () => Promise<void>): Promise<void> {
    const under = this.#busy.get(planId)
    if (under === undefined) return this.#occupy(planId, work())
    this.#again.add(planId)
    return under
  }

  /**
   * Runs work that no round of any instance may see half done. AppError `conflict` when another instance does not leave
   * the plan.
   */
  async alone<T>(planId: string, work: () => Promise<T>): Promise<T> {
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      for (let under = this.#busy.get(planId); under !== undefined; under = this.#busy.get(planId)) await under
      const run = this.#leased(planId, work)
      // Others that wait for the plan do not hear how this went; the caller does.
      await this.#occupy(
        planId,
        run.then(
          () => undefined,
          () => undefined,
        ),
      )
      const done = await run
      if (done !== undefined) return done.value
      await sleep(this.#deps.clock, AGAIN_MS)
    }
    throw new AppError('conflict', 'another server instance works on the plan; repeat the request in some seconds')
  }

  /** Resolves when no plan is worked on. */
  async idle(): Promise<void> {
    await Promise.all(this.#busy.values())
  }

  #occupy(planId: string, work: Promise<void>): Promise<void> {
    const turn = work.finally(() => {
      this.#busy.delete(planId)
      if (this.#again.delete(planId)) this.#kick(planId)
    })
    this.#busy.set(planId, turn)
    return turn
  }

  /** Undefined: another instance has the plan. */
  async #leased<T>(planId: string, work: () => Promise<T>): Promise<{ value: T } | undefined> {
    const { plans, instance, time } = this.#deps
    if ((await plans.takeRound(planId, instance, time.now(), ROUND_LEASE_MS)) === undefined) return undefined
    try {
      return { value: await work() }
    } finally {
      await plans.leaveRound(planId, instance)
    }
  }
}
