import { AppError, defined } from '../../base/index.ts'
import { actorOf } from '../../domain/index.ts'
import { readDeviceId } from '../http/input.ts'
import { type Route, route } from '../http/route.ts'
import { IdParam } from '../schemas/common.ts'
import { PlanActionInput, PlanActionParams, PlanActionSchema, PlanStatusSchema } from '../schemas/plan.ts'
import { planView } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Plans'

/** The actions of plans, and the status that shows their progress. */
export function planActionRoutes(deps: RouteDeps): Route[] {
  const { planner } = deps
  return [
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
  ]
}
