import { AppError, defined } from '../../base/index.ts'
import { listMembers, meaningOfPlace } from '../../desk/index.ts'
import { actorOf, asDeviceId, MAX_DEVICE_ID } from '../../domain/index.ts'
import { withIfMatch } from '../http/if-match.ts'
import { readDeviceId } from '../http/input.ts'
import { type Route, route } from '../http/route.ts'
import { z } from '../http/zod.ts'
import { DeviceIdParam, IdParam, IF_MATCH, Paging } from '../schemas/common.ts'
import {
  MemberDetailsSchema,
  MemberPage,
  MemberQuery,
  MemberWithHistorySchema,
  PlanActionInput,
  PlanActionParams,
  PlanActionSchema,
  PlanChangeSchema,
  PlanInputSchema,
  PlanPage,
  PlanSchema,
  type PlanSettingsInput,
  PlanStatusSchema,
} from '../schemas/plan.ts'
import { memberDetails, memberRow, memberView } from '../views/member.ts'
import { planView } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Plans'

/** Plans, their actions and their members. */
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
      responses: { 204: { description: 'Deleted' } },
      async handle({ params, principal }) {
        await planner.remove(params.id, actorOf(principal))
        return { status: 204 }
      },
    }),
    route({
      method: 'post',
      path: '/plans/{id}/actions/{action}',
      id: 'actOnPlan',
      tag,
      summary: 'Start, pause, resume, abort, retry or roll back a plan',
      description:
        'Repeating an action changes nothing. `pause` also stops rollbacks over many devices, those of a plan that ' +
        'is being aborted too: nothing of them begins until `resume`. `abort` cancels devices that wait and rolls ' +
        'back those that are under way. `retry` starts all again that failed or were cancelled. ' +
        '`rollback` brings migrated devices back to CWMP, too. With `devices`, abort, retry and rollback are for ' +
        'these devices only, and `report` names those that were not taken, with the reasons, and counts those that ' +
        'were being rolled back already (`underWay`); a rollback can also have a `selector`, and `paced` keeps it to ' +
        '`startsPerMinute` and `maxInFlight`. docs/migration.md explains states, reasons and the rollback.',
      permission: 'plans.run',
      params: PlanActionParams,
      body: PlanActionInput.optional(),
      responses: { 200: { description: 'The plan', schema: PlanActionSchema } },
      async handle({ params, body, principal }) {
        const { devices: named, ...scope } = body ?? {}
        const { id, action } = params
        if (action !== 'rollback' && (scope.selector !== undefined || scope.paced !== undefined))
          throw new AppError('invalid', `body: only rollback takes selector and paced, not ${action}`)
        if (named === undefined)
          return { body: planView(await planner.act(id, action, actorOf(principal), defined(scope))) }
        if (scope.selector !== undefined || scope.paced !== undefined)
          throw new AppError(
            'invalid',
            'body.devices: named devices are rolled back at once; give either devices or selector',
          )
        if (action !== 'retry' && action !== 'abort' && action !== 'rollback')
          throw new AppError('invalid', `body.devices: only retry, abort and rollback take devices, not ${action}`)
        const { plan, ...report } = await planner.forDevices(id, action, named.map(readDeviceId), actorOf(principal))
        return { body: { ...planView(plan), report } }
      },
    }),
    route({
      method: 'get',
      path: '/plans/{id}/status',
      id: 'planStatus',
      tag,
      summary: 'The state of a plan',
      permission: 'plans.read',
      params: IdParam,
      responses: {
        200: { description: 'Counts per state, rate, failures ranked, next action', schema: PlanStatusSchema },
      },
      handle: async ({ params }) => ({ body: await planner.status(params.id) }),
    }),
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
        const items = page.items.map((member) => memberRow(member, { time: deps.time, placeMeans: place }))
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
        const context = { time: deps.time, placeMeans: await meaningOfPlace(deps, params.id) }
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
      responses: { 202: { description: 'The member of the plan, on its way back', schema: MemberWithHistorySchema } },
      async handle({ params, principal }) {
        const member = await planner.rollBackDevice(asDeviceId(params.id), actorOf(principal))
        return { status: 202, body: memberView(member, { time: deps.time, placeMeans: 'place' }) }
      },
    }),
  ]
}

/** Settings without the keys that were not given. */
function settingsOf({ controller, ...own }: z.infer<typeof PlanSettingsInput>) {
  return { ...defined(own), ...(controller === undefined ? {} : { controller: defined(controller) }) }
}
