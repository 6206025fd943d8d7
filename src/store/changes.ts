import { splitLeaf } from '../datamodel/index.ts'
import type { DeviceChange, FeedEvent, NewEvent, ParameterWrite } from '../device/index.ts'
import { toDocument } from './convert.ts'
import { startingWith } from './filter.ts'
import type { Write, WriteSet } from './write-set.ts'

/** Makes write sets of changes; one per store, because event ids must come in commit order. */
export class ChangeWriter {
  readonly #nextId: () => string
  readonly #onAppended: (events: FeedEvent[]) => void
  readonly #onChanged: (change: DeviceChange) => void

  constructor(
    nextId: () => string,
    onAppended: (events: FeedEvent[]) => void,
    onChanged: (change: DeviceChange) => void = () => undefined,
  ) {
    this.#nextId = nextId
    this.#onAppended = onAppended
    this.#onChanged = onChanged
  }

  /** The writes of a device change, events included; listeners hear of it once it is journaled. `now` is stored as updatedAt. */
  deviceSet(change: DeviceChange, now: number): WriteSet {
    const writes = deviceWrites(change, now)
    for (const prefix of change.dropSubtrees ?? []) writes.push(dropWrite(change.deviceId, prefix))
    writes.push(...dropLeafWrites(change.deviceId, change.dropParameters ?? []))
    if (change.parameters !== undefined) writes.push(...parameterWrites(change.deviceId, change.parameters))
    const set = this.withEvents(writes, change.events ?? [])
    const onCommitted = () => {
      set.onCommitted?.()
      this.#onChanged(change)
    }
    return { ...set, onCommitted }
  }

  /** Adds events to a set of writes; listeners hear of them once they are journaled. */
  withEvents(writes: Write[], events: NewEvent[]): WriteSet {
    if (events.length === 0) return { writes }
    const feed = events.map((event): FeedEvent => ({ ...event, id: this.#nextId() }))
    for (const event of feed) {
      writes.push({
        collection: 'events',
        operation: { insertOne: { document: toDocument(event) } },
      })
    }
    return { writes, onCommitted: () => this.#onAppended(feed) }
  }
}

/** The update of the record itself. */
export function deviceWrites(change: DeviceChange, now: number): Write[] {
  if (change.create !== undefined)
    return [{ collection: 'devices', operation: { insertOne: { document: toDocument(change.create) } } }]
  const $set: Record<string, unknown> = { ...change.set }
  const $inc: Record<string, number> = {}
  if (change.newRevision === true) $inc.revision = 1
  if (change.countWork === true) $inc['work.seq'] = 1
  if (Object.keys($set).length === 0 && Object.keys($inc).length === 0 && (change.unset ?? []).length === 0) return []
  $set.updatedAt = now
  const update: Record<string, unknown> = { $set }
  if (Object.keys($inc).length > 0) update.$inc = $inc
  if (change.unset !== undefined && change.unset.length > 0)
    update.$unset = Object.fromEntries(change.unset.map((field) => [field, '']))
  const filter: Record<string, unknown> & { _id: string } = { _id: change.deviceId }
  if (change.guard?.revision !== undefined) filter.revision = change.guard.revision
  if (change.guard?.workSeq !== undefined) filter['work.seq'] = change.guard.workSeq
  if (change.guard?.owner !== undefined) filter.owner = change.guard.owner
  if (change.guard?.migration !== undefined) {
    filter['migration.planId'] = change.guard.migration.planId
    filter['migration.state'] = change.guard.migration.state
  }
  if (change.guard?.uspConnectedAt !== undefined) filter['usp.connectedAt'] = change.guard.uspConnectedAt
  return [
    {
      collection: 'devices',
      operation: { updateOne: { filter, update } },
      mustMatch: 'the device has changed meanwhile or does not exist',
    },
  ]
}

/** One upsert per object: its leaves by name. */
export function parameterWrites(deviceId: string, parameters: ParameterWrite[]): Write[] {
  const objects = new Map<string, Record<string, unknown>>()
  for (const parameter of parameters) {
    const { object, leaf } = splitLeaf(parameter.path)
    // Field names of the database must not begin with a dollar sign; no parameter of any model does.
    if (leaf === '' || leaf.startsWith('$') || leaf.includes('\0')) continue
    let fields = objects.get(object)
    if (fields === undefined) {
      fields = { deviceId, object }
      objects.set(object, fields)
    }
    const at = `leaves.${leaf}.`
    fields[`${at}value`] = parameter.value
    if (parameter.type !== 'unknown') fields[`${at}type`] = parameter.type
    fields[`${at}source`] = parameter.source
    fields[`${at}collectedAt`] = parameter.collectedAt
    if (parameter.writable !== undefined) fields[`${at}writable`] = parameter.writable
  }
  return [...objects].map(([object, $set]) => {
    const _id = `${deviceId}|${object}`
    return {
      collection: 'parameters',
      mergeKey: _id,
      operation: { updateOne: { filter: { _id }, update: { $set }, upsert: true } },
    }
  })
}

/** Takes single leaves out of their objects. */
function dropLeafWrites(deviceId: string, paths: string[]): Write[] {
  const objects = new Map<string, Record<string, ''>>()
  for (const path of paths) {
    const { object, leaf } = splitLeaf(path)
    const $unset = objects.get(object) ?? {}
    $unset[`leaves.${leaf}`] = ''
    objects.set(object, $unset)
  }
  return [...objects].map(([object, $unset]) => ({
    collection: 'parameters',
    operation: { updateOne: { filter: { _id: `${deviceId}|${object}` }, update: { $unset } } },
  }))
}

function dropWrite(deviceId: string, prefix: string): Write {
  return { collection: 'parameters', operation: { deleteMany: { filter: subtreeFilter(deviceId, prefix) } } }
}

/** The objects at and below a path of a device; '' = all. */
export function subtreeFilter(
  deviceId: string,
  prefix: string,
): { deviceId: string; object: { $gte: string; $lt: string } } {
  return { deviceId, object: startingWith(prefix) }
}
