import type { CloseReason, Device } from '../../domain/index.ts'
import type { Script } from '../machine/script.ts'

/**
 * Ends the USP link of a device, whichever instance holds it. Resolves when it is gone, or when the event is durable by
 * which the instance that holds it ends it. The event names the link by its `connectedAt`, so that a later link of the
 * device stays.
 */
export async function endLink({ deps }: Script, { id: deviceId }: Device, reason: CloseReason): Promise<void> {
  await deps.links.close(deviceId, reason)
  const usp = (await deps.devices.get(deviceId))?.usp
  if (usp?.linked !== true || usp.connectedAt === undefined) return
  const data = { connectedAt: usp.connectedAt, reason }
  const event = { type: 'device.linkReleased', at: deps.clock.now(), deviceId, protocol: 'usp', data } as const
  await deps.devices.commit({ deviceId, events: [event] })
}
