import { AppError } from '../../base/index.ts'
import { asDeviceId, type CwmpCredential, released } from '../../domain/index.ts'
import { audited } from '../../security/index.ts'
import { type Route, route } from '../http/route.ts'
import { z } from '../http/zod.ts'
import type { ApiDeps } from '../ports.ts'
import { DeviceIdParam } from '../schemas/schemas.ts'

const Login = z.object({ username: z.string().min(1).max(256), password: z.string().min(1).max(256) })

/** What boxes prove themselves with over CWMP. Secrets go in and never come out. */
export function credentialRoutes({ credentials, audit, clock }: ApiDeps): Route[] {
  const tag = 'Devices'
  return [
    route({
      method: 'put',
      path: '/devices/{id}/credential',
      id: 'putDeviceCredential',
      tag,
      summary: 'Store the CWMP credential that a box has',
      description:
        'Also of a box that never came: with enrolment `closed` only boxes known so, or enrolled before, are let in. `connectionRequest` is what the box wants to see in connection requests; when none is given or stored, the box is given one at its next session.',
      scope: 'write',
      params: DeviceIdParam,
      body: Login.extend({ connectionRequest: Login.optional() }),
      responses: { 204: { description: 'Stored' } },
      async handle({ params, body, actor }) {
        const deviceId = asDeviceId(params.id)
        const known = await credentials.get(deviceId)
        const credential: CwmpCredential = {
          deviceId,
          current: { username: body.username, password: body.password },
          updatedAt: clock.now(),
        }
        const connectionRequest = body.connectionRequest ?? known?.connectionRequest
        if (connectionRequest !== undefined) credential.connectionRequest = connectionRequest
        const after = { username: body.username, connectionRequest: body.connectionRequest !== undefined }
        const entry = { at: clock.now(), actor, action: 'device.credential.put', target: deviceId, after }
        await audited(audit, entry, () => credentials.put(credential))
        return { status: 204 }
      },
    }),
    route({
      method: 'post',
      path: '/devices/{id}/release-credential',
      id: 'releaseDeviceCredential',
      tag,
      summary: 'Let a box that was reset enrol anew',
      description:
        'Its own credential stays good, and the enrolment secret is good beside it, until one of them is used. For boxes that event `device.refused` with reason `reset` tells of.',
      scope: 'write',
      params: DeviceIdParam,
      responses: { 204: { description: 'Released' } },
      async handle({ params, actor }) {
        const deviceId = asDeviceId(params.id)
        const known = await credentials.get(deviceId)
        if (known === undefined) throw new AppError('notFound', `no credential of ${deviceId} is stored`)
        const at = clock.now()
        const entry = { at, actor, action: 'device.credential.release', target: deviceId }
        await audited(audit, entry, () => credentials.put(released(known, at)))
        return { status: 204 }
      },
    }),
  ]
}
