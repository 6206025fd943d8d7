import { defined } from '../../base/index.ts'
import { withIfMatch } from '../http/if-match.ts'
import { readDeviceId } from '../http/input.ts'
import { type Route, route } from '../http/route.ts'
import { z } from '../http/zod.ts'
import type { ApiDeps } from '../ports.ts'
import {
  Any,
  DeviceSchema,
  GroupInputSchema,
  GroupSchema,
  IdParam,
  IF_MATCH,
  MembersInput,
  Paging,
  page,
  ReadinessQuery,
  ReadinessStatusSchema,
} from '../schemas/schemas.ts'
import { deviceViews, withTimes } from '../views/views.ts'

export function groupRoutes(deps: ApiDeps): Route[] {
  const { groups, clock } = deps
  const tag = 'Groups'
  return [
    route({
      method: 'post',
      path: '/groups',
      id: 'createGroup',
      tag,
      summary: 'Create a group',
      description:
        'With a selector its members are whoever fits it, asked anew each time; static members are added beside.',
      scope: 'write',
      body: GroupInputSchema,
      responses: { 201: { description: 'The group', schema: GroupSchema } },
      async handle({ body, actor }) {
        const group = await groups.create(defined(body), actor)
        return { status: 201, headers: { location: `/api/v1/groups/${group.id}` }, body: withTimes(group) }
      },
    }),
    route({
      method: 'get',
      path: '/groups',
      id: 'listGroups',
      tag,
      summary: 'List groups',
      scope: 'read',
      query: Paging,
      responses: { 200: { description: 'A page of groups', schema: page(GroupSchema) } },
      async handle({ query }) {
        const found = await deps.groupStore.list(query.limit, query.cursor)
        return { body: { ...found, items: found.items.map(withTimes) } }
      },
    }),
    route({
      method: 'get',
      path: '/groups/{id}',
      id: 'readGroup',
      tag,
      summary: 'Read one group with its size',
      scope: 'read',
      params: IdParam,
      responses: { 200: { description: 'The group', schema: GroupSchema } },
      async handle({ params }) {
        const group = await groups.get(params.id)
        return {
          headers: { etag: `"${group.revision}"` },
          body: { ...withTimes(group), devices: await groups.count(group) },
        }
      },
    }),
    route({
      method: 'patch',
      path: '/groups/{id}',
      id: 'updateGroup',
      tag,
      summary: 'Change a group',
      scope: 'write',
      params: IdParam,
      headers: IF_MATCH,
      body: GroupInputSchema.partial(),
      responses: { 200: { description: 'The group', schema: GroupSchema } },
      async handle({ params, body, header, actor }) {
        const group = await withIfMatch(
          header('if-match'),
          async () => (await groups.get(params.id)).revision,
          (revision) => groups.update(params.id, defined(body), revision, actor),
        )
        return { headers: { etag: `"${group.revision}"` }, body: withTimes(group) }
      },
    }),
    route({
      method: 'delete',
      path: '/groups/{id}',
      id: 'deleteGroup',
      tag,
      summary: 'Delete a group; its devices stay',
      scope: 'write',
      params: IdParam,
      responses: { 204: { description: 'Deleted' } },
      async handle({ params, actor }) {
        const live = await deps.planStore.listPlans({
          groupId: params.id,
          states: ['running', 'paused', 'aborting'],
          limit: 1,
        })
        const [plan] = live.items
        if (plan !== undefined)
          await groups.refuse(
            params.id,
            'delete',
            plan.state === 'aborting'
              ? `plan ${plan.id} of this group is being aborted; wait until it is aborted`
              : `plan ${plan.id} moves this group; abort it, and wait until it is aborted`,
            actor,
          )
        await groups.remove(params.id, actor)
        return { status: 204 }
      },
    }),
    route({
      method: 'post',
      path: '/groups/{id}/members',
      id: 'changeMembers',
      tag,
      summary: 'Add and remove static members',
      scope: 'write',
      params: IdParam,
      body: MembersInput,
      description:
        'Devices that are not known are named in the answer; the others are changed all the same. A device that belongs to the group by its selector can be a static member as well.',
      responses: {
        200: {
          description: 'How many records changed, and which devices there are not',
          schema: z.object({ changed: z.number().int(), unknown: z.array(z.string()) }),
        },
      },
      async handle({ params, body, actor }) {
        const { add, remove } = body
        return {
          body: await groups.changeMembers(params.id, add.map(readDeviceId), remove.map(readDeviceId), actor),
        }
      },
    }),
    route({
      method: 'get',
      path: '/groups/{id}/devices',
      id: 'listGroupDevices',
      tag,
      summary: 'The devices of a group as it stands now',
      scope: 'read',
      params: IdParam,
      query: Paging,
      responses: { 200: { description: 'A page of devices', schema: page(DeviceSchema) } },
      async handle({ params, query }) {
        const selector = groups.selectorOf(await groups.get(params.id))
        const found = await deps.devices.list({
          selector,
          limit: query.limit,
          ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
        })
        return { body: { ...found, items: await deviceViews(found.items, groups, clock.now()) } }
      },
    }),
    route({
      method: 'get',
      path: '/groups/{id}/migration',
      id: 'groupMigration',
      tag,
      summary: 'Where the migration of a group stands',
      description:
        'Devices per protocol with the time at which they were counted; of the plan that runs, or was started last: devices per state, rate, failures ranked, next action; and all plans of the group.',
      scope: 'read',
      params: IdParam,
      responses: { 200: { description: 'The status', schema: Any } },
      handle: async ({ params }) => ({ body: withTimes(await deps.planner.groupStatus(params.id)) }),
    }),
    route({
      method: 'get',
      path: '/groups/{id}/readiness',
      id: 'groupReadiness',
      tag,
      summary: 'How many devices of a group could be moved, and why the others could not',
      description:
        'Readiness of every device is worked out from its record, without a plan. Counted by class, and by model and firmware, with the most frequent reasons.',
      scope: 'read',
      params: IdParam,
      query: ReadinessQuery,
      responses: { 200: { description: 'The counts', schema: ReadinessStatusSchema } },
      handle: async ({ params, query }) => ({
        body: withTimes(await deps.planner.readiness(params.id, query.limit)),
      }),
    }),
    route({
      method: 'get',
      path: '/readiness',
      id: 'readiness',
      tag,
      summary: 'The same for all devices',
      scope: 'read',
      query: ReadinessQuery,
      responses: { 200: { description: 'The counts', schema: ReadinessStatusSchema } },
      handle: async ({ query }) => ({ body: withTimes(await deps.planner.readiness(undefined, query.limit)) }),
    }),
  ]
}
