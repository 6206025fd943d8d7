import { defined } from '../../base/index.ts'
import { deleteGroup } from '../../desk/index.ts'
import { actorOf } from '../../domain/index.ts'
import { withIfMatch } from '../http/if-match.ts'
import { readDeviceId } from '../http/input.ts'
import { type Route, route } from '../http/route.ts'
import { IdParam, IF_MATCH, Paging } from '../schemas/common.ts'
import { DevicePage } from '../schemas/device.ts'
import {
  GroupChangeSchema,
  GroupInputSchema,
  GroupPage,
  GroupSchema,
  GroupStatusSchema,
  MembersChangeSchema,
  MembersInput,
  ReadinessQuery,
  ReadinessStatusSchema,
  SizedGroupSchema,
} from '../schemas/group.ts'
import { deviceViews, withTimes } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Groups'

/** Groups, their devices, and the state of their migration. */
export function groupRoutes(deps: RouteDeps): Route[] {
  const { groups, clock } = deps
  return [
    route({
      method: 'post',
      path: '/groups',
      id: 'createGroup',
      tag,
      summary: 'Create a group',
      description:
        'With a selector its members are the devices that match it, each time that it is read; static members are added beside.',
      permission: 'groups.write',
      body: GroupInputSchema,
      responses: { 201: { description: 'The group', schema: GroupSchema } },
      async handle({ body, principal }) {
        const group = await groups.create(defined(body), actorOf(principal))
        return { status: 201, headers: { location: `/api/v1/groups/${group.id}` }, body: withTimes(group) }
      },
    }),
    route({
      method: 'get',
      path: '/groups',
      id: 'listGroups',
      tag,
      summary: 'List groups',
      permission: 'groups.read',
      query: Paging,
      responses: { 200: { description: 'A page of groups', schema: GroupPage } },
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
      permission: 'groups.read',
      params: IdParam,
      responses: { 200: { description: 'The group', schema: SizedGroupSchema } },
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
      permission: 'groups.write',
      params: IdParam,
      headers: IF_MATCH,
      body: GroupChangeSchema,
      responses: { 200: { description: 'The group', schema: GroupSchema } },
      async handle({ params, body, header, principal }) {
        const group = await withIfMatch(
          header('if-match'),
          async () => (await groups.get(params.id)).revision,
          (revision) => groups.update(params.id, defined(body), revision, actorOf(principal)),
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
      permission: 'groups.write',
      params: IdParam,
      responses: { 204: { description: 'Deleted' } },
      async handle({ params, principal }) {
        await deleteGroup(deps, params.id, principal)
        return { status: 204 }
      },
    }),
    route({
      method: 'post',
      path: '/groups/{id}/members',
      id: 'changeMembers',
      tag,
      summary: 'Add and remove static members',
      permission: 'groups.write',
      params: IdParam,
      body: MembersInput,
      description:
        'The answer names the ids that no device has; the others are changed all the same. ' +
        'A device that belongs to the group by its selector can be a static member as well.',
      responses: {
        200: {
          description: 'The number of records that changed, and the ids that no device has',
          schema: MembersChangeSchema,
        },
      },
      async handle({ params, body, principal }) {
        const { add, remove } = body
        return {
          body: await groups.changeMembers(
            params.id,
            add.map(readDeviceId),
            remove.map(readDeviceId),
            actorOf(principal),
          ),
        }
      },
    }),
    route({
      method: 'get',
      path: '/groups/{id}/devices',
      id: 'listGroupDevices',
      tag,
      summary: 'The devices of a group as it stands now',
      permission: 'groups.read',
      params: IdParam,
      query: Paging,
      responses: { 200: { description: 'A page of devices', schema: DevicePage } },
      async handle({ params, query }) {
        const selector = groups.selectorOf(await groups.get(params.id))
        const found = await deps.devices.list({ selector, ...defined(query) })
        return { body: { ...found, items: await deviceViews(found.items, groups, clock.now()) } }
      },
    }),
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
      handle: async ({ params }) => ({ body: withTimes(await deps.planner.groupStatus(params.id)) }),
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
        body: withTimes(await deps.planner.readiness(params.id, query.limit)),
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
      handle: async ({ query }) => ({ body: withTimes(await deps.planner.readiness(undefined, query.limit)) }),
    }),
  ]
}
