/** Floor 5: groups, readiness, the per-device machine, and what moves plans. */
export { createGroups, type GroupInput, type Groups } from './groups.ts'
export {
  ABORTABLE,
  ENDED,
  FAILED_STATES,
  IN_FLIGHT,
  MEMBER_TABLE,
  type MemberEvent,
  RETRIABLE,
  reduce,
} from './machine.ts'
export { createPlanner, PLAN_ACTIONS, type PlanAction, type Planner, type PlannerDeps } from './planner.ts'
export { assess } from './readiness.ts'
export { defaultPlanSettings } from './settings.ts'
export type { GroupStatus, PlanStatus } from './status.ts'
export type { RetryReport } from './sweeps.ts'
