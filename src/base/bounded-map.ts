/**
 * A map of at most `max` entries. A key that is set goes behind all others, and the entry that was set longest ago is
 * dropped.
 */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #max: number

  constructor(max: number) {
    super()
    this.#max = max
  }

  override set(key: K, value: V): this {
    this.delete(key)
    super.set(key, value)
    dropFirst(this, this.#max)
    return this
  }
}

/**
 * A set of at most `max` values. A value that is added goes behind all others, and the one that was added longest ago
 * is dropped.
 */
export class BoundedSet<T> extends Set<T> {
  readonly #max: number

  constructor(max: number) {
    super()
    this.#max = max
  }

  override add(value: T): this {
    this.delete(value)
    super.add(value)
    dropFirst(this, this.#max)
    return this
  }
}

function dropFirst<K>(
  entries: { size: number; keys(): IterableIterator<K>; delete(key: K): boolean },
  max: number,
): void {
  if (entries.size <= max) return
  const first = entries.keys().next()
  if (first.done !== true) entries.delete(first.value)
}
