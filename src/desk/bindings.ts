import {
  bindEndpoint,
  type ConflictStore,
  type DeviceId,
  type DeviceStore,
  type EndpointId,
  type LinkSecrets,
  type PendingAgentStore,
  type Principal,
  unbindEndpoint,
} from '../domain/index.ts'
import { type AuditDeps, auditedBy } from './audited-by.ts'
import { readDevice } from './devices.ts'

interface BindingDeps extends AuditDeps {
  devices: DeviceStore
  conflicts: ConflictStore
  pendingAgents: PendingAgentStore
  linkSecrets: Pick<LinkSecrets, 'delete'>
}

/**
 * Binds an Endpoint ID to a device with the proof `operator`; another one that the device had is unbound,
 * and its link secret deleted. AppError
 * `notFound` without such a device; `conflict` when the Endpoint ID is bound to another device, blocked, or part of an
 * open conflict.
 */
export async function bindDevice(
  deps: BindingDeps,
  id: DeviceId,
  endpointId: EndpointId,
  by: Principal,
): Promise<void> {
  const { binding } = await readDevice(deps.devices, id)
  const before = { endpointId: binding?.endpointId }
  const after = { endpointId, proof: 'operator' }
  await auditedBy(deps, by, { action: 'device.bind', target: id, before, after }, (at) =>
    bindEndpoint(id, endpointId, deps, at),
  )
}

/** Takes its Endpoint ID from a device; nothing happens when it has none. AppError `notFound` without such a device. */
export async function unbindDevice(
  deps: AuditDeps & { devices: DeviceStore },
  id: DeviceId,
  by: Principal,
): Promise<void> {
  const { binding } = await readDevice(deps.devices, id)
  if (binding === undefined) return
  const before = { endpointId: binding.endpointId }
  await auditedBy(deps, by, { action: 'device.unbind', target: id, before }, (at) =>
    unbindEndpoint(id, deps.devices, at),
  )
}
