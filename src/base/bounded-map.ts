/**
 * A map of at most `max` entries. A key that is set goes behind all others, and the entry that was set longest ago is
 * dropped; `onDropped` gets it.
 */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #max: number
  readonly #oldest = new Oldest<K>(this)
  readonly #onDropped: ((key: K, value: V) => void) | undefined

  constructor(max: number, onDropped?: (key: K, value: V) => void) {
    super()
    this.#max = max
    this.#onDropped = onDropped
  }

  override set(key: K, value: V): this {
    this.delete(key)
    super.set(key, value)
    if (this.size <= this.#max) {
      this.#oldest.rest()
      return this
    }
    const first = this.#oldest.next()
    const dropped = this.#onDropped === undefined ? undefined : this.get(first)
    this.delete(first)
    if (dropped !== undefined) this.#onDropped?.(first, dropped)
    return this
  }
}

/**
 * A set of at most `max` values. A value that is added goes behind all others, and the one that was added longest ago
 * is dropped.
 */
export class BoundedSet<T> extends Set<T> {
  readonly #max: number
  readonly #oldest = new Oldest<T>(this)

  constructor(max: number) {
    super()
    this.#max = max
  }

  override add(value: T): this {
    this.delete(value)
    super.add(value)
    if (this.size <= this.#max) this.#oldest.rest()
    else this.delete(this.#oldest.next())
    return this
  }
}

/** Rests after which the place is given up: an iterator that stands still keeps all that the map has outgrown. */
const MAX_RESTS = 1000

/**
 * The oldest keys of a map or set, one after the other; each of them is deleted before the next one is asked for. One
 * iterator is kept for all of them: a new one would step over the places of all that was deleted before.
 */
class Oldest<K> {
  readonly #entries: { keys(): IterableIterator<K> }
  #keys: IterableIterator<K> | undefined
  #rests = 0

  constructor(entries: { keys(): IterableIterator<K> }) {
    this.#entries = entries
  }

  /** The oldest key of a map that is not empty. */
  next(): K {
    this.#rests = 0
    this.#keys ??= this.#entries.keys()
    const next = this.#keys.next()
    if (next.done !== true) return next.value
    // It was emptied meanwhile.
    this.#keys = undefined
    return this.next()
  }

  /** Nothing was to be dropped. */
  rest(): void {
    if (this.#keys !== undefined && ++this.#rests > MAX_RESTS) this.#keys = undefined
  }
}
