import { BoundedMap } from '../../base/index.ts'
import type { Collection } from '../mongo/mongoose.ts'

/** Documents between two bounds. */
const SIZE = 500
/** Age at which bounds are read again; documents that are inserted meanwhile only make windows larger. */
const MAX_AGE_MS = 600_000
const MAX_SCOPES = 50

/** A part of the ids of a scope: above one id, up to another, or to the end. */
interface IdWindow {
  above: string
  upTo?: string
}

/**
 * Cuts the documents with one value of a field into windows of ids, each of some hundred documents, for SecantusDB: it
 * reads and sorts all documents that match, whatever the limit, but it finds an id range beside the field by index. The
 * bounds are ids that existed some time ago: their choice does not change what the windows together hold.
 */
export class IdWindows {
  readonly #collection: Collection
  readonly #field: string
  readonly #now: () => number
  readonly #size: number
  readonly #bounds = new BoundedMap<string, { made: Promise<string[]>; at: number }>(MAX_SCOPES)

  /** The collection has an index over the field and the id. */
  constructor(collection: Collection, field: string, now: () => number, size = SIZE) {
    this.#collection = collection
    this.#field = field
    this.#now = now
    this.#size = size
  }

  /** The windows behind an id, in order; together they hold every document of the scope behind it. */
  async *behind(scope: string, id: string): AsyncGenerator<IdWindow> {
    let above = id
    for (const bound of await this.#boundsOf(scope)) {
      if (bound <= above) continue
      yield { above, upTo: bound }
      above = bound
    }
    yield { above }
  }

  #boundsOf(scope: string): Promise<string[]> {
    const known = this.#bounds.get(scope)
    const now = this.#now()
    if (known !== undefined && now >= known.at && now - known.at < MAX_AGE_MS) return known.made
    const made = this.#make(scope)
    this.#bounds.set(scope, { made, at: now })
    // The next request tries again.
    made.catch(() => this.#bounds.delete(scope))
    return made
  }

  async #make(scope: string): Promise<string[]> {
    const bounds: string[] = []
    const ids = this.#collection
      .find({ [this.#field]: scope }, { projection: { _id: 1 }, batchSize: 5000 })
      .sort({ _id: 1 })
    let count = 0
    for await (const { _id } of ids) if (++count % this.#size === 0) bounds.push(_id)
    return bounds
  }
}
