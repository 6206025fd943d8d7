import { defined } from '../../base/index.ts'
import { readOperation, refreshFacts, submitConfirmed } from '../../desk/index.ts'
import { actorOf, asDeviceId, type Operation, REQUEST_BOUNDS } from '../../domain/index.ts'
import { type Route, route } from '../http/route.ts'
import { z } from '../http/zod.ts'
import { DeviceIdParam, IdParam, Paging } from '../schemas/common.ts'
import {
  OperationPage,
  OperationSchema,
  OperationStateSchema,
  RefreshInput,
  SubmitQuery,
  WaitQuery,
} from '../schemas/operation.ts'
import { OperationRequestSchema } from '../schemas/operation-request.ts'
import { MAX_LISTED, operationPage } from '../views/operation-page.ts'
import { operationView, operationViews } from '../views/views.ts'
import { pathOfOperation } from './locations.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Operations'
const LISTED =
  `A list leaves out \`output\`, \`read\` and the items of \`results\` where they have more than ${MAX_LISTED} characters; ` +
  'the result then has `shortened`. They stand in the operation itself: GET /operations/{id}.'
const SUBMITTED = {
  200: { description: 'It ended within `wait`', schema: OperationSchema },
  202: { description: 'Accepted; read it at Location', schema: OperationSchema },
}

/** Operations on devices. */
export function operationRoutes({ operations, operationStore, devices, confirmations }: RouteDeps): Route[] {
  const view = async (operation: Operation) => (await operationViews([operation], operations))[0]
  const submitted = async (operation: Operation) => ({
    status: operation.finishedAt === undefined ? (202 as const) : (200 as const),
    headers: { location: pathOfOperation(operation) },
    body: await view(operation),
  })
  return [
    route({
      method: 'post',
      path: '/devices/{id}/operations',
      id: 'submitOperation',
      tag,
      summary: 'Do something on a device',
      description:
        'The same request over either protocol. Idempotency-Key makes repeating it safe. The verbs script and upgrade need ' +
        'the router policy L3, and a confirmation: the first request gets 409 `confirmationNeeded` with a token and the file ' +
        'that the router would be given; the same request with the token in `confirm` is done, once.',
      permission: 'operations.submit',
      params: DeviceIdParam,
      query: SubmitQuery,
      headers: {
        'Idempotency-Key': `Up to ${REQUEST_BOUNDS.idempotencyKey} characters that name this request: sent again, it answers the first one`,
      },
      body: OperationRequestSchema,
      responses: SUBMITTED,
      async handle({ params, query, body, header, principal, stopping }) {
        const { confirm, ...request } = { confirm: undefined, ...body }
        const operation = await submitConfirmed(
          { operations, confirmations },
          {
            deviceId: asDeviceId(params.id),
            request: withoutUndefined(request),
            confirm,
            idempotencyKey: header('idempotency-key'),
            expiresInMs: query.expires,
          },
          { timeoutMs: query.wait, stopping },
          principal,
        )
        return submitted(operation)
      },
    }),
    route({
      method: 'post',
      path: '/devices/{id}/refresh',
      id: 'refreshFacts',
      tag,
      summary: 'Read the live facts of a device now',
      description: 'An operation that reads the sources of the facts; the record follows in the commit of its end.',
      permission: 'operations.submit',
      params: DeviceIdParam,
      query: SubmitQuery,
      body: RefreshInput,
      responses: SUBMITTED,
      async handle({ params, query, body, principal, stopping }) {
        const operation = await refreshFacts(
          { operations, devices },
          { deviceId: asDeviceId(params.id), groups: body.groups, expiresInMs: query.expires },
          { timeoutMs: query.wait, stopping },
          principal,
        )
        return submitted(operation)
      },
    }),
    route({
      method: 'get',
      path: '/devices/{id}/operations',
      id: 'listDeviceOperations',
      tag,
      summary: 'Operations of a device, newest first',
      description: LISTED,
      permission: 'operations.read',
      params: DeviceIdParam,
      query: Paging,
      responses: { 200: { description: 'A page of operations', schema: OperationPage } },
      async handle({ params, query }) {
        const of = { deviceId: asDeviceId(params.id), ...defined(query) }
        return { body: await operationPage(operationStore, of, operations) }
      },
    }),
    route({
      method: 'get',
      path: '/operations',
      id: 'listOperations',
      tag,
      summary: 'Operations of all devices, newest first',
      description: LISTED,
      permission: 'operations.read',
      query: Paging.extend({ state: OperationStateSchema.optional() }),
      responses: { 200: { description: 'A page of operations', schema: OperationPage } },
      async handle({ query: { state, ...page } }) {
        const of = defined({ ...page, states: state === undefined ? undefined : [state] })
        return { body: await operationPage(operationStore, of, operations) }
      },
    }),
    route({
      method: 'get',
      path: '/operations/{id}',
      id: 'readOperation',
      tag,
      summary: 'Read one operation, or wait for its result',
      permission: 'operations.read',
      params: IdParam,
      query: WaitQuery,
      responses: { 200: { description: 'The operation as it stands', schema: OperationSchema } },
      handle: async ({ params, query, stopping }) => ({
        body: await view(await readOperation(operations, params.id, { timeoutMs: query.wait, stopping })),
      }),
    }),
    route({
      method: 'delete',
      path: '/operations/{id}',
      id: 'cancelOperation',
      tag,
      summary: 'Cancel an operation that was not sent yet, or give up one whose end does not arrive',
      description:
        'An operation that was sent cannot be taken back. With `giveUp=true` an operation that was accepted, or ' +
        'whose answer was lost, ends as failed (`givenUp`) and holds nothing up any more; the device may still do it.',
      permission: 'operations.withdraw',
      params: IdParam,
      query: z.object({ giveUp: z.enum(['true', 'false']).optional() }),
      responses: { 200: { description: 'Cancelled, or given up', schema: OperationSchema } },
      async handle({ params, query, principal }) {
        const by = actorOf(principal)
        const withdrawn = query.giveUp === 'true' ? operations.giveUp(params.id, by) : operations.cancel(params.id, by)
        return { body: operationView(await withdrawn) }
      },
    }),
  ]
}

/** Drops the keys with the value undefined that the schema leaves for absent ones. */
function withoutUndefined(value: object): Operation['request'] {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Operation['request']
}
