import type { FlushResult } from '../../base/index.ts'
import { type CollectionName, rankOf } from '../mongo/collections.ts'
import { MARK } from '../mongo/convert.ts'
import type { BulkOperation, UpdateFilter } from '../mongo/mongoose.ts'
import { fieldsIn, type MergeableUpdate, merge } from './merge.ts'

/**
 * One write of a set. Every update that is no upsert carries `mustMatch`: finding nothing makes the whole set fail with
 * that text.
 */
export interface Write {
  collection: CollectionName
  operation: BulkOperation
  mustMatch?: string
  /** Bytes, where it may be much larger than others. */
  bytes?: number
  /**
   * Writes with the same key in one flush become one: later fields of `$set` and `$unset` win, those of `$inc` add up.
   * Only for such upserts.
   */
  mergeKey?: string
}

/** The writes of one caller: all of them are done, or none. */
export interface WriteSet {
  writes: Write[]
  /** It may wait some milliseconds for others while many are written. */
  canWait?: boolean
  /** Called once, when the set is journaled, before its caller goes on. */
  onCommitted?(): void
}

/** The document a write leaves its mark in, so that it can be seen afterwards whether the write was done. */
interface Witness {
  collection: CollectionName
  id: string
  mark: string
}

/** A set that was given its mark. */
export interface MarkedSet extends WriteSet {
  readonly mark: string
}

/** The end of the time in which a flush may begin something. */
export interface Over {
  readonly aborted: boolean
  /** Throws the reason once the time is over. */
  throwIfAborted(): void
}

/** Writes some sets, each as a whole. */
export interface SetWriter {
  /**
   * Resolves with the result of each, in order. Rejects when none was done: the server refuses them together, or is
   * away until the deadline. Begins nothing more once `over` is aborted: no caller waits for the result, and later
   * writes are sent.
   */
  write(sets: MarkedSet[], deadline: number, over: Over): Promise<FlushResult<void>[]>
}

export const DONE: FlushResult<void> = { ok: true, value: undefined }

/**
 * Collections whose writes need no mark, because doing them twice does no harm: parameters and their long values are
 * set or dropped, snapshots are put whole, events have ids of their own. Counters go with the marked member beside
 * them; where there are no transactions they are counted again at times.
 */
const REPEATABLE: CollectionName[] = ['parameters', 'largeValues', 'snapshots', 'planCounters', 'events']

export function isRepeatable(collection: CollectionName): boolean {
  return REPEATABLE.includes(collection)
}

/**
 * Puts the mark into every document that the set changes, unless it may be written twice. Throws for a write to no
 * known collection.
 */
export function markSet(set: WriteSet, mark: string): MarkedSet {
  for (const { collection, operation } of set.writes) {
    rankOf(collection)
    if (!isRepeatable(collection)) markWrite(operation, mark)
  }
  return { ...set, mark }
}

function markWrite(operation: BulkOperation, mark: string): void {
  if ('insertOne' in operation) Object.assign(operation.insertOne.document, { [MARK]: mark })
  else if ('replaceOne' in operation) Object.assign(operation.replaceOne.replacement, { [MARK]: mark })
  else if ('updateOne' in operation) {
    const update = operation.updateOne.update
    if (!Array.isArray(update)) update.$set = { ...update.$set, [MARK]: mark }
  }
}

/**
 * Returns the document that shows whether the set was done: its last marked document, else an event it appended.
 * Undefined: the set may be repeated.
 */
export function witnessOf(set: MarkedSet): Witness | undefined {
  const marked = set.writes.findLast(({ collection }) => !isRepeatable(collection))
  const write = marked ?? set.writes.find(({ collection }) => collection === 'events')
  const id = write === undefined ? undefined : idOf(write.operation)
  return write === undefined || id === undefined ? undefined : { collection: write.collection, id, mark: set.mark }
}

/** The `_id` that a write is about; undefined for a range. */
export function idOf(operation: BulkOperation): string | undefined {
  let id: unknown
  if ('insertOne' in operation) id = operation.insertOne.document._id
  else if ('updateOne' in operation) id = operation.updateOne.filter._id
  else if ('replaceOne' in operation) id = operation.replaceOne.filter._id
  else if ('deleteOne' in operation) id = operation.deleteOne.filter._id
  return typeof id === 'string' ? id : undefined
}

/** Fields of one write that many were merged into: more could be larger than a command may be. */
const MAX_MERGED_FIELDS = 10_000

/** The writes of all sets by collection, in order, those that can be made one merged. */
export function gather(sets: readonly WriteSet[]): Map<CollectionName, Write[]> {
  const byCollection = new Map<CollectionName, Write[]>()
  const merged = new Map<string, MergeableUpdate>()
  for (const set of sets) {
    for (const write of set.writes) {
      if (write.mergeKey !== undefined && 'updateOne' in write.operation) {
        const update = write.operation.updateOne.update as MergeableUpdate
        const earlier = merged.get(write.mergeKey)
        if (earlier !== undefined && fieldsIn(earlier) + fieldsIn(update) <= MAX_MERGED_FIELDS) {
          merge(earlier, update)
          continue
        }
        const whole: MergeableUpdate = {}
        merge(whole, update)
        merged.set(write.mergeKey, whole)
        push(byCollection, {
          ...write,
          operation: { updateOne: { ...write.operation.updateOne, update: whole as UpdateFilter } },
        })
      } else {
        // A parameter that is dropped here must not be written again by an earlier merged write.
        if (write.collection === 'parameters') merged.clear()
        push(byCollection, write)
      }
    }
  }
  return byCollection
}

function push(byCollection: Map<CollectionName, Write[]>, write: Write): void {
  const list = byCollection.get(write.collection)
  if (list === undefined) byCollection.set(write.collection, [write])
  else list.push(write)
}
