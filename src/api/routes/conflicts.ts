import { defined } from '../../base/index.ts'
import { resolveConflict } from '../../desk/index.ts'
import { readDeviceId } from '../http/input.ts'
import { type Route, route } from '../http/route.ts'
import { ConflictPage, ConflictQuery, ResolutionInput } from '../schemas/agent.ts'
import { IdParam } from '../schemas/common.ts'
import { withTimes } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Conflicts'

/** Conflicts of identity. */
export function conflictRoutes(deps: RouteDeps): Route[] {
  const { conflicts } = deps
  return [
    route({
      method: 'get',
      path: '/conflicts',
      id: 'listConflicts',
      tag,
      summary: 'Conflicts of identity: a claim contradicts the stored bindings',
      permission: 'conflicts.read',
      query: ConflictQuery,
      responses: { 200: { description: 'A page of conflicts', schema: ConflictPage } },
      async handle({ query: { open, ...page } }) {
        const found = await conflicts.list(defined({ ...page, open: open === undefined ? undefined : open === 'true' }))
        return { body: { ...found, items: found.items.map(withTimes) } }
      },
    }),
    route({
      method: 'post',
      path: '/conflicts/{id}/resolution',
      id: 'resolveConflict',
      tag,
      summary: 'Resolve a conflict',
      description:
        'bound: the Endpoint ID belongs to the device from now on, with any identity that its Agent shows: ' +
        'to the device of the conflict, or to the claimed one when `deviceId` names it. dismissed: no device changes.',
      permission: 'conflicts.write',
      params: IdParam,
      body: ResolutionInput,
      responses: { 204: { description: 'Resolved' } },
      async handle({ params, body: { resolution, deviceId }, principal }) {
        const chosen = deviceId === undefined ? undefined : readDeviceId(deviceId)
        await resolveConflict(deps, params.id, { resolution, deviceId: chosen }, principal)
        return { status: 204 }
      },
    }),
  ]
}
