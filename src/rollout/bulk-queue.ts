import { type BulkWork, PLANNER } from '../domain/index.ts'
import type { RolloutMember, RolloutPlan } from './plan.ts'
import type { RolloutStore } from './ports.ts'

/**
 * Members or devices that one piece of bulk work takes: a round must end soon, because starts and the gate wait for it.
 */
export const PER_ROUND = 4000

/** A piece of bulk work that was done. `left`: what is still to do; absent when the work is done. */
export interface Piece<P extends RolloutPlan> {
  left?: BulkWork
  /** The plan with what the work has found; it is stored with the progress. */
  plan?: P
}

/** A kind of bulk work. */
export interface BulkKind<P extends RolloutPlan> {
  /** Does one piece of it. `behind`: other work before it is not done, and not paused. */
  piece(plan: P, work: BulkWork, behind: boolean): Promise<Piece<P>>
  /** Called at the beginning of a round over a plan that has no such work. */
  idle?(planId: string): Promise<void>
}

/** Each kind of bulk work of a rollout. */
export type BulkKinds<P extends RolloutPlan> = Record<BulkWork['kind'], BulkKind<P>>

/**
 * True when work may go on before the works in `left`, which are ahead of it, are done. Works go on in their order.
 * Only an abort, a paced rollback and a paused one let others go on beside them. A retry waits for the end of an abort,
 * which would cancel what it takes up. An abort waits for none. Paused work does not go on.
 */
export function mayGoOn(
  work: Pick<BulkWork, 'kind' | 'paused'>,
  left: readonly Pick<BulkWork, 'kind' | 'paced' | 'paused'>[],
): boolean {
  if (work.paused === true) return false
  if (work.kind === 'abort') return true
  return left.every(
    ({ kind, paced, paused }) => (kind === 'abort' && work.kind !== 'retry') || paced === true || paused === true,
  )
}

function isGoingOn({ paused }: BulkWork): boolean {
  return paused !== true
}

/**
 * Bulk work of plans, a bounded piece per round. Its progress is kept in the plan, so that a restarted server goes on
 * from there.
 */
export class BulkQueue<P extends RolloutPlan, M extends RolloutMember> {
  readonly #plans: Pick<RolloutStore<P, M>, 'putPlan'>
  readonly #kinds: BulkKinds<P>

  constructor(plans: Pick<RolloutStore<P, M>, 'putPlan'>, kinds: BulkKinds<P>) {
    this.#plans = plans
    this.#kinds = kinds
  }

  /**
   * Carries on the bulk work of a plan. Resolves with the plan as it is stored then; the same object when nothing went
   * on. Only the holder of the plan's round may call it.
   */
  async goOn(plan: P): Promise<P> {
    const works = plan.bulk ?? []
    for (const [name, kind] of Object.entries(this.#kinds))
      if (!works.some((work) => work.kind === name)) await kind.idle?.(plan.id)
    const left: BulkWork[] = []
    let found = plan
    let changed = false
    for (const work of works) {
      const piece = mayGoOn(work, left)
        ? await this.#kinds[work.kind].piece(found, work, left.some(isGoingOn))
        : { left: work }
      found = piece.plan ?? found
      changed ||= piece.left?.after !== work.after
      if (piece.left !== undefined) left.push(piece.left)
    }
    if (!changed) return plan
    const next: P = { ...found, revision: plan.revision + 1 }
    delete next.bulk
    if (left.length > 0) next.bulk = left
    await this.#plans.putPlan(next, plan.revision)
    return next
  }

  /** Adds another abort to a plan that has no bulk work, and resolves with the plan as it is stored then. */
  async abortAgain(plan: P): Promise<P> {
    const bulk: BulkWork[] = [{ kind: 'abort', actor: PLANNER, after: '' }]
    const next: P = { ...plan, bulk, revision: plan.revision + 1 }
    await this.#plans.putPlan(next, plan.revision)
    return next
  }
}
