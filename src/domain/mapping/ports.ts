import type { NewEvent } from '../feed/event.ts'
import type { DeviceId } from '../id.ts'
import type { Page } from '../page.ts'
import type { Timestamp } from '../timestamp.ts'
import type { MappingRowSet } from './row-set.ts'

/** The mapping again of stored trees after changes of rows: one run over all devices answers all changes before it. */
export interface Remapping {
  /** Number of changes so far. */
  wanted: number
  /** The value of `wanted` for which all devices were looked at. */
  done: number
  /** The value of `wanted` that the run under way, or the last one, answers. */
  run: number
  /** Devices of that run that were looked at, that were mapped again, and that could not be. */
  looked: number
  mapped: number
  failed: number
  /** Devices when it began. */
  total?: number
  /** The last device that was looked at. */
  after?: DeviceId
  startedAt?: Timestamp
  finishedAt?: Timestamp
}

/** The sets of rows in the database. Each change has an event, by which other instances hear of it. */
export interface MappingRowStore {
  /**
   * Inserts a set without `expectedRevision`, else replaces the one that has it. AppError `conflict` when it exists
   * already, has another revision, or its name is taken.
   */
  put(set: MappingRowSet, event: NewEvent, expectedRevision?: number): Promise<void>
  get(id: string): Promise<MappingRowSet | undefined>
  /** In the order of their ids. */
  list(limit: number, cursor?: string): Promise<Page<MappingRowSet>>
  /** Number of the sets. */
  count(): Promise<number>
  /** False when there is none. */
  delete(id: string, event: NewEvent): Promise<boolean>
  /** Returns the state of the work that changes leave: `put` and `delete` raise `wanted` in their own commit. */
  remapping(): Promise<Remapping>
  /** Stores all but `wanted`. */
  noteRemapping(work: Omit<Remapping, 'wanted'>): Promise<void>
  /** Raises `wanted` when the sets of files, named by a digest ('' for none), are others than those that were noted last. */
  noteFiles(digest: string): Promise<void>
}
