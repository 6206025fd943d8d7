import { AppError } from '../base/index.ts'
import {
  actorOf,
  actorText,
  type ConflictStore,
  type CredentialStore,
  type Device,
  type DeviceId,
  type DeviceStore,
  type EventLog,
  HOLDING,
  type LinkSecrets,
  type Operations,
  type Principal,
} from '../domain/index.ts'
import { type AuditDeps, auditedBy } from './audited-by.ts'
import { readDevice } from './devices.ts'

export interface DeleteDeviceDeps extends AuditDeps {
  devices: DeviceStore
  operations: Pick<Operations, 'forget'>
  conflicts: Pick<ConflictStore, 'resolve'>
  credentials: Pick<CredentialStore, 'delete'>
  linkSecrets: Pick<LinkSecrets, 'delete'>
  events: Pick<EventLog, 'append'>
}

/**
 * Deletes a device with its open operations, its conflicts, its credential and its link secret. Repeating it after a
 * failure completes it. AppError `notFound` without such a device; `conflict` while a plan moves it, and, unless
 * `force`, while a plan has moved it or must bring it back. `into`: the record that takes its place.
 */
export async function deleteDevice(
  deps: DeleteDeviceDeps,
  id: DeviceId,
  { force, into }: { force: boolean; into?: DeviceId },
  by: Principal,
): Promise<void> {
  const device = await readDevice(deps.devices, id)
  const { migration } = device
  if (!force && migration !== undefined && HOLDING.includes(migration.state))
    throw new AppError(
      'conflict',
      `${id} is ${migration.state} in plan ${migration.planId}: roll it back first (POST /devices/{id}/rollback), or delete it with force=true`,
    )
  const openOperations = await deps.operations.forget(device, actorOf(by))
  const before = { owner: device.owner, endpointId: device.binding?.endpointId, openOperations }
  await auditedBy(deps, by, { action: 'device.delete', target: id, before }, async (at, actor) => {
    await dismissConflicts(device, by, deps)
    await deps.credentials.delete(id)
    await deps.linkSecrets.delete(id)
    await deps.devices.delete(id)
    const data = { by: actor, ...(into === undefined ? {} : { into }) }
    await deps.events.append([{ type: 'device.deleted', at, deviceId: id, data }])
  })
}

/** Dismisses the conflict of a device, and those that open behind it. */
async function dismissConflicts(
  device: Device,
  by: Principal,
  { conflicts, devices, clock }: Pick<DeleteDeviceDeps, 'conflicts' | 'devices' | 'clock'>,
): Promise<void> {
  const seen = new Set<string>()
  for (let open = device.conflict; open !== undefined && !seen.has(open); ) {
    seen.add(open)
    await conflicts.resolve(open, 'dismissed', actorText(by), clock.now())
    open = (await devices.get(device.id))?.conflict
  }
}
