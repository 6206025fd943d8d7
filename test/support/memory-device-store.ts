import { AppError, type Clock } from '../../src/base/index.ts'
import {
  applyPatch,
  bearsOnDerived,
  type Device,
  type DeviceChange,
  type DeviceId,
  type DeviceStore,
  factsOfChange,
  factsOfTree,
  fulfils,
  type NewEvent,
  type Parameter,
  type Selector,
  type StoredInstanceMap,
  withDerivedFields,
  withoutFields,
} from '../../src/domain/index.ts'
import { copyOf, maybeRow, rowOf } from './copy.ts'

/** The records and parameters that the store keeps. */
export interface DeviceRoom {
  devices: Map<string, Device>
  parameters: Map<string, Parameter>
  instanceMaps?: Map<string, StoredInstanceMap>
}

/**
 * Checks a change of a device and gives back what carries it out, events aside: together with other writes it lands
 * whole or not at all. AppError `conflict` when a guard, the unique Endpoint ID or a missing record refuses it.
 */
export function deviceWrite(room: DeviceRoom, asked: DeviceChange, now: number): () => void {
  const change = withDerived(room, asked, now)
  const record = recordAfter(room, change, now)
  const { deviceId, instanceMap } = change
  const version = room.instanceMaps?.get(deviceId)?.version ?? 0
  if (instanceMap !== undefined && instanceMap.version !== version + 1)
    throw new AppError('conflict', 'the map moved on')
  return () => {
    if (instanceMap !== undefined) room.instanceMaps?.set(deviceId, copyOf(instanceMap))
    if (record !== undefined) room.devices.set(change.deviceId, record)
    writeParameters(room, change)
  }
}

/** The change with the fields that follow from it. */
function withDerived({ devices, parameters }: DeviceRoom, change: DeviceChange, now: number): DeviceChange {
  const device = change.create ?? devices.get(change.deviceId)
  if (device === undefined || !bearsOnDerived(change)) return change
  const { groups, ...own } = factsOfChange(device, change)
  const known = change.tree?.parameters.map((parameter) => ({ ...parameter, deviceId: change.deviceId }))
  const stored = (known ?? [...parameters.values()]).flatMap(({ deviceId, path, value, collectedAt }) =>
    deviceId === change.deviceId ? [[path, { value, at: collectedAt }] as const] : [],
  )
  const { set, unset } = factsOfTree(device, change, groups, new Map(stored))
  return withDerivedFields(device, change, { set: { ...own.set, ...set }, unset: [...own.unset, ...unset] }, now)
}

/** The record as the change leaves it; undefined when the change is not about the record. */
function recordAfter({ devices }: DeviceRoom, change: DeviceChange, now: number): Device | undefined {
  const before = devices.get(change.deviceId)
  if (change.create !== undefined) {
    if (before !== undefined) throw new AppError('conflict', 'the device exists')
    return unique(devices, rowOf(change.create))
  }
  const fields = Object.keys(change.set ?? {}).length + (change.unset?.length ?? 0)
  if (fields === 0 && change.countWork !== true && change.newRevision !== true) return undefined
  if (before === undefined) throw new AppError('conflict', 'the device does not exist')
  checkGuard(before, change.guard)
  const next = applyPatch(before, change.set ?? {}, now)
  if (change.countWork === true) next.work = { ...next.work, seq: next.work.seq + 1 }
  if (change.newRevision === true) next.revision++
  const kept = withoutFields(next, change.unset ?? [])
  return change.set?.binding === undefined ? kept : unique(devices, kept)
}

function checkGuard(before: Device, guard: DeviceChange['guard'] = {}): void {
  const { revision, workSeq, owner, uspConnectedAt, migration } = guard
  if (revision !== undefined && revision !== before.revision) throw new AppError('conflict', 'revision moved on')
  if (workSeq !== undefined && workSeq !== before.work.seq) throw new AppError('conflict', 'work was added')
  if (owner !== undefined && owner !== before.owner) throw new AppError('conflict', 'owner changed')
  if (uspConnectedAt !== undefined && uspConnectedAt !== before.usp?.connectedAt)
    throw new AppError('conflict', 'the link is another one now')
  const { planId, state } = before.migration ?? {}
  if (migration !== undefined && (migration.planId !== planId || migration.state !== state))
    throw new AppError('conflict', 'the migration moved on')
}

function unique(devices: Map<string, Device>, next: Device): Device {
  const endpointId = next.binding?.endpointId
  if (endpointId === undefined) return next
  for (const other of devices.values())
    if (other.id !== next.id && other.binding?.endpointId === endpointId)
      throw new AppError('conflict', 'the Endpoint ID is bound to another device')
  return next
}

function writeParameters({ parameters }: DeviceRoom, change: DeviceChange): void {
  for (const prefix of change.dropSubtrees ?? []) {
    for (const key of [...parameters.keys()]) {
      if (key.startsWith(`${change.deviceId}|${prefix}`)) parameters.delete(key)
    }
  }
  for (const path of change.dropParameters ?? []) parameters.delete(`${change.deviceId}|${path}`)
  for (const write of change.parameters ?? []) {
    const key = `${change.deviceId}|${write.path}`
    if (change.onlyNewer === true && (parameters.get(key)?.collectedAt ?? 0) >= write.collectedAt) continue
    const writable = write.writable ?? parameters.get(key)?.writable
    const kept: Parameter = { ...write, deviceId: change.deviceId }
    if (write.type === 'unknown') kept.type = parameters.get(key)?.type ?? 'unknown'
    if (writable !== undefined) kept.writable = writable
    parameters.set(key, kept)
  }
}

/** Device records in memory. Lists are in the order of ids, without sorting by other fields and without pages. */
export function deviceStore(
  room: DeviceRoom,
  append: (events: NewEvent[]) => void,
  clock: Clock,
  listeners: ReadonlySet<(change: DeviceChange) => void> = new Set(),
): DeviceStore {
  const { devices, parameters } = room
  const matching = (selector: Selector | undefined) =>
    [...devices.values()]
      .filter((device) => selector === undefined || fulfils(device, selector))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
  return {
    get: async (id) => maybeRow(devices.get(id)),
    findByEndpoint: async (endpointId) =>
      maybeRow([...devices.values()].find(({ binding }) => binding?.endpointId === endpointId)),
    async commit(change) {
      deviceWrite(room, change, clock.now())()
      append(change.events ?? [])
      for (const listener of listeners) listener(copyOf(change))
    },
    async contacted(deviceId, at) {
      if (!devices.has(deviceId)) return undefined
      const change: DeviceChange = { deviceId, set: { 'cwmp.lastInformAt': at } }
      deviceWrite(room, change, clock.now())()
      for (const listener of listeners) listener(copyOf(change))
      return maybeRow(devices.get(deviceId))
    },
    list: async ({ selector, limit }) => ({ items: copyOf(matching(selector).slice(0, limit)) }),
    async *ids(selector, batchSize, after = '') {
      const ids: DeviceId[] = matching(selector).flatMap(({ id }) => (id > after ? [id] : []))
      for (let i = 0; i < ids.length; i += batchSize) yield ids.slice(i, i + batchSize)
    },
    count: async (selector, limit) => Math.min(matching(selector).length, limit),
    async delete(id) {
      for (const key of [...parameters.keys()]) if (key.startsWith(`${id}|`)) parameters.delete(key)
      room.instanceMaps?.delete(id)
      return devices.delete(id)
    },
    async unlinkAll(instance, alive, at) {
      let count = 0
      for (const { id, usp } of [...devices.values()]) {
        const holder = usp?.instance
        const theirs = instance === undefined ? !alive.includes(holder ?? '') : holder === instance
        if (usp?.linked !== true || !theirs) continue
        const reason = instance === undefined ? 'serverDied' : 'goingAway'
        const set = {
          'usp.linked': false,
          'usp.answering': false,
          'usp.disconnectedAt': at,
          'usp.lastDisconnect': { at, reason },
        } as const
        deviceWrite(room, { deviceId: id, set }, at)()
        count++
      }
      return count
    },
    withOpenWork: async (ids) => ids.filter((id) => devices.get(id)?.work.open === true),
    async *linkedTo(instance) {
      const linked = [...devices.values()].filter(({ usp }) => usp?.linked === true && usp.instance === instance)
      if (linked.length > 0) yield linked.map(({ id, usp }) => ({ id, connectedAt: usp?.connectedAt ?? 0 }))
    },
  }
}
