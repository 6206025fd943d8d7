import { type Route, route } from '../http/route.ts'
import { IdParam } from '../schemas/common.ts'
import { GroupStatusSchema, ReadinessQuery, ReadinessStatusSchema } from '../schemas/group.ts'
import { withTimes } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Groups'

/** The migration of groups, and the readiness of groups and of all devices. */
export function groupStatusRoutes(deps: RouteDeps): Route[] {
  const { planner } = deps
  return [
    route({
      method: 'get',
      path: '/groups/{id}/migration',
      id: 'groupMigration',
      tag,
      summary: 'The state of the migration of a group',
      description:
        'Devices per protocol with the time at which they were counted; of the plan that runs, or was started last: ' +
        'devices per state, rate, failures ranked, next action; and the newest plans of the group with all that move ' +
        'devices.',
      permission: 'groups.read',
      params: IdParam,
      responses: { 200: { description: 'The status', schema: GroupStatusSchema } },
      handle: async ({ params }) => ({ body: withTimes(await planner.groupStatus(params.id)) }),
    }),
    route({
      method: 'get',
      path: '/groups/{id}/readiness',
      id: 'groupReadiness',
      tag,
      summary: 'Devices of a group that could be moved, and the reasons of the others',
      description:
        'The readiness of every device follows from its record, without a plan. Counted by class, and by model and firmware, with the most frequent reasons.',
      permission: 'groups.read',
      params: IdParam,
      query: ReadinessQuery,
      responses: { 200: { description: 'The counts', schema: ReadinessStatusSchema } },
      handle: async ({ params, query }) => ({
        body: withTimes(await planner.readiness(params.id, query.limit)),
      }),
    }),
    route({
      method: 'get',
      path: '/readiness',
      id: 'readiness',
      tag,
      summary: 'The same for all devices',
      permission: 'groups.read',
      query: ReadinessQuery,
      responses: { 200: { description: 'The counts', schema: ReadinessStatusSchema } },
      handle: async ({ query }) => ({ body: withTimes(await planner.readiness(undefined, query.limit)) }),
    }),
  ]
}
