import { AppError } from '../../base/index.ts'
import type { Conflict } from '../device/change.ts'
import { newDevice } from '../device/device.ts'
import type { DeviceStore } from '../device/ports.ts'
import { type DeviceId, type EndpointId, parseDeviceId } from '../id.ts'
import type { Timestamp } from '../timestamp.ts'
import { bindChange } from './usp-arrival.ts'

/** The devices that a Conflict lets a person choose from: the one it is about, and the one that was claimed. */
function candidates({ deviceId, details }: Conflict): string[] {
  return [...new Set([deviceId, ...(details.claimed === undefined ? [] : [details.claimed])])]
}

/**
 * Gives the Endpoint ID of a Conflict to the device that a person chose: takes it from the device that has it, then
 * binds it with the proof `operator`, which no later claim contradicts. A device without a record gets one. Idempotent.
 * AppError `invalid` when the device is none of the candidates, `conflict` when a record changed meanwhile.
 */
export async function bindByOperator(
  conflict: Conflict,
  deviceId: DeviceId,
  devices: DeviceStore,
  now: Timestamp,
): Promise<void> {
  const choice = candidates(conflict)
  if (!choice.includes(deviceId))
    throw new AppError('invalid', `${deviceId} is not part of the conflict: give ${choice.join(' or ')}`, {
      context: { deviceId },
    })
  // It came from the store, where only Endpoint IDs are put.
  const endpointId = conflict.endpointId as EndpointId
  const holder = await devices.findByEndpoint(endpointId)
  if (holder !== undefined && holder.id !== deviceId) {
    await devices.commit({
      deviceId: holder.id,
      unset: ['binding'],
      newRevision: true,
      guard: { revision: holder.revision },
      events: [{ type: 'device.unbound', at: now, deviceId: holder.id, protocol: 'usp', data: { endpointId } }],
    })
  }
  const identity = parseDeviceId(deviceId)
  const known = await devices.get(deviceId)
  // Born without the binding: the embedded engine's unique index refuses an insert of what was taken from another
  // record just now.
  const device = known ?? newDevice(deviceId, identity, 'usp', now)
  if (known === undefined) await devices.commit({ deviceId, create: device })
  await devices.commit(bindChange(deviceId, identity, device, endpointId, 'operator', now))
}
