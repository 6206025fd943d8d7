import { actorOf, MOVING_PLAN_STATES, type PlanStore, type Principal } from '../domain/index.ts'
import type { Groups } from '../groups/index.ts'

/**
 * Deletes a group; its devices stay. AppError `notFound` without such a group, `conflict` while a plan moves its
 * devices.
 */
export async function deleteGroup(
  { groups, planStore }: { groups: Pick<Groups, 'refuse' | 'remove'>; planStore: Pick<PlanStore, 'listPlans'> },
  id: string,
  by: Principal,
): Promise<void> {
  const actor = actorOf(by)
  const [plan] = (await planStore.listPlans({ groupId: id, states: MOVING_PLAN_STATES, limit: 1 })).items
  if (plan !== undefined)
    await groups.refuse(
      id,
      'delete',
      plan.state === 'aborting'
        ? `plan ${plan.id} of this group is being aborted; wait until it is aborted`
        : `plan ${plan.id} moves this group; abort it, and wait until it is aborted`,
      actor,
    )
  await groups.remove(id, actor)
}
