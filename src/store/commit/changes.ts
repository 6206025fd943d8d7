import {
  DEVICE_SORT_FIELDS,
  type DeviceChange,
  type DevicePatch,
  type FeedEvent,
  type NewEvent,
} from '../../domain/index.ts'
import { toDocument } from '../mongo/convert.ts'
import { MOVED_AT } from '../reads/paging.ts'
import { instanceMapWrite } from './instance-map-write.ts'
import { dropLeafWrites, dropWrites, newerParameterWrites, parameterWrites } from './parameter-writes.ts'
import type { Write, WriteSet } from './write-set.ts'

/** Fields that devices are sorted by and that may become anything. */
const MOVING: readonly (keyof DevicePatch)[] = ['manufacturer', 'model', 'softwareVersionKey']

/** The field of a record whose parts hold the times at which live facts were written last that lists are sorted by. */
export const FACTS_MOVED = 'factsMoved'
/** Returns the field with that time; undefined for a field that is no live fact. */
export function factMark(field: string): string | undefined {
  return /^(wan|optical|wifi|lan|system)\./.test(field) ? `${FACTS_MOVED}.${field.replace('.', '_')}` : undefined
}
const FACT_MARKS = new Map(
  DEVICE_SORT_FIELDS.flatMap((field) => {
    const mark = factMark(field)
    return mark === undefined ? [] : [[field as string, mark]]
  }),
)

/** Makes write sets of changes; one per store, because the ids of events must rise in the order of commits. */
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

  /**
   * Returns the writes of a device change, events included; listeners are called once it is journaled. `now` is stored
   * as updatedAt.
   */
  deviceSet(change: DeviceChange, now: number): WriteSet {
    const writes = deviceWrites(change, now)
    for (const prefix of change.dropSubtrees ?? []) writes.push(...dropWrites(change.deviceId, prefix))
    writes.push(...dropLeafWrites(change.deviceId, change.dropParameters ?? []))
    const parameters = change.onlyNewer === true ? newerParameterWrites : parameterWrites
    writes.push(...parameters(change.deviceId, change.parameters ?? []))
    if (change.instanceMap !== undefined) writes.push(instanceMapWrite(change.deviceId, change.instanceMap))
    const set = this.withEvents(writes, change.events ?? [])
    const onCommitted = () => {
      set.onCommitted?.()
      this.#onChanged(change)
    }
    return { ...set, canWait: change.canWait === true, onCommitted }
  }

  /** Returns a set of writes with events added; listeners are called once it is journaled. */
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
  if (MOVING.some((field) => Object.hasOwn($set, field))) $set[MOVED_AT] = now
  for (const field of [...Object.keys($set), ...(change.unset ?? [])]) {
    const mark = FACT_MARKS.get(field)
    if (mark !== undefined) $set[mark] = now
  }
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
      mustMatch: 'the device has changed since it was read, or does not exist: read it again',
    },
  ]
}
