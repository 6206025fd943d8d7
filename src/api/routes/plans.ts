import { defined } from '../../base/index.ts'
import { actorOf } from '../../domain/index.ts'
import { deleteIfMatch, withIfMatch } from '../http/if-match.ts'
import { type Route, route } from '../http/route.ts'
import { z } from '../http/zod.ts'
import { IdParam, IF_MATCH, Paging } from '../schemas/common.ts'
import { PlanChangeSchema, PlanInputSchema, PlanPage, PlanSchema, type PlanSettingsInput } from '../schemas/plan.ts'
import { planView } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Plans'

/** Plans and their settings. */
export function planRoutes(deps: RouteDeps): Route[] {
  const { planner, planStore } = deps
  return [
    route({
      method: 'post',
      path: '/plans',
      id: 'createPlan',
      tag,
      summary: 'Plan the migration of a group from CWMP to USP',
      description:
        'Nothing happens until the plan is started. Settings that are not given take their defaults, which the answer shows.',
      permission: 'plans.write',
      body: PlanInputSchema,
      responses: { 201: { description: 'The plan, a draft', schema: PlanSchema } },
      async handle({ body, principal }) {
        const { settings, ...rest } = body
        const plan = await planner.create({ ...rest, settings: settingsOf(settings ?? {}) }, actorOf(principal))
        const headers = { location: `/api/v1/plans/${plan.id}`, etag: `"${plan.revision}"` }
        return { status: 201, headers, body: planView(plan) }
      },
    }),
    route({
      method: 'get',
      path: '/plans',
      id: 'listPlans',
      tag,
      summary: 'List plans, newest first',
      permission: 'plans.read',
      query: Paging.extend({ groupId: z.string().max(100).optional() }),
      responses: { 200: { description: 'A page of plans', schema: PlanPage } },
      async handle({ query }) {
        const found = await planStore.listPlans(defined(query))
        return { body: { ...found, items: found.items.map(planView) } }
      },
    }),
    route({
      method: 'get',
      path: '/plans/{id}',
      id: 'readPlan',
      tag,
      summary: 'Read one plan',
      permission: 'plans.read',
      params: IdParam,
      responses: { 200: { description: 'The plan', schema: PlanSchema } },
      async handle({ params }) {
        const plan = await planner.get(params.id)
        return { headers: { etag: `"${plan.revision}"` }, body: planView(plan) }
      },
    }),
    route({
      method: 'patch',
      path: '/plans/{id}',
      id: 'updatePlan',
      tag,
      summary: 'Change name or settings of a plan',
      description:
        'Settings that are given replace the present ones, also while the plan runs: ' +
        '`maxInFlight`, `startsPerMinute` or the gate, for example. `controller` and `retire` can be changed before ' +
        'the start only.',
      permission: 'plans.write',
      params: IdParam,
      headers: IF_MATCH,
      body: PlanChangeSchema,
      responses: { 200: { description: 'The plan', schema: PlanSchema } },
      async handle({ params, body, header, principal }) {
        const input = {
          ...(body.name === undefined ? {} : { name: body.name }),
          ...(body.settings === undefined ? {} : { settings: settingsOf(body.settings) }),
        }
        const plan = await withIfMatch(
          header('if-match'),
          async () => (await planner.get(params.id)).revision,
          (revision) => planner.update(params.id, input, revision, actorOf(principal)),
        )
        return { headers: { etag: `"${plan.revision}"` }, body: planView(plan) }
      },
    }),
    route({
      method: 'delete',
      path: '/plans/{id}',
      id: 'deletePlan',
      tag,
      summary: 'Delete a plan and the history of its devices; the devices stay as they are',
      description:
        '409 while it is running, paused or aborting, with what to wait for. ' +
        'Devices that it has moved or must still bring back keep their rollback: `POST /devices/{id}/rollback`.',
      permission: 'plans.write',
      params: IdParam,
      headers: IF_MATCH,
      responses: { 204: { description: 'Deleted' } },
      async handle({ params, header, principal }) {
        await deleteIfMatch(
          header('if-match'),
          async () => (await planner.get(params.id)).revision,
          () => planner.remove(params.id, actorOf(principal)),
        )
        return { status: 204 }
      },
    }),
  ]
}

/** Settings without the keys that were not given. */
function settingsOf({ controller, bridge, ...own }: z.infer<typeof PlanSettingsInput>) {
  return {
    ...defined(own),
    ...(bridge === undefined ? {} : { bridge: defined(bridge) }),
    ...(controller === undefined ? {} : { controller: defined(controller) }),
  }
}
