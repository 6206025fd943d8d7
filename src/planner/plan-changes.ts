import { AppError } from '../base/index.ts'
import {
  type Actor,
  actorOf,
  type BulkWork,
  type DeviceId,
  type Plan,
  type PlanCounters,
  parseSelector,
  type Timestamp,
} from '../domain/index.ts'
import { LIVE } from '../rollout/index.ts'

/** Actions of a person on a plan. */
export const PLAN_ACTIONS = ['start', 'pause', 'resume', 'abort', 'retry', 'rollback'] as const
export type PlanAction = (typeof PLAN_ACTIONS)[number]

/**
 * The devices that an action is for; absent: all devices of the plan that it applies to. `paced`: a rollback keeps to
 * places and rate.
 */
export interface ActionScope {
  devices?: DeviceId[]
  selector?: string
  paced?: boolean
}

/** An action with what it is decided by. `attempts`: those of the plan until now. */
interface Asked {
  actor: Actor
  scope: ActionScope
  attempts: PlanCounters['attempts']
  now: Timestamp
}

/** The states from which an action leads to a state, and those in which it has happened already. */
const ACTIONS: Record<PlanAction, { from: Plan['state'][]; to: Plan['state']; done: Plan['state'][] }> = {
  start: { from: ['draft'], to: 'running', done: ['running'] },
  pause: { from: ['running', 'paused', 'aborting'], to: 'paused', done: ['paused', 'aborting'] },
  resume: { from: ['paused', 'aborting'], to: 'running', done: ['running'] },
  abort: { from: ['running', 'paused', 'finished'], to: 'aborting', done: ['aborting', 'aborted'] },
  retry: { from: ['running', 'paused', 'finished', 'aborting', 'aborted'], to: 'running', done: [] },
  rollback: { from: ['running', 'paused', 'finished', 'aborting', 'aborted'], to: 'aborting', done: [] },
}
/** Bulk works that may wait in one plan. */
const MAX_BULK = 20

/** True when an action has happened already. A pause has not while a rollback of the plan still begins with devices. */
export function hasHappened(plan: Pick<Plan, 'state' | 'bulk'>, action: PlanAction): boolean {
  if (!ACTIONS[action].done.includes(plan.state)) return false
  if (action !== 'pause') return true
  const rollbacks = rollbacksOf(plan)
  return rollbacks.every(({ paused }) => paused === true) && (plan.state === 'paused' || rollbacks.length > 0)
}

/** The reason for which an action does not fit the plan's state; undefined when it does. */
export function refusalOf(plan: Pick<Plan, 'state' | 'bulk'>, action: PlanAction): string | undefined {
  const { state } = plan
  const { from } = ACTIONS[action]
  if (state === 'aborting' && action === 'pause' && rollbacksOf(plan).length === 0)
    return 'the plan is being aborted, and nothing new starts: devices under way go on to their end; wait until it is aborted'
  if (state === 'aborting' && action === 'resume' && !rollbacksOf(plan).some(({ paused }) => paused === true))
    return 'the plan is being aborted, and no rollback of it is paused; retry it when it is aborted, to move its devices'
  if (from.includes(state) || (state === 'deleted' && action === 'rollback')) return undefined
  return `a plan that is ${state} cannot ${action}; it can when it is ${from.join(' or ')}`
}

/**
 * The plan without what an action ends, and what the action changes. AppError `invalid` for a selector that is none,
 * `conflict` when too many works wait.
 */
export function changeBy(plan: Plan, action: PlanAction, asked: Asked): { base: Plan; changes: Partial<Plan> } {
  return { base: without(plan, action, asked.scope), changes: changesOf(plan, action, asked) }
}

function changesOf(plan: Plan, action: PlanAction, { actor, scope, attempts, now }: Asked): Partial<Plan> {
  const state = ACTIONS[action].to
  const goesOn = action === 'retry' || (action === 'rollback' && scope.selector === undefined)
  const queue = goesOn ? { ...plan, ...withRollbacks(plan, 'going on') } : plan
  const bulk = (...works: Pick<BulkWork, 'kind' | 'selector' | 'paced'>[]) => withWorks(queue, actor, works)
  switch (action) {
    case 'start':
      return { state, startedAt: now, bulk: bulk({ kind: 'enrol' }), gateBase: { failed: 0, moved: 0 } }
    case 'pause':
      return { state: plan.state === 'aborting' ? 'aborting' : state, ...withRollbacks(plan, 'paused') }
    case 'resume':
      return plan.state === 'aborting'
        ? withRollbacks(plan, 'going on')
        : { state, gateBase: attempts, ...withRollbacks(plan, 'going on') }
    case 'abort':
      return { state, bulk: bulk({ kind: 'abort' }) }
    case 'retry':
      return { state, bulk: bulk({ kind: 'retry' }), gateBase: attempts }
    case 'rollback':
      return rollback(plan, scope, bulk)
  }
}

/**
 * With a selector the plan goes on beside the rollback. Without one the whole plan goes back: nothing new starts, and
 * what is under way turns back.
 */
function rollback(
  { state }: Plan,
  { selector, paced }: ActionScope,
  bulk: (...works: Pick<BulkWork, 'kind' | 'selector' | 'paced'>[]) => BulkWork[],
): Partial<Plan> {
  const pace = paced === true ? { paced } : {}
  if (selector === undefined)
    return { state: 'aborting', bulk: bulk({ kind: 'abort' }, { kind: 'rollback', ...pace }, { kind: 'survey' }) }
  parseSelector(selector)
  const over = state === 'aborted' ? 'aborting' : 'running'
  return { state: LIVE.includes(state) ? state : over, bulk: bulk({ kind: 'rollback', ...pace, selector }) }
}

/** The rollbacks over many devices that are not done. */
export function rollbacksOf({ bulk = [] }: Pick<Plan, 'bulk'>): BulkWork[] {
  return bulk.filter(({ kind }) => kind === 'rollback')
}

/** The bulk work with its rollbacks paused, or going on. A rollback that is asked for in a paused plan begins. */
function withRollbacks({ bulk }: Plan, how: 'paused' | 'going on'): Pick<Plan, 'bulk'> {
  if (bulk === undefined) return {}
  const changed = bulk.map(({ paused: _paused, ...work }): BulkWork => {
    return how === 'paused' && work.kind === 'rollback' ? { ...work, paused: true } : work
  })
  return { bulk: changed }
}

function withWorks(
  { bulk = [] }: Plan,
  actor: Actor,
  works: Pick<BulkWork, 'kind' | 'selector' | 'paced'>[],
): BulkWork[] {
  if (bulk.length + works.length > MAX_BULK)
    throw new AppError(
      'conflict',
      `${MAX_BULK} actions of this plan wait already; repeat the request when one of them has ended`,
    )
  return [...bulk, ...works.map((work) => ({ actor: actorOf(actor), after: '', ...work }))]
}

/**
 * A plan without what an action ends: a pause and an abort keep the reason for which it paused, any other ends it. A
 * rollback of the whole plan and a retry also end what the last rollback has left out.
 */
function without({ leftOut, ...plan }: Plan, action: PlanAction, { selector }: ActionScope): Plan {
  const endsLeftOut = action === 'retry' || (action === 'rollback' && selector === undefined)
  const kept = leftOut === undefined || endsLeftOut ? plan : { ...plan, leftOut }
  if (action === 'pause') return kept
  const { finishedAt: _finished, ...unfinished } = kept
  if (action === 'abort' || action === 'rollback') return unfinished
  const { reason: _reason, ...rest } = unfinished
  return rest
}
