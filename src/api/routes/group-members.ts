import { defined } from '../../base/index.ts'
import { actorOf } from '../../domain/index.ts'
import { readDeviceId } from '../http/input.ts'
import { type Route, route } from '../http/route.ts'
import { IdParam, Paging } from '../schemas/common.ts'
import { DevicePage } from '../schemas/device.ts'
import { MembersChangeSchema, MembersInput } from '../schemas/group.ts'
import { deviceViews } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Groups'

/** The devices of groups. */
export function groupMemberRoutes(deps: RouteDeps): Route[] {
  const { groups, clock } = deps
  return [
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
  ]
}
