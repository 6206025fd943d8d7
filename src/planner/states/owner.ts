import type { Device, DeviceChange } from '../../domain/index.ts'

/** Hands the right to write to a protocol. Nothing to change when it is the owner already: repeating is safe. */
export function ownerChange(device: Device, owner: 'cwmp' | 'usp', now: number): DeviceChange {
  if (device.owner === owner) return { deviceId: device.id }
  return {
    deviceId: device.id,
    set: { owner },
    newRevision: true,
    guard: { owner: device.owner },
    events: [
      {
        type: 'device.ownerChanged',
        at: now,
        deviceId: device.id,
        protocol: owner,
        data: { from: device.owner, to: owner },
      },
    ],
  }
}
