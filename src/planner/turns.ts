import { AppError, type Clock } from '../base/index.ts'
import type { PlanStore } from '../device/index.ts'

/** Long enough for the slowest piece of work; who dies in it is waited for so long. */
export const ROUND_LEASE_MS = 60_000
const AGAIN_MS = 200
const MAX_TRIES = 50

/** Whose turn it is to work on a plan as a whole: one piece of work at a time in this process, and one instance at a time over all. */
export interface Turns {
  /** One round; one that is asked for while the plan is worked on follows by `kick`. */
  round(planId: string, work: () => Promise<void>): Promise<void>
  /** Work that no round of any instance may see half done. AppError `conflict` when another instance does not leave the plan. */
  alone<T>(planId: string, work: () => Promise<T>): Promise<T>
  idle(): Promise<void>
}

export function createTurns(
  deps: { plans: PlanStore; instance: string; clock: Clock },
  kick: (planId: string) => void,
): Turns {
  const { plans, instance, clock } = deps
  const busy = new Map<string, Promise<void>>()
  const again = new Set<string>()

  function occupy(planId: string, work: Promise<void>): Promise<void> {
    const turn = work.finally(() => {
      busy.delete(planId)
      if (again.delete(planId)) kick(planId)
    })
    busy.set(planId, turn)
    return turn
  }

  /** Undefined: another instance has the plan. */
  async function leased<T>(planId: string, work: () => Promise<T>): Promise<{ value: T } | undefined> {
    if ((await plans.takeRound(planId, instance, clock.now(), ROUND_LEASE_MS)) === undefined) return undefined
    try {
      return { value: await work() }
    } finally {
      await plans.leaveRound(planId, instance)
    }
  }

  return {
    round(planId, work) {
      const under = busy.get(planId)
      if (under === undefined) return occupy(planId, work())
      again.add(planId)
      return under
    },
    async alone(planId, work) {
      for (let tries = 1; tries <= MAX_TRIES; tries++) {
        for (let under = busy.get(planId); under !== undefined; under = busy.get(planId)) await under
        const run = leased(planId, work)
        // Whoever waits for the plan does not hear how this went; the caller does.
        await occupy(
          planId,
          run.then(
            () => undefined,
            () => undefined,
          ),
        )
        const done = await run
        if (done !== undefined) return done.value
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
      throw new AppError('conflict', 'another instance is at work on the plan; try again')
    },
    async idle() {
      await Promise.all(busy.values())
    },
  }
}
