import { bindDevice, readDevice, unbindDevice } from '../../desk/index.ts'
import { readDeviceId } from '../http/input.ts'
import { type Route, route } from '../http/route.ts'
import { BindingInput } from '../schemas/agent.ts'
import { DeviceIdParam } from '../schemas/common.ts'
import { DeviceSchema } from '../schemas/device.ts'
import { deviceViews } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Devices'

/** Endpoint IDs of devices. */
export function bindingRoutes(deps: RouteDeps): Route[] {
  return [
    route({
      method: 'put',
      path: '/devices/{id}/binding',
      id: 'putDeviceBinding',
      tag,
      summary: 'Bind a USP Endpoint ID to a device',
      description:
        'With the proof `operator`: its Agent is this device from now on, with any identity that it shows. ' +
        'Another Endpoint ID that the device had is unbound, its link is closed, and the link secret, which its ' +
        'Agent has, is deleted. 409 when this one is bound to another device, blocked, or part of a conflict that is ' +
        'open.',
      permission: 'bindings.write',
      params: DeviceIdParam,
      body: BindingInput,
      responses: { 200: { description: 'The record', schema: DeviceSchema } },
      async handle({ params, body, principal }) {
        const id = readDeviceId(params.id)
        await bindDevice(deps, id, deps.asEndpointId(body.endpointId), principal)
        const device = await readDevice(deps.devices, id)
        const [view] = await deviceViews([device], deps.groups, deps.clock.now())
        return { headers: { etag: `"${device.revision}"` }, body: view }
      },
    }),
    route({
      method: 'delete',
      path: '/devices/{id}/binding',
      id: 'deleteDeviceBinding',
      tag,
      summary: 'Unbind the USP Endpoint ID of a device',
      description: 'Its link is closed, and its Agent is judged again when it connects.',
      permission: 'bindings.write',
      params: DeviceIdParam,
      responses: { 204: { description: 'The device has no Endpoint ID' } },
      async handle({ params, principal }) {
        await unbindDevice(deps, readDeviceId(params.id), principal)
        return { status: 204 }
      },
    }),
  ]
}
