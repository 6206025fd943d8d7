import { findParameters, readDevice } from '../../desk/index.ts'
import { asDeviceId } from '../../domain/index.ts'
import { type Route, route } from '../http/route.ts'
import { z } from '../http/zod.ts'
import { Cursor, DeviceIdParam, Limit } from '../schemas/common.ts'
import { ParameterPage } from '../schemas/device.ts'
import { parameterView } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Devices'

/** The stored parameters of devices. */
export function parameterRoutes(deps: RouteDeps): Route[] {
  const { devices, parameters } = deps
  return [
    route({
      method: 'get',
      path: '/devices/{id}/parameters',
      id: 'listParameters',
      tag,
      summary: 'Stored parameters of a device',
      description:
        '`path` is one parameter, or an object ending in a dot for everything below it; `*` stands for any instance; ' +
        'absent: all. `contains` finds parameters by a part of their path. ' +
        'A page may have fewer items than `limit` and a cursor all the same.',
      permission: 'devices.read',
      params: DeviceIdParam,
      query: z.object({
        path: z.string().max(1024).optional(),
        contains: z.string().min(1).max(100).optional().describe('Letters of any case'),
        limit: Limit,
        cursor: Cursor,
      }),
      responses: { 200: { description: 'A page of parameters', schema: ParameterPage } },
      async handle({ params, query }) {
        const { id } = await readDevice(devices, asDeviceId(params.id))
        const found = await findParameters(parameters, id, query)
        return { body: { ...found, items: found.items.map(parameterView) } }
      },
    }),
  ]
}
