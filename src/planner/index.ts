/** Floor 5: groups, readiness, the per-device machine, and what moves plans. */
export { createGroups, type GroupInput, type Groups, type GroupsDeps } from './groups/groups.ts'
export { groupSelector, within } from './groups/membership.ts'
export { ENDED, FAILED_STATES, IN_FLIGHT, MEMBER_TABLE, type MemberEventType, RETRYABLE } from './machine.ts'
export { type AgentEvidence, type Assessment, assessReadiness, EVIDENCE_PATHS } from './readiness.ts'
export { afterRollback, backoffMs, type MemberEffect, type MemberEvent, reduce } from './reduce.ts'
export { DEFAULT_PLAN_SETTINGS, planSettings } from './settings.ts'
