import { AppError } from '../../base/index.ts'
import type { OperationState } from '../../domain/index.ts'
import { type Route, route } from '../http/route.ts'
import { z } from '../http/zod.ts'
import type { ApiDeps } from '../ports.ts'
import { IdParam, OperationSchema, Paging, page, WaitQuery } from '../schemas/schemas.ts'
import { operationView, operationViews } from '../views/views.ts'
import { apiKeyActor } from './devices.ts'

const STATES = [
  'queued',
  'sent',
  'unknown',
  'done',
  'failed',
  'expired',
  'cancelled',
] as const satisfies readonly OperationState[]

export function operationRoutes(deps: ApiDeps): Route[] {
  const tag = 'Operations'
  return [
    route({
      method: 'get',
      path: '/operations',
      id: 'listOperations',
      tag,
      summary: 'Operations of all devices, newest first',
      scope: 'read',
      query: Paging.extend({ state: z.enum(STATES).optional() }),
      responses: { 200: { description: 'A page of operations', schema: page(OperationSchema) } },
      async handle({ query }) {
        const found = await deps.operationStore.list({
          limit: query.limit,
          ...(query.state === undefined ? {} : { states: [query.state] }),
          ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
        })
        return { body: { ...found, items: await operationViews(found.items, deps.operations) } }
      },
    }),
    route({
      method: 'get',
      path: '/operations/{id}',
      id: 'readOperation',
      tag,
      summary: 'Read one operation, or wait for its result',
      scope: 'read',
      params: IdParam,
      query: WaitQuery,
      responses: { 200: { description: 'The operation as it stands', schema: OperationSchema } },
      async handle({ params, query, stopping }) {
        const timeout = query.wait
        const operation =
          timeout === undefined
            ? await deps.operations.get(params.id)
            : await deps.operations.wait(params.id, timeout, stopping)
        if (operation === undefined) throw new AppError('notFound', `there is no operation ${params.id}`)
        return { body: (await operationViews([operation], deps.operations))[0] }
      },
    }),
    route({
      method: 'delete',
      path: '/operations/{id}',
      id: 'cancelOperation',
      tag,
      summary: 'Cancel an operation that was not sent yet, or give up one whose end does not come',
      description:
        'What was sent cannot be taken back. With `giveUp=true` an operation that was accepted, or whose answer was lost, ends as failed (`givenUp`) and holds nothing up any more; the device may still do it.',
      scope: 'write',
      params: IdParam,
      query: z.object({ giveUp: z.enum(['true', 'false']).optional() }),
      responses: { 200: { description: 'Cancelled, or given up', schema: OperationSchema } },
      async handle({ params, query, actor }) {
        if (query.giveUp === 'true')
          return { body: operationView(await deps.operations.giveUp(params.id, apiKeyActor(actor))) }
        return {
          body: operationView(await deps.operations.cancel(params.id, apiKeyActor(actor))),
        }
      },
    }),
  ]
}
