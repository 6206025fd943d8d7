/** Floor 6: migrations from CWMP to USP: readiness, the states of a device, plans and their status. */

export type { ActionReport, MemberAction } from '../rollout/index.ts'
export type { GroupStatus } from './group-status.ts'
export { ABORTABLE, MEMBER_TABLE, type MemberEvent, RETRIABLE, RETURNABLE, reduce } from './machine/machine.ts'
export { type ActionScope, PLAN_ACTIONS, type PlanAction } from './plan-changes.ts'
export { Planner } from './planner.ts'
export { ReadinessKeeper } from './readiness/keeper.ts'
export { assess } from './readiness/readiness.ts'
export type { ReadinessStatus } from './readiness/status.ts'
export { defaultPlanSettings } from './settings.ts'
export { type PlanStatus, placeMeans, SHOWN_WAITING, type ShownWaiting } from './status.ts'
