import { AppError } from '../base/index.ts'
import { type DeviceStore, type MemberState, memberStateRow, type Plan, type PlanMember } from '../domain/index.ts'
import { type ActionRule, isAborting, type MemberAction } from '../rollout/index.ts'
import { ABORTABLE, MEMBER_TABLE, RETRIABLE, RETURNABLE } from './machine/machine.ts'
import { heldByOther, type MemberStep } from './machine/transition.ts'

/** An ineligible device stays so until somebody changes it; it is retried by name only. */
const RETRIED_ALL: readonly MemberState[] = RETRIABLE.filter((state) => state !== 'INELIGIBLE')

/** Rules of the actions on members of a migration. `stopAfterRollback` stores that no attempt follows a rollback. */
export function memberRules(
  stopAfterRollback: (memberId: string) => Promise<void>,
  devices: Pick<DeviceStore, 'get'>,
): Record<MemberAction, ActionRule<Plan, PlanMember, MemberStep>> {
  const underWay = (member: PlanMember) => (member.state === 'ROLLING_BACK' ? stopAfterRollback(member.id) : undefined)
  return {
    retry: { states: RETRIED_ALL, named: RETRIABLE, words: 'retry', step: retry },
    abort: {
      states: ABORTABLE,
      named: ABORTABLE,
      words: 'abort',
      step: () => ({ event: 'abort', facts: { afterwards: 'stop' } }),
      underWay,
    },
    rollback: {
      states: RETURNABLE,
      named: RETURNABLE,
      words: 'roll back',
      step: rollback,
      underWay,
      refusal: async (plan, member) =>
        isMovedBy(member) ? undefined : heldByOther(plan.id, (await devices.get(member.deviceId))?.migration)?.text,
    },
  }
}

/** AppError `conflict` when the member would begin again in a plan that is being aborted. */
function retry(plan: Plan, { state }: PlanMember): MemberStep {
  const next = MEMBER_TABLE[state].retry
  if (isAborting(plan) && next !== undefined && memberStateRow(next).phase === 'before')
    throw new AppError('conflict', 'the plan is being aborted; retry the device when that is over')
  return state === 'CONFLICT' ? { event: 'retry', facts: { afterwards: 'again' } } : { event: 'retry' }
}

/** AppError `conflict` when the member's plan never wrote on the device. */
function rollback(_plan: Plan, member: PlanMember): MemberStep {
  if (!isMovedBy(member))
    throw new AppError('conflict', 'the device was on USP before this plan: there is nothing to roll back')
  return { event: 'rollback', facts: { afterwards: 'stop' } }
}

/** True for a member whose plan has written on the device. */
function isMovedBy({ startedAt, facts }: PlanMember): boolean {
  return startedAt !== undefined && facts.alreadyThere !== true
}
