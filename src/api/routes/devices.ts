import { AppError } from '../../base/index.ts'
import {
  type Actor,
  asDeviceId,
  type Device,
  type DeviceQuery,
  type DeviceSortField,
  HOLDING,
  parseSelector,
  REQUEST_BOUNDS,
  type Selector,
} from '../../domain/index.ts'
import { audited } from '../../security/index.ts'
import { findParameters } from '../find-parameters.ts'
import { withIfMatch } from '../http/if-match.ts'
import { type Route, route } from '../http/route.ts'
import { z } from '../http/zod.ts'
import type { ApiDeps } from '../ports.ts'
import {
  Cursor,
  DeviceIdParam,
  DeviceQuerySchema,
  DeviceSchema,
  IF_MATCH,
  Limit,
  OperationRequestSchema,
  OperationSchema,
  Paging,
  ParameterSchema,
  page,
  SubmitQuery,
  TagsChangeSchema,
} from '../schemas/schemas.ts'
import { deviceViews, operationViews, parameterView } from '../views/views.ts'

/** A device has so many tags at most. */
const MAX_TAGS = 64

/** The tags after a change. AppError `invalid` when they are too many. */
function changedTags(
  before: readonly string[],
  { tags, add = [], remove = [] }: z.infer<typeof TagsChangeSchema>,
): string[] {
  const after = new Set(tags ?? [...before.filter((one) => !remove.includes(one)), ...add])
  if (after.size > MAX_TAGS) throw new AppError('invalid', `a device has at most ${MAX_TAGS} tags`)
  return [...after]
}

export function deviceRoutes(deps: ApiDeps): Route[] {
  const { devices, clock } = deps
  const read = async (id: string): Promise<Device> => {
    const device = await devices.get(asDeviceId(id))
    if (device === undefined) throw new AppError('notFound', `there is no device ${id}`)
    return device
  }
  const shown = async (device: Device) => (await deviceViews([device], deps.groups, clock.now()))[0]
  const tag = 'Devices'
  return [
    route({
      method: 'get',
      path: '/devices',
      id: 'listDevices',
      tag,
      summary: 'List devices',
      scope: 'read',
      query: DeviceQuerySchema,
      responses: { 200: { description: 'A page of devices', schema: page(DeviceSchema) } },
      async handle({ query }) {
        const fields = fieldsOf(query.fields)
        const terms: Selector[] = []
        if (query.filter !== undefined) terms.push(await deps.groups.resolve(parseSelector(query.filter)))
        if (query.group !== undefined) terms.push(deps.groups.selectorOf(await deps.groups.get(query.group)))
        const asked: DeviceQuery = { limit: query.limit }
        if (terms.length > 0) asked.selector = terms.length === 1 && terms[0] !== undefined ? terms[0] : { and: terms }
        if (query.cursor !== undefined) asked.cursor = query.cursor
        // The schema has checked that it is one of the sort fields.
        if (query.sort !== undefined)
          asked.sort = {
            field: query.sort.replace(/^-/, '') as DeviceSortField,
            descending: query.sort.startsWith('-'),
          }
        const found = await devices.list(asked)
        const views = await deviceViews(found.items, deps.groups, clock.now())
        return { body: { ...found, items: views.map((view) => project(view, fields)) } }
      },
    }),
    route({
      method: 'get',
      path: '/devices/{id}',
      id: 'readDevice',
      tag,
      summary: 'Read one device',
      scope: 'read',
      params: DeviceIdParam,
      responses: { 200: { description: 'The record; its ETag is the revision, for If-Match', schema: DeviceSchema } },
      async handle({ params }) {
        const device = await read(params.id)
        return { headers: { etag: `"${device.revision}"` }, body: await shown(device) }
      },
    }),
    route({
      method: 'patch',
      path: '/devices/{id}',
      id: 'tagDevice',
      tag,
      summary: 'Change the tags of a device',
      description:
        '`tags` replaces all; `add` and `remove` change single ones. Send If-Match with the ETag to be sure that nobody changed the record meanwhile.',
      scope: 'write',
      params: DeviceIdParam,
      headers: IF_MATCH,
      body: TagsChangeSchema,
      responses: { 200: { description: 'The record', schema: DeviceSchema } },
      async handle({ params, body, header, actor }) {
        const { id } = await read(params.id)
        await withIfMatch(
          header('if-match'),
          async () => (await read(id)).revision,
          async (revision) => {
            const before = { tags: (await read(id)).tags }
            const tags = changedTags(before.tags, body)
            const entry = { at: clock.now(), actor, action: 'device.tags', target: id, before, after: { tags } }
            const change = { deviceId: id, set: { tags }, newRevision: true, guard: { revision } } as const
            await audited(deps.audit, entry, () => devices.commit(change))
          },
        )
        const changed = await read(id)
        return { headers: { etag: `"${changed.revision}"` }, body: await shown(changed) }
      },
    }),
    route({
      method: 'delete',
      path: '/devices/{id}',
      id: 'deleteDevice',
      tag,
      summary: 'Forget a device, its parameters, its open operations and its credential',
      description:
        'A CPE that comes again is a new device and needs the enrolment secret again. 409 while a plan moves the device, has moved it, or must bring it back: roll it back first, or give `force=true`, which leaves on the device what the plan wrote (not while it is being moved).',
      scope: 'write',
      params: DeviceIdParam,
      query: z.object({ force: z.literal('true').optional() }),
      responses: { 204: { description: 'Forgotten' } },
      async handle({ params, query, actor }) {
        const device = await read(params.id)
        const { migration } = device
        if (query.force === undefined && migration !== undefined && HOLDING.includes(migration.state))
          throw new AppError(
            'conflict',
            `the device is ${migration.state} in plan ${migration.planId}: roll it back first (POST /devices/{id}/rollback), or delete it with force=true`,
          )
        const ended = await deps.operations.forget(device, apiKeyActor(actor))
        const at = clock.now()
        const before = { owner: device.owner, endpointId: device.binding?.endpointId, openOperations: ended }
        await audited(deps.audit, { at, actor, action: 'device.delete', target: device.id, before }, async () => {
          await dismissConflicts(device, actor, deps)
          await deps.credentials.delete(device.id)
          await deps.linkSecrets.delete(device.id)
          await devices.delete(device.id)
          await deps.events.append([{ type: 'device.deleted', at, deviceId: device.id, data: { by: actor } }])
        })
        return { status: 204 }
      },
    }),
    route({
      method: 'get',
      path: '/devices/{id}/parameters',
      id: 'listParameters',
      tag,
      summary: 'Stored parameters of a device',
      description:
        '`path` is one parameter, or an object ending in a dot for everything below it; `*` stands for any instance; absent: all. `contains` finds parameters by a part of their path. A page may have fewer items than `limit` and a cursor all the same.',
      scope: 'read',
      params: DeviceIdParam,
      query: z.object({
        path: z.string().max(1024).optional(),
        contains: z.string().min(1).max(100).optional().describe('Letters of any case'),
        limit: Limit,
        cursor: Cursor,
      }),
      responses: { 200: { description: 'A page of parameters', schema: page(ParameterSchema) } },
      async handle({ params, query }) {
        const { id } = await read(params.id)
        const found = await findParameters(deps.parameters, id, query)
        return { body: { ...found, items: found.items.map(parameterView) } }
      },
    }),
    route({
      method: 'post',
      path: '/devices/{id}/operations',
      id: 'submitOperation',
      tag: 'Operations',
      summary: 'Do something on a device',
      description: 'The same request whatever protocol the box speaks. Idempotency-Key makes repeating it safe.',
      scope: 'write',
      params: DeviceIdParam,
      query: SubmitQuery,
      headers: {
        'Idempotency-Key': `Up to ${REQUEST_BOUNDS.idempotencyKey} characters that name this request: sent again, it answers the first one`,
      },
      body: OperationRequestSchema,
      responses: {
        200: { description: 'It ended within `wait`', schema: OperationSchema },
        202: { description: 'Accepted; read it at Location', schema: OperationSchema },
      },
      async handle({ params, query, body, header, actor, stopping }) {
        const key = header('idempotency-key')
        if (key !== undefined && key.length > REQUEST_BOUNDS.idempotencyKey)
          throw new AppError('invalid', `Idempotency-Key is longer than ${REQUEST_BOUNDS.idempotencyKey} characters`)
        const submitted = await deps.operations.submit({
          deviceId: asDeviceId(params.id),
          request: clean(body),
          actor: apiKeyActor(actor),
          ...(key === undefined ? {} : { idempotencyKey: `${actor}:${key}` }),
          ...(query.expires === undefined ? {} : { expiresInMs: query.expires }),
        })
        const timeout = query.wait
        const operation =
          timeout === undefined
            ? submitted
            : ((await deps.operations.wait(submitted.id, timeout, stopping)) ?? submitted)
        const done = operation.finishedAt !== undefined
        return {
          status: done ? 200 : 202,
          headers: { location: `/api/v1/operations/${operation.id}` },
          body: (await operationViews([operation], deps.operations))[0],
        }
      },
    }),
    route({
      method: 'get',
      path: '/devices/{id}/operations',
      id: 'listDeviceOperations',
      tag: 'Operations',
      summary: 'Operations of a device, newest first',
      scope: 'read',
      params: DeviceIdParam,
      query: Paging,
      responses: { 200: { description: 'A page of operations', schema: page(OperationSchema) } },
      async handle({ params, query }) {
        const found = await deps.operationStore.list({
          deviceId: asDeviceId(params.id),
          limit: query.limit,
          ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
        })
        return { body: { ...found, items: await operationViews(found.items, deps.operations) } }
      },
    }),
  ]
}

/** What contradicted the record ends with it. */
async function dismissConflicts(device: Device, by: string, { conflicts, devices, clock }: ApiDeps): Promise<void> {
  const seen = new Set<string>()
  for (let open = device.conflict; open !== undefined && !seen.has(open); ) {
    seen.add(open)
    await conflicts.resolve(open, 'dismissed', by, clock.now())
    open = (await devices.get(device.id))?.conflict
  }
}

/** The actor of a request as operations know it. */
export function apiKeyActor(actor: string): Actor {
  return { kind: 'apiKey', id: actor.replace(/^apiKey:/, '') }
}

/** The fields a device is shown with; below those that are objects, a dot leads on. */
const FIELDS: readonly (keyof Device | 'presence')[] = [
  'id',
  'oui',
  'productClass',
  'serial',
  'manufacturer',
  'model',
  'root',
  'softwareVersion',
  'hardwareVersion',
  'dataModelVersion',
  'provisioningCode',
  'ipAddress',
  'upTimeS',
  'owner',
  'presence',
  'cwmp',
  'usp',
  'binding',
  'tags',
  'groups',
  'readiness',
  'migration',
  'conflict',
  'revision',
  'createdAt',
  'updatedAt',
]

/** AppError `invalid` names a field that there is not. */
function fieldsOf(text: string | undefined): string[] | undefined {
  const names = text?.split(',').map((name) => name.trim())
  const unknown = names?.find((name) => !FIELDS.some((field) => name === field || name.startsWith(`${field}.`)))
  if (unknown !== undefined)
    throw new AppError(
      'invalid',
      `query.fields: there is no ${JSON.stringify(unknown)}; fields are ${FIELDS.join(', ')}`,
    )
  return names
}

function project(view: Record<string, unknown>, fields: string[] | undefined): Record<string, unknown> {
  if (fields === undefined) return view
  const shown: Record<string, unknown> = { id: view.id }
  for (const name of fields) {
    const [top = '', ...below] = name.split('.')
    const value = Object.hasOwn(view, top) ? view[top] : undefined
    if (value === undefined) continue
    if (below.length === 0) shown[top] = value
    else shown[top] = { ...asObject(shown[top]), ...pick(asObject(value), below) }
  }
  return shown
}

function pick(value: Record<string, unknown>, [name = '', ...below]: string[]): Record<string, unknown> {
  if (!Object.hasOwn(value, name)) return {}
  return { [name]: below.length === 0 ? value[name] : pick(asObject(value[name]), below) }
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

/** Drops keys whose value is undefined, which the schema leaves for absent ones. */
function clean<T extends object>(value: T): Parameters<ApiDeps['operations']['submit']>[0]['request'] {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Parameters<
    ApiDeps['operations']['submit']
  >[0]['request']
}
