import { AppError } from '../base/index.ts'
import { quoteConstant } from '../datamodel/index.ts'
import {
  type Actor,
  type DeviceId,
  type DeviceStore,
  type LinkSecrets,
  notFound,
  type Operation,
  type Operations,
} from '../domain/index.ts'
import { type ControllerAddress, type MtpRows, neededValues } from '../usp/index.ts'

interface RenewLinkSecretDeps {
  devices: Pick<DeviceStore, 'get'>
  linkSecrets: Pick<LinkSecrets, 'renew'>
  operations: Pick<Operations, 'submit'>
  /** This Controller as its rows on the devices name it. */
  controller: { endpointId: string } & ControllerAddress
  /** The MTP over which devices link. */
  mtp: MtpRows
}

/** Gives a device a new secret in its MTP row. Resolves with the operation that writes it. */
export type RenewLinkSecret = (deviceId: DeviceId, actor: Actor) => Promise<Operation>

/**
 * Creates the function. It stores the new secret before it submits the operation. The old secret stays valid until the
 * Agent has used the new one, so the time of the operation and a lost answer make no difference, and a repetition
 * writes the same secret again. AppError `notFound` without such a device, `conflict` when no Agent is bound to it, and
 * the errors of `Operations.submit`.
 */
export function createRenewLinkSecret({
  devices,
  linkSecrets,
  operations,
  controller,
  mtp,
}: RenewLinkSecretDeps): RenewLinkSecret {
  return async (deviceId, actor) => {
    const device = await devices.get(deviceId)
    if (device === undefined) throw notFound('device', deviceId)
    if (device.binding === undefined)
      throw new AppError(
        'conflict',
        `no USP Agent is bound to ${deviceId}: bind its Endpoint ID first (PUT /devices/{id}/binding)`,
      )
    const agent = device.owner === 'usp' ? 'Device.LocalAgent.' : 'Device.USPAgent.'
    const row = `${agent}Controller.[EndpointID==${quoteConstant(controller.endpointId)}].MTP.[Protocol==${quoteConstant(mtp.protocol)}].`
    const secret = await linkSecrets.renew(deviceId)
    const value = neededValues(mtp, controller, secret)[mtp.secret] ?? ''
    return operations.submit({
      deviceId,
      actor,
      request: { verb: 'set', values: [{ path: row + mtp.secret, value }], mayLockOut: true },
    })
  }
}
