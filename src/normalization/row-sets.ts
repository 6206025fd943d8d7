import { BoundedMap, errorText, type Lifecycle, type Log } from '../base/index.ts'
import type { AddedRows } from '../datamodel/index.ts'
import {
  type FeedEvent,
  MAX_ROW_SETS,
  type MappingRowSet,
  type MappingRowStore,
  rowsFor,
  type ScopeFacts,
} from '../domain/index.ts'

/** Kinds of devices whose rows are remembered; their names come from devices. */
const MAX_KINDS = 5_000
const PAGE = 100
/** Milliseconds after which a read of the sets that failed is repeated. */
const AGAIN_MS = 5_000

/**
 * The sets of rows that operators added, in memory: those of the database, which are read again when an event of any
 * instance says that one has changed, and those of files. Devices of one kind share the rows.
 */
export class RowSets implements Lifecycle {
  readonly name = 'mapping rows'
  readonly #store: Pick<MappingRowStore, 'list'>
  readonly #log: Log
  readonly #listeners = new Set<() => void>()
  readonly #byKind = new BoundedMap<string, AddedRows | undefined>(MAX_KINDS)
  #stored: readonly MappingRowSet[] = []
  #files: readonly MappingRowSet[]
  #reading: Promise<void> | undefined
  #order: Promise<void> = Promise.resolve()
  #isStale = false
  #again: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(store: Pick<MappingRowStore, 'list'>, log: Log, files: readonly MappingRowSet[] = []) {
    this.#store = store
    this.#log = log
    this.#files = files
  }

  /** The sets of files, in the order of their ids. */
  get files(): readonly MappingRowSet[] {
    return this.#files
  }

  start(): Promise<void> {
    return this.refresh()
  }

  /** Reads the sets of the database; rejects when they cannot be read. */
  refresh(): Promise<void> {
    // One after the other, so that none puts back what a later one has read.
    const read = this.#order.then(() => this.#read())
    this.#order = read.catch(() => undefined)
    return read
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#again)
    await this.#reading
  }

  /** Returns the rows of a device with these facts; undefined for none. The same object until a set changes. */
  rowsFor({ manufacturer, model, productClass, softwareVersion }: Partial<ScopeFacts>): AddedRows | undefined {
    const kind = JSON.stringify([manufacturer, model, productClass, softwareVersion])
    if (this.#byKind.has(kind)) return this.#byKind.get(kind)
    const facts = { manufacturer, model, productClass, softwareVersion }
    const rows = rowsFor([...this.#stored, ...this.#files], facts as Partial<ScopeFacts>)
    this.#byKind.set(kind, rows)
    return rows
  }

  /** Takes the sets of files that were read again. */
  useFiles(files: readonly MappingRowSet[]): void {
    this.#files = files
    this.#changed()
  }

  /** Takes an event of the feed, of this or another instance. */
  heed({ type }: Pick<FeedEvent, 'type'>): void {
    if (type === 'mappingRows.changed') this.#readAgain()
  }

  /** Calls the listener after each change of a set. */
  onChanged(listener: () => void): void {
    this.#listeners.add(listener)
  }

  #readAgain(): void {
    this.#isStale = true
    if (this.#reading !== undefined || this.#isStopped) return
    this.#reading = this.#readWhileStale().finally(() => {
      this.#reading = undefined
    })
  }

  async #readWhileStale(): Promise<void> {
    while (this.#isStale && !this.#isStopped) {
      this.#isStale = false
      try {
        await this.refresh()
      } catch (error) {
        this.#log.warn({ reason: errorText(error) }, 'mapping rows were not read; tried again')
        clearTimeout(this.#again)
        this.#again = setTimeout(() => this.#readAgain(), AGAIN_MS).unref()
        return
      }
    }
  }

  async #read(): Promise<void> {
    const sets: MappingRowSet[] = []
    for (let cursor: string | undefined, more = true; more && sets.length < MAX_ROW_SETS; more = cursor !== undefined) {
      const page = await this.#store.list(PAGE, cursor)
      sets.push(...page.items)
      cursor = page.next
    }
    this.#stored = sets.slice(0, MAX_ROW_SETS)
    this.#changed()
  }

  #changed(): void {
    this.#byKind.clear()
    for (const listener of this.#listeners) listener()
  }
}
