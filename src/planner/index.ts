/** Floor 6: readiness, the per-device machine, and the rounds that move plans. */

export type { ActionReport, MemberAction } from './bulk-work.ts'
export type { GroupStatus } from './group-status.ts'
export { ABORTABLE, MEMBER_TABLE, type MemberEvent, RETRIABLE, RETURNABLE, reduce } from './machine.ts'
export { type ActionScope, PLAN_ACTIONS, type PlanAction } from './plan-actions.ts'
export { createPlanner, type Planner } from './planner.ts'
export { assess } from './readiness.ts'
export { ReadinessKeeper } from './readiness-keeper.ts'
export type { ReadinessStatus } from './readiness-status.ts'
export { defaultPlanSettings } from './settings.ts'
export { type PlanStatus, placeMeans, SHOWN_WAITING, type ShownWaiting } from './status.ts'
