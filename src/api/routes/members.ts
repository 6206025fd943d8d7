import { listMembers, meaningOfPlace } from '../../desk/index.ts'
import { actorOf, asDeviceId, MAX_DEVICE_ID } from '../../domain/index.ts'
import { type Route, route } from '../http/route.ts'
import { z } from '../http/zod.ts'
import { DeviceIdParam, IdParam } from '../schemas/common.ts'
import { MemberDetailsSchema, MemberPage, MemberQuery, MemberWithHistorySchema } from '../schemas/plan.ts'
import { memberDetails, memberRow, memberView } from '../views/member.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Plans'

/** The members of plans, and the rollback of one device. */
export function memberRoutes(deps: RouteDeps): Route[] {
  const { planner, time } = deps
  return [
    route({
      method: 'get',
      path: '/plans/{id}/members',
      id: 'listMembers',
      tag,
      summary: 'The devices of a plan with their states',
      permission: 'plans.read',
      params: IdParam,
      query: MemberQuery,
      responses: { 200: { description: 'A page of members', schema: MemberPage } },
      async handle({ params, query }) {
        const { state: states, silent, ...rest } = query
        const asked = { ...rest, states, silent: silent === undefined ? undefined : (true as const) }
        const { page, place } = await listMembers(deps, params.id, asked)
        const items = page.items.map((member) => memberRow(member, { time, placeMeans: place }))
        return { body: { ...page, items } }
      },
    }),
    route({
      method: 'get',
      path: '/plans/{id}/members/{deviceId}',
      id: 'readMember',
      tag,
      summary: 'One device of a plan with its history and the facts that its steps found',
      permission: 'plans.read',
      params: z.object({ id: z.string().max(100), deviceId: z.string().max(MAX_DEVICE_ID) }),
      responses: { 200: { description: 'The member', schema: MemberDetailsSchema } },
      async handle({ params }) {
        const context = { time, placeMeans: await meaningOfPlace(deps, params.id) }
        const member = await planner.member(params.id, asDeviceId(params.deviceId))
        return { body: memberDetails(member, context) }
      },
    }),
    route({
      method: 'post',
      path: '/devices/{id}/rollback',
      id: 'rollBackDevice',
      tag,
      summary: 'Bring a migrated device back to CWMP',
      description:
        'The plan that moved the device rolls it back, also when that plan was deleted. ' +
        'A rollback that is under way goes on: the answer is the same, and no other attempt follows it. ' +
        '404 when there is no such device, 409 when no plan has moved it.',
      permission: 'plans.run',
      params: DeviceIdParam,
      responses: {
        202: { description: 'The member of the plan, which is being rolled back', schema: MemberWithHistorySchema },
      },
      async handle({ params, principal }) {
        const member = await planner.rollBackDevice(asDeviceId(params.id), actorOf(principal))
        return { status: 202, body: memberView(member, { time, placeMeans: 'place' }) }
      },
    }),
  ]
}
