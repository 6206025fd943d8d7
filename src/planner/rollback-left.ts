import {
  type BulkWork,
  type DeviceStore,
  type Plan,
  type PlanCounters,
  parseSelector,
  type Selector,
} from '../domain/index.ts'
import { rollbacksOf } from './plan-changes.ts'

/** Matches that are counted at most. */
const MAX_COUNT = 100_000

/** The rollback of a plan, for a person: the devices that are left, and whether it is paused. */
export interface RollbackStatus {
  /** Devices that are being brought back, and those with which it has not begun. */
  left: number
  paused?: true
}

/**
 * The rollback of a plan; undefined when no device is being brought back. `matching`: the migrated devices that the
 * selectors of its rollbacks match.
 */
export function rollbackStatus(
  plan: Pick<Plan, 'bulk'>,
  { states, alreadyThere }: Pick<PlanCounters, 'states' | 'alreadyThere'>,
  matching: number,
): RollbackStatus | undefined {
  const works = rollbacksOf(plan)
  const rollingBack = states.ROLLING_BACK ?? 0
  if (works.length === 0 && rollingBack === 0) return undefined
  const moved = Math.max(0, (states.MIGRATED ?? 0) - alreadyThere)
  const toBegin = works.some(isWhole) ? moved : Math.min(moved, matching)
  const isPaused = works.length > 0 && works.every(({ paused }) => paused === true)
  return { left: rollingBack + toBegin, ...(isPaused ? { paused: true } : {}) }
}

/** Counts the migrated devices of a plan that the selectors of its rollbacks match; 0 when none has a selector. */
export async function matchedByRollbacks(plan: Plan, devices: Pick<DeviceStore, 'count'>): Promise<number> {
  const works = rollbacksOf(plan)
  const selectors = works.flatMap(({ selector }) => (selector === undefined ? [] : [parseSelector(selector)]))
  if (selectors.length === 0 || works.some(isWhole)) return 0
  const held: Selector[] = [
    { field: 'migration.planId', operator: '==', values: [plan.id] },
    { field: 'migration.state', operator: '==', values: ['MIGRATED'] },
  ]
  return devices.count({ and: [{ or: selectors }, ...held] }, MAX_COUNT)
}

function isWhole({ selector }: BulkWork): boolean {
  return selector === undefined
}
