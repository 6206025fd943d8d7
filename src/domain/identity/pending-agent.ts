import { createHash } from 'node:crypto'
import { AppError } from '../../base/index.ts'
import type { Device } from '../device/device.ts'
import { IN_FLIGHT } from '../device/member-states.ts'
import type { DeviceStore } from '../device/ports.ts'
import type { NewEvent } from '../feed/event.ts'
import { type DeviceId, type DeviceIdentity, deviceIdOf, type EndpointId } from '../id.ts'
import { notFound } from '../not-found.ts'
import type { Page } from '../page.ts'
import type { Timestamp } from '../timestamp.ts'
import type { ConflictStore, LinkSecrets } from './ports.ts'
import { bindChange, type RefusalCode } from './usp-arrival.ts'

/** A USP Agent that was refused, for a person who may let it in. */
export interface PendingAgent {
  id: string
  endpointId: EndpointId
  /** The address that it came from last. */
  address: string
  /** OUI, product class and serial number of its last claim; parts may be empty. */
  claim?: DeviceIdentity
  /** Reason of its last refusal. */
  reason: RefusalCode
  /** The same in a sentence. */
  text: string
  /** Number of refusals. */
  count: number
  firstSeenAt: Timestamp
  lastSeenAt: Timestamp
  /** Set while a person has blocked it: it is refused at once, with any proof. */
  blockedAt?: Timestamp
  blockedBy?: string
}

/** Refusals of one Agent since the last ones that were stored. */
export interface PendingSighting extends Pick<PendingAgent, 'endpointId' | 'address' | 'claim' | 'reason' | 'text'> {
  count: number
  at: Timestamp
}

/** The list of pending Agents: bounded, the one that was not seen for longest goes first; blocked ones stay. */
export interface PendingAgentStore {
  /** Adds refusals to the entry of an Agent, or makes one. The event lands with it. */
  note(sighting: PendingSighting, event?: NewEvent): Promise<void>
  get(id: string): Promise<PendingAgent | undefined>
  /** Newest first, by when they were seen first. */
  list(query: { reason?: RefusalCode; limit: number; cursor?: string }): Promise<Page<PendingAgent>>
  /**
   * AppError `notFound` when there is no such entry, `conflict` when as many are blocked as can be. Repeating it does
   * no harm.
   */
  block(id: string, by: string, at: Timestamp): Promise<void>
  /** Removes an entry, also a blocked one; false when there is none. `by` is for the event of a block that ends. */
  delete(id: string, by: string, at: Timestamp): Promise<boolean>
  /** Endpoint IDs of all entries, or of the blocked ones. */
  endpointIds(which: 'all' | 'blocked'): Promise<EndpointId[]>
}

/** The id of the entry of an Endpoint ID; the same on every instance. */
export function pendingAgentId(endpointId: string): string {
  return createHash('sha256').update(endpointId).digest('base64url').slice(0, 22)
}

interface BindingStores {
  devices: DeviceStore
  conflicts: ConflictStore
  pendingAgents: PendingAgentStore
}

/**
 * Binds an Endpoint ID to a device that has a record, with the proof `operator`; another one that the device had is
 * unbound, and the secret of its link goes with it: the new Agent does not have it, and the former one would prove by
 * it that it is the device. Not while a migration moves the device, which has written that secret. Repeating it does no
 * harm. AppError `notFound` when there is no such device; `conflict` when the Endpoint ID is bound to another device,
 * blocked, or part of a Conflict that is open.
 */
export async function bindEndpoint(
  deviceId: DeviceId,
  endpointId: EndpointId,
  stores: BindingStores & { linkSecrets: Pick<LinkSecrets, 'delete'> },
  now: Timestamp,
): Promise<Device> {
  const device = await stores.devices.get(deviceId)
  if (device === undefined) throw notFound('device', deviceId)
  await checkFree(deviceId, endpointId, stores)
  const former = device.binding?.endpointId
  const isMoving = device.migration !== undefined && IN_FLIGHT.includes(device.migration.state)
  // First, so that a repetition after a crash finds the former Endpoint ID and does both.
  if (former !== undefined && former !== endpointId && !isMoving) await stores.linkSecrets.delete(deviceId)
  await stores.devices.commit(bindChange(deviceId, device, device, endpointId, 'operator', now))
  return device
}

/** Takes its Endpoint ID from a device; false when it has none. AppError `notFound` when there is no such device. */
export async function unbindEndpoint(deviceId: DeviceId, devices: DeviceStore, now: Timestamp): Promise<boolean> {
  const device = await devices.get(deviceId)
  if (device === undefined) throw notFound('device', deviceId)
  if (device.binding === undefined) return false
  const { endpointId } = device.binding
  await devices.commit({
    deviceId,
    unset: ['binding'],
    newRevision: true,
    guard: { revision: device.revision },
    events: [{ type: 'device.unbound', at: now, deviceId, protocol: 'usp', data: { endpointId } }],
  })
  return true
}

/** Returns the device that a pending Agent claims to be. AppError `conflict` when its claim names none. */
export function claimedDevice({ claim, endpointId }: Pick<PendingAgent, 'claim' | 'endpointId'>): {
  id: DeviceId
  identity: DeviceIdentity
} {
  try {
    if (claim !== undefined) return { id: deviceIdOf(claim), identity: claim }
  } catch (cause) {
    throw new AppError(
      'conflict',
      `the identity that Agent ${endpointId} claims names no device: bind the Agent to a device`,
      { cause },
    )
  }
  throw new AppError('conflict', `Agent ${endpointId} has claimed no identity: bind it to a device`)
}

/**
 * Lets a pending Agent in as the device that it claims to be, with the proof `operator`; the device gets a record if it
 * has none. Repeating it does no harm. AppError `conflict` when that device is bound to another Endpoint ID, and as
 * `bindEndpoint`.
 */
export async function admitAgent(agent: PendingAgent, stores: BindingStores, now: Timestamp): Promise<DeviceId> {
  const { id, identity } = claimedDevice(agent)
  const { endpointId } = agent
  const device = await stores.devices.get(id)
  if (device?.binding !== undefined && device.binding.endpointId !== endpointId)
    throw new AppError(
      'conflict',
      `${id} is bound to ${device.binding.endpointId}: bind the Agent to it to replace that`,
    )
  await checkFree(id, endpointId, stores)
  await stores.devices.commit(bindChange(id, identity, device, endpointId, 'operator', now))
  return id
}

async function checkFree(deviceId: DeviceId, endpointId: EndpointId, stores: BindingStores): Promise<void> {
  const { devices, conflicts, pendingAgents } = stores
  const holder = await devices.findByEndpoint(endpointId)
  if (holder !== undefined && holder.id !== deviceId)
    throw new AppError('conflict', `${endpointId} is bound to ${holder.id}: take it from there first`)
  if (await conflicts.isContested(endpointId))
    throw new AppError(
      'conflict',
      `a conflict of ${endpointId} is open: resolve it with POST /conflicts/{id}/resolution`,
    )
  const pending = await pendingAgents.get(pendingAgentId(endpointId))
  if (pending?.blockedAt !== undefined)
    throw new AppError(
      'conflict',
      `${endpointId} is blocked: delete its entry ${pending.id} of the pending Agents first`,
    )
}
