import { AppError, defined } from '../../base/index.ts'
import { asDeviceId, MAX_DEVICE_ID, MAX_SELECTOR, type PlanMember, type WaitingReason } from '../../domain/index.ts'
import { PLAN_ACTIONS, placeMeans, SHOWN_WAITING, type ShownWaiting } from '../../planner/index.ts'
import { withIfMatch } from '../http/if-match.ts'
import { readDeviceId } from '../http/input.ts'
import { type Route, route } from '../http/route.ts'
import { z } from '../http/zod.ts'
import type { ApiDeps } from '../ports.ts'
import {
  Any,
  IdParam,
  IF_MATCH,
  Paging,
  PlanInputSchema,
  PlanSchema,
  PlanSettingsSchema,
  page,
  StateList,
} from '../schemas/schemas.ts'
import { type MemberContext, memberView, planView } from '../views/views.ts'

export function planRoutes(deps: ApiDeps): Route[] {
  const { planner, planStore } = deps
  const tag = 'Plans'
  return [
    route({
      method: 'post',
      path: '/plans',
      id: 'createPlan',
      tag,
      summary: 'Plan the migration of a group from CWMP to USP',
      description:
        'Nothing happens until the plan is started. Settings that are not given take their defaults, which the answer shows.',
      scope: 'write',
      body: PlanInputSchema,
      responses: { 201: { description: 'The plan, a draft', schema: PlanSchema } },
      async handle({ body, actor }) {
        const { settings, ...rest } = body
        const plan = await planner.create({ ...rest, settings: settingsOf(settings ?? {}) }, actor)
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
      scope: 'read',
      query: Paging.extend({ groupId: z.string().max(100).optional() }),
      responses: { 200: { description: 'A page of plans', schema: page(PlanSchema) } },
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
      scope: 'read',
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
        'Settings that are given replace the present ones, also while the plan runs: `maxInFlight`, `startsPerMinute` or the gate, for example. Where boxes are led to (`controller`, `retire`) can be changed before the start only.',
      scope: 'write',
      params: IdParam,
      headers: IF_MATCH,
      body: z.strictObject({ name: z.string().min(1).max(100).optional(), settings: PlanSettingsSchema.optional() }),
      responses: { 200: { description: 'The plan', schema: PlanSchema } },
      async handle({ params, body, header, actor }) {
        const input = {
          ...(body.name === undefined ? {} : { name: body.name }),
          ...(body.settings === undefined ? {} : { settings: settingsOf(body.settings) }),
        }
        const plan = await withIfMatch(
          header('if-match'),
          async () => (await planner.get(params.id)).revision,
          (revision) => planner.update(params.id, input, revision, actor),
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
        '409 while it is running, paused or aborting, with what to wait for. Devices that it has moved or must still bring back keep their rollback: `POST /devices/{id}/rollback`.',
      scope: 'write',
      params: IdParam,
      responses: { 204: { description: 'Forgotten' } },
      async handle({ params, actor }) {
        await planner.remove(params.id, actor)
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
        'An action that has happened already is done. `abort` cancels what waits and rolls back what is under way. `retry` takes up all that failed or was cancelled. `rollback` brings migrated devices back to CWMP, too. With `devices`, abort, retry and rollback are for these devices only, and `report` tells which of them were not taken and why, and how many were being rolled back already (`underWay`); a rollback can also have a `selector`, and `paced` keeps it to `startsPerMinute` and `maxInFlight`. docs/migration.md explains states, reasons and the rollback.',
      scope: 'write',
      params: z.object({
        id: z.string().min(1).max(100),
        action: z.enum(PLAN_ACTIONS),
      }),
      body: z
        .strictObject({
          devices: z.array(z.string().max(MAX_DEVICE_ID)).max(10_000).optional(),
          selector: z.string().min(1).max(MAX_SELECTOR).optional(),
          paced: z.boolean().optional(),
        })
        .optional(),
      responses: { 200: { description: 'The plan', schema: PlanSchema } },
      async handle({ params, body, actor }) {
        const { devices: named, ...scope } = body ?? {}
        const { id, action } = params
        if (action !== 'rollback' && (scope.selector !== undefined || scope.paced !== undefined))
          throw new AppError('invalid', `body: only rollback takes selector and paced, not ${action}`)
        if (named === undefined) return { body: planView(await planner.act(id, action, actor, defined(scope))) }
        if (scope.selector !== undefined || scope.paced !== undefined)
          throw new AppError(
            'invalid',
            'body.devices: named devices are rolled back at once; give either devices or selector',
          )
        if (action !== 'retry' && action !== 'abort' && action !== 'rollback')
          throw new AppError('invalid', `body.devices: only retry, abort and rollback take devices, not ${action}`)
        const { plan, ...report } = await planner.forDevices(id, action, named.map(readDeviceId), actor)
        return { body: { ...planView(plan), report } }
      },
    }),
    route({
      method: 'get',
      path: '/plans/{id}/status',
      id: 'planStatus',
      tag,
      summary: 'Where a plan stands',
      scope: 'read',
      params: IdParam,
      responses: { 200: { description: 'Counts per state, rate, failures ranked, next action', schema: Any } },
      handle: async ({ params }) => ({ body: await planner.status(params.id) }),
    }),
    route({
      method: 'get',
      path: '/plans/{id}/members',
      id: 'listMembers',
      tag,
      summary: 'The devices of a plan with their states',
      scope: 'read',
      params: IdParam,
      query: Paging.extend({
        state: StateList,
        reason: z.string().min(1).max(64).optional().describe('A reason code, as the failures of the status have it'),
        waiting: z.enum(SHOWN_WAITING).optional().describe('The thing that they wait for'),
        silent: z.literal('true').optional().describe('Only migrated devices whose Agent is silent'),
      }),
      responses: { 200: { description: 'A page of members', schema: page(Any) } },
      async handle({ params, query }) {
        const context = await contextOf(params.id)
        const { state: states, waiting, silent, ...rest } = query
        const stored = storedWaiting(waiting, context.placeMeans)
        if (stored === 'nobody') return { body: { items: [] } }
        const found = await planStore.listMembers(
          params.id,
          defined({ ...rest, states, waiting: stored, silent: silent === undefined ? undefined : true }),
        )
        return {
          body: {
            ...found,
            items: found.items.map((member) => {
              const { history: _history, ...row } = memberView(member, context)
              return row
            }),
          },
        }
      },
    }),
    route({
      method: 'get',
      path: '/plans/{id}/members/{deviceId}',
      id: 'readMember',
      tag,
      summary: 'One device of a plan with its history and what its steps found',
      scope: 'read',
      params: z.object({ id: z.string().max(100), deviceId: z.string().max(MAX_DEVICE_ID) }),
      responses: { 200: { description: 'The member', schema: Any } },
      async handle({ params }) {
        const context = await contextOf(params.id)
        const member = await planner.member(params.id, asDeviceId(params.deviceId))
        return { body: { ...memberView(member, context), found: foundBy(member) } }
      },
    }),
    route({
      method: 'post',
      path: '/devices/{id}/rollback',
      id: 'rollBackDevice',
      tag,
      summary: 'Bring a migrated device back to CWMP',
      description:
        'The plan that moved the device rolls it back, also when that plan was deleted. A rollback that is under way goes on: the answer is the same, and no other attempt follows it. 404 when there is no such device, 409 when no plan has moved it.',
      scope: 'write',
      params: z.object({ id: z.string().max(MAX_DEVICE_ID) }),
      responses: { 202: { description: 'The member of the plan, on its way back', schema: Any } },
      async handle({ params, actor }) {
        const member = await planner.rollBackDevice(asDeviceId(params.id), actor)
        return { status: 202, body: memberView(member, { time: deps.time, placeMeans: 'place' }) }
      },
    }),
  ]

  async function contextOf(planId: string): Promise<MemberContext> {
    const plan = await planner.get(planId)
    return { time: deps.time, placeMeans: placeMeans(plan, await planStore.counters(planId)) }
  }
}

/** The stored reason behind a shown one; `nobody` when no member of the plan waits for that now. */
function storedWaiting(shown: ShownWaiting | undefined, means: ShownWaiting): WaitingReason | 'nobody' | undefined {
  if (shown !== 'place' && shown !== 'rate' && shown !== 'paused') return shown
  return shown === means ? 'place' : 'nobody'
}

/** The facts of a member that help a person; the times of its inside do not. */
function foundBy({ facts, done }: PlanMember): Record<string, unknown> {
  const {
    timerMs: _timer,
    watchedMs: _watched,
    watchedAfter: _after,
    silentMs: _silent,
    asked: _asked,
    ...found
  } = facts
  const { linkUntilMs: _until, missedAt: _missed, afterwards: _afterwards, ...shown } = found
  return { ...shown, done }
}

function settingsOf({ controller, ...own }: z.infer<typeof PlanSettingsSchema>) {
  return { ...defined(own), ...(controller === undefined ? {} : { controller: defined(controller) }) }
}
