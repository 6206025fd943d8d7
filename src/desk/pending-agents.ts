import {
  admitAgent,
  bindEndpoint,
  type ConflictStore,
  claimedDevice,
  type DeviceId,
  type DeviceStore,
  type LinkSecrets,
  notFound,
  type PendingAgent,
  type PendingAgentStore,
  type Principal,
} from '../domain/index.ts'
import { type AuditDeps, auditedBy } from './audited-by.ts'
import { readDevice } from './devices.ts'

interface PendingAgentDeps extends AuditDeps {
  devices: DeviceStore
  conflicts: ConflictStore
  pendingAgents: PendingAgentStore
  linkSecrets: Pick<LinkSecrets, 'delete'>
}

type ListDeps = Pick<PendingAgentDeps, 'audit' | 'clock' | 'pendingAgents'>

/** Reads the entry of a refused Agent. AppError `notFound` when there is none. */
export async function readPendingAgent(
  pendingAgents: Pick<PendingAgentStore, 'get'>,
  id: string,
): Promise<PendingAgent> {
  const agent = await pendingAgents.get(id)
  if (agent === undefined) throw notFound('pending Agent', id)
  return agent
}

/**
 * Admits an Agent as the device that it claims to be, which gets a record if it has none; returns that device. AppError
 * `conflict` when the claim names no device, or the device is bound to another Endpoint ID.
 */
export async function admitPendingAgent(deps: PendingAgentDeps, id: string, by: Principal): Promise<DeviceId> {
  const agent = await readPendingAgent(deps.pendingAgents, id)
  const { id: deviceId } = claimedDevice(agent)
  const after = { endpointId: agent.endpointId, proof: 'operator' }
  await auditedBy(deps, by, { action: 'agent.admit', target: deviceId, after }, async (at, actor) => {
    await admitAgent(agent, deps, at)
    await deps.pendingAgents.delete(agent.id, actor, at)
  })
  return deviceId
}

/** Admits an Agent as a device that a person names. AppError as of `bindDevice`. */
export async function bindPendingAgent(
  deps: PendingAgentDeps,
  id: string,
  deviceId: DeviceId,
  by: Principal,
): Promise<void> {
  const { endpointId, ...agent } = await readPendingAgent(deps.pendingAgents, id)
  await readDevice(deps.devices, deviceId)
  const after = { endpointId, proof: 'operator' }
  await auditedBy(deps, by, { action: 'agent.bind', target: deviceId, after }, async (at, actor) => {
    await bindEndpoint(deviceId, endpointId, deps, at)
    await deps.pendingAgents.delete(agent.id, actor, at)
  })
}

/** Blocks an Agent: it is refused with any proof. Repeating it does no harm. */
export async function blockPendingAgent(deps: ListDeps, id: string, by: Principal): Promise<void> {
  const { endpointId } = await readPendingAgent(deps.pendingAgents, id)
  await auditedBy(deps, by, { action: 'agent.block', target: endpointId }, (at, actor) =>
    deps.pendingAgents.block(id, actor, at),
  )
}

/** Deletes the entry of an Agent, also of a blocked one. */
export async function deletePendingAgent(deps: ListDeps, id: string, by: Principal): Promise<void> {
  const { endpointId } = await readPendingAgent(deps.pendingAgents, id)
  await auditedBy(deps, by, { action: 'agent.delete', target: endpointId }, (at, actor) =>
    deps.pendingAgents.delete(id, actor, at),
  )
}
