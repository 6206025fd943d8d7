import type { NewEvent } from '../feed/event.ts'
import type { Page } from '../page.ts'
import type { MappingRowSet } from './row-set.ts'

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
  /** False when there is none. */
  delete(id: string, event: NewEvent): Promise<boolean>
}
