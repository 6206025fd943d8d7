import { AppError, defined } from '../../base/index.ts'
import { changeNotes, deleteDevice, findDevices, readDevice } from '../../desk/index.ts'
import { asDeviceId, type Device, type DeviceSortField } from '../../domain/index.ts'
import { deleteIfMatch, withIfMatch } from '../http/if-match.ts'
import { type Route, route } from '../http/route.ts'
import { z } from '../http/zod.ts'
import { DeviceIdParam, IF_MATCH } from '../schemas/common.ts'
import {
  DEVICE_FIELDS,
  DeviceQuerySchema,
  DeviceSchema,
  DeviceSelectionPage,
  NotesChangeSchema,
} from '../schemas/device.ts'
import { selectFields } from '../views/select-fields.ts'
import { deviceViews } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Devices'

/** Devices, their labels and tags. */
export function deviceRoutes(deps: RouteDeps): Route[] {
  const { devices, groups, clock } = deps
  const answer = async (device: Device) => ({
    headers: { etag: `"${device.revision}"` },
    body: (await deviceViews([device], groups, clock.now()))[0],
  })
  return [
    route({
      method: 'get',
      path: '/devices',
      id: 'listDevices',
      tag,
      summary: 'List devices',
      permission: 'devices.read',
      query: DeviceQuerySchema,
      responses: { 200: { description: 'A page of devices', schema: DeviceSelectionPage } },
      async handle({ query: { fields: wanted, sort, ...query } }) {
        const fields = fieldsOf(wanted)
        const found = await findDevices(deps, defined({ ...query, sort: sortOf(sort) }))
        const views = await deviceViews(found.items, groups, clock.now())
        return { body: { ...found, items: views.map((view) => selectFields(view, fields)) } }
      },
    }),
    route({
      method: 'get',
      path: '/devices/{id}',
      id: 'readDevice',
      tag,
      summary: 'Read one device',
      permission: 'devices.read',
      params: DeviceIdParam,
      responses: { 200: { description: 'The record; its ETag is the revision, for If-Match', schema: DeviceSchema } },
      handle: async ({ params }) => answer(await readDevice(devices, asDeviceId(params.id))),
    }),
    route({
      method: 'patch',
      path: '/devices/{id}',
      id: 'changeDevice',
      tag,
      summary: 'Change label and tags of a device',
      description:
        '`label` is what people call the device, null for nothing. `tags` replaces all tags; `add` and `remove` change single ones. ' +
        'With the ETag in If-Match, the change is refused when the record has changed since.',
      permission: 'devices.write',
      params: DeviceIdParam,
      headers: IF_MATCH,
      body: NotesChangeSchema,
      responses: { 200: { description: 'The record', schema: DeviceSchema } },
      async handle({ params, body, header, principal }) {
        const id = asDeviceId(params.id)
        await withIfMatch(
          header('if-match'),
          async () => (await readDevice(devices, id)).revision,
          (revision) => changeNotes(deps, { id, revision }, body, principal),
        )
        return answer(await readDevice(devices, id))
      },
    }),
    route({
      method: 'delete',
      path: '/devices/{id}',
      id: 'deleteDevice',
      tag,
      summary: 'Delete a device, its parameters, its open operations and its credential',
      description:
        'A CPE that connects again is a new device and needs the enrolment secret again. ' +
        '409 while a plan moves the device, has moved it, or must bring it back: ' +
        'roll it back first, or give `force=true`, which leaves on the device what the plan wrote (not while it is ' +
        'being moved).',
      permission: 'devices.delete',
      params: DeviceIdParam,
      headers: IF_MATCH,
      query: z.object({ force: z.literal('true').optional() }),
      responses: { 204: { description: 'Deleted' } },
      async handle({ params, header, query, principal }) {
        const id = asDeviceId(params.id)
        await deleteIfMatch(
          header('if-match'),
          async () => (await readDevice(devices, id)).revision,
          () => deleteDevice(deps, id, { force: query.force !== undefined }, principal),
        )
        return { status: 204 }
      },
    }),
  ]
}

/** The sort of a query, which its schema has checked. */
function sortOf(text: string | undefined): { field: DeviceSortField; descending: boolean } | undefined {
  if (text === undefined) return undefined
  return { field: text.replace(/^-/, '') as DeviceSortField, descending: text.startsWith('-') }
}

/** The fields that a query asks for. AppError `invalid` for a name that no field of a device has. */
function fieldsOf(text: string | undefined): string[] | undefined {
  const names = text?.split(',').map((name) => name.trim())
  const unknown = names?.find((name) => !DEVICE_FIELDS.some((field) => name === field || name.startsWith(`${field}.`)))
  if (unknown !== undefined)
    throw new AppError(
      'invalid',
      `query.fields: there is no ${JSON.stringify(unknown)}; fields are ${DEVICE_FIELDS.join(', ')}`,
    )
  return names
}
