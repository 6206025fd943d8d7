/** A row of a table by its natural key. `table` is the full path with the instance numbers above it. */
export interface NumberedRow {
  readonly table: string
  readonly key: string
}

/**
 * Instance numbers of the rows of one router. A natural key has its number until it is forgotten; a number is never
 * given to another key.
 */
export interface InstanceNumbers {
  /**
   * Resolves with the numbers of rows, in order; those that have none get one. A number is durable when it is given.
   * Rejects when it cannot be made durable.
   */
  numbersOf(rows: readonly NumberedRow[]): Promise<readonly number[]>
  /** Gives the number of a row to another key of its table: the row was changed in its key. */
  rename(row: NumberedRow, key: string): Promise<void>
}

/** A number that was given, as it is stored. */
export interface GivenNumber extends NumberedRow {
  readonly number: number
}

/** Natural keys that a table keeps in mind. */
const MAX_KEYS = 2048

/** The numbers of one table. Keys are in the order in which they were last used. */
export class TableNumbers {
  readonly #numbers = new Map<string, number>()
  readonly #keys = new Map<number, string>()
  #next = 1

  /** Returns the number of a key, which counts as used. */
  use(key: string): number | undefined {
    const number = this.#numbers.get(key)
    if (number === undefined) return undefined
    this.#numbers.delete(key)
    this.#numbers.set(key, number)
    return number
  }

  /** Gives the next number to a key. */
  give(key: string): number {
    const number = this.#next
    this.put(key, number)
    return number
  }

  /** Gives a key its number, which no other key has from then on; no number up to it is given later. */
  put(key: string, number: number): void {
    const other = this.#keys.get(number)
    if (other !== undefined) this.#numbers.delete(other)
    this.drop(key)
    this.#numbers.set(key, number)
    this.#keys.set(number, key)
    this.skip(number)
  }

  /** Gives no number up to this one. */
  skip(number: number): void {
    this.#next = Math.max(this.#next, number + 1)
  }

  /** Forgets a key; returns its number, which no other key gets. */
  drop(key: string): number | undefined {
    const number = this.#numbers.get(key)
    this.#numbers.delete(key)
    if (number !== undefined) this.#keys.delete(number)
    return number
  }

  /**
   * Returns the keys that were not used for longest, where there are too many: those of tables that change much, such
   * as stations and hosts. They get a new number when they come again.
   */
  surplus(inUse: number): readonly string[] {
    const count = this.#numbers.size - Math.max(MAX_KEYS, inUse)
    return count <= 0 ? [] : [...this.#numbers.keys()].slice(0, count)
  }

  /** The highest number that was given. */
  get last(): number {
    return this.#next - 1
  }

  entries(): Iterable<[string, number]> {
    return this.#numbers
  }
}
