import { deleteLinkSecret } from '../../desk/index.ts'
import { actorOf, asDeviceId } from '../../domain/index.ts'
import { type Route, route } from '../http/route.ts'
import { DeviceIdParam } from '../schemas/common.ts'
import { SetOperationSchema } from '../schemas/operation.ts'
import { operationViews } from '../views/views.ts'
import { pathOfOperation } from './locations.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Devices'

/** Secrets in the paths of USP links. They are written on devices and no answer shows them. */
export function linkSecretRoutes(deps: RouteDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/devices/{id}/link-secret',
      id: 'renewLinkSecret',
      tag,
      summary: 'Give a device a new secret in the path of its USP link',
      description:
        'For devices shown with `usp.weakLink: true`, and to replace a secret that others may know. ' +
        'The operation sets `WebSocket.Path` of the row of this Controller over the protocol that owns the device; ' +
        'a result without rows means that the device shows no such row. The old secret, or none, stays good until ' +
        'the Agent has used the new one; after that its links need it. Repeating this writes the same secret until ' +
        'it was used.',
      permission: 'credentials.write',
      params: DeviceIdParam,
      responses: {
        202: { description: 'The operation that writes it; read it at Location', schema: SetOperationSchema },
      },
      async handle({ params, principal }) {
        const operation = await deps.renewLinkSecret(asDeviceId(params.id), actorOf(principal))
        return {
          status: 202,
          headers: { location: pathOfOperation(operation) },
          body: (await operationViews([operation], deps.operations))[0],
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
        'For a device that lost its secret in a reset by hand: its Agent may use the plain path again, over a link that is shown as weak.',
      permission: 'credentials.write',
      params: DeviceIdParam,
      responses: { 204: { description: 'The device has no secret' } },
      async handle({ params, principal }) {
        await deleteLinkSecret(deps, asDeviceId(params.id), principal)
        return { status: 204 }
      },
    }),
  ]
}
