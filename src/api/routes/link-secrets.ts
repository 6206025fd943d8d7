import { asDeviceId } from '../../domain/index.ts'
import { audited } from '../../security/index.ts'
import { type Route, route } from '../http/route.ts'
import type { ApiDeps } from '../ports.ts'
import { DeviceIdParam, OperationSchema } from '../schemas/schemas.ts'
import { operationViews } from '../views/views.ts'
import { apiKeyActor } from './devices.ts'

/** Secrets in the paths of USP links. They are written on devices and never shown. */
export function linkSecretRoutes({ linkSecrets, renewLinkSecret, operations, audit, clock }: ApiDeps): Route[] {
  const tag = 'Devices'
  return [
    route({
      method: 'post',
      path: '/devices/{id}/link-secret',
      id: 'renewLinkSecret',
      tag,
      summary: 'Give a device a new secret in the path of its USP link',
      description:
        'For devices shown with `usp.weakLink: true`, and to replace a secret that others may know. The operation sets `WebSocket.Path` of the row of this Controller over the protocol that owns the device; a result without rows means that the device shows no such row. The old secret, or none, stays good until the Agent has used the new one; after that its links need it. Repeating this writes the same secret until it was used.',
      scope: 'write',
      params: DeviceIdParam,
      responses: { 202: { description: 'The operation that writes it; read it at Location', schema: OperationSchema } },
      async handle({ params, actor }) {
        const operation = await renewLinkSecret(asDeviceId(params.id), apiKeyActor(actor))
        return {
          status: 202,
          headers: { location: `/api/v1/operations/${operation.id}` },
          body: (await operationViews([operation], operations))[0],
        }
      },
    }),
    route({
      method: 'delete',
      path: '/devices/{id}/link-secret',
      id: 'deleteLinkSecret',
      tag,
      summary: 'Let a device link without its secret',
      description:
        'For a device that lost its secret in a reset by hand: its Agent may come with the plain path again, over a link that is shown as weak.',
      scope: 'write',
      params: DeviceIdParam,
      responses: { 204: { description: 'It has no secret any more' } },
      async handle({ params, actor }) {
        const deviceId = asDeviceId(params.id)
        const entry = { at: clock.now(), actor, action: 'device.linkSecret.delete', target: deviceId }
        await audited(audit, entry, () => linkSecrets.delete(deviceId))
        return { status: 204 }
      },
    }),
  ]
}
