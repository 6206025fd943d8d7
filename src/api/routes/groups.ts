import { defined } from '../../base/index.ts'
import { deleteGroup } from '../../desk/index.ts'
import { actorOf } from '../../domain/index.ts'
import { deleteIfMatch, withIfMatch } from '../http/if-match.ts'
import { type Route, route } from '../http/route.ts'
import { IdParam, IF_MATCH, Paging } from '../schemas/common.ts'
import { GroupChangeSchema, GroupInputSchema, GroupPage, GroupSchema, SizedGroupSchema } from '../schemas/group.ts'
import { withTimes } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Groups'

/** Groups of devices. */
export function groupRoutes(deps: RouteDeps): Route[] {
  const { groups } = deps
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
      headers: IF_MATCH,
      responses: { 204: { description: 'Deleted' } },
      async handle({ params, header, principal }) {
        await deleteIfMatch(
          header('if-match'),
          async () => (await groups.get(params.id)).revision,
          () => deleteGroup(deps, params.id, principal),
        )
        return { status: 204 }
      },
    }),
  ]
}
