import type { Plan } from '../domain/index.ts'

/** Plan states in which something happens by itself. */
export const LIVE: Plan['state'][] = ['running', 'paused', 'aborting', 'deleted']

/** True while what is under way in a plan is to be cancelled or brought back: nothing starts. */
export function isAborting({ state, bulk = [] }: Pick<Plan, 'state' | 'bulk'>): boolean {
  return state === 'aborting' || bulk.some(({ kind }) => kind === 'abort')
}
