import { MEMBER_STATES, type MemberState, memberStateRow } from '../../domain/index.ts'
import { StateTable } from '../../rollout/index.ts'

/** The states of a migration, with the lists that a rollout derives from them. */
export const MIGRATION_STATES = new StateTable<MemberState>(MEMBER_STATES, memberStateRow)
