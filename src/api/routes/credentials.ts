import { releaseCredential, storeCredential } from '../../desk/index.ts'
import { asDeviceId } from '../../domain/index.ts'
import { type Route, route } from '../http/route.ts'
import { CredentialInput } from '../schemas/agent.ts'
import { DeviceIdParam } from '../schemas/common.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Devices'

/** CWMP credentials of devices. No answer shows their secrets. */
export function credentialRoutes(deps: RouteDeps): Route[] {
  return [
    route({
      method: 'put',
      path: '/devices/{id}/credential',
      id: 'putDeviceCredential',
      tag,
      summary: 'Store the CWMP credential of a device',
      description:
        'Also of a device whose CPE has not connected yet: with enrolment `closed` only CPE with a stored ' +
        'credential, or enrolled before, are admitted. `connectionRequest` is the login that the CPE expects in ' +
        'connection requests; when none is given or stored, the CPE gets one at its next session.',
      permission: 'credentials.write',
      params: DeviceIdParam,
      body: CredentialInput,
      responses: { 204: { description: 'Stored' } },
      async handle({ params, body: { connectionRequest, ...current }, principal }) {
        await storeCredential(deps, asDeviceId(params.id), { current, connectionRequest }, principal)
        return { status: 204 }
      },
    }),
    route({
      method: 'post',
      path: '/devices/{id}/release-credential',
      id: 'releaseDeviceCredential',
      tag,
      summary: 'Let a device that was reset enrol again',
      description:
        'Its own credential stays valid, and the enrolment secret is accepted, too, until one of them is used. ' +
        'For devices with the event `device.refused` and the reason `reset`.',
      permission: 'credentials.write',
      params: DeviceIdParam,
      responses: { 204: { description: 'Released' } },
      async handle({ params, principal }) {
        await releaseCredential(deps, asDeviceId(params.id), principal)
        return { status: 204 }
      },
    }),
  ]
}
