import { type InstanceNumbers, type NumberedRow, TableNumbers } from '../../src/bridge/model/instance-numbers.ts'

/** Instance numbers that are lost with the process. */
export class MemoryInstanceNumbers implements InstanceNumbers {
  readonly #tables = new Map<string, TableNumbers>()

  async numbersOf(rows: readonly NumberedRow[]): Promise<number[]> {
    return rows.map(({ table, key }) => {
      const numbers = this.#of(table)
      return numbers.use(key) ?? numbers.give(key)
    })
  }

  async rename({ table, key }: NumberedRow, to: string): Promise<void> {
    const numbers = this.#of(table)
    const number = numbers.use(key)
    if (number === undefined) return
    numbers.drop(key)
    numbers.put(to, number)
  }

  #of(table: string): TableNumbers {
    const numbers = this.#tables.get(table) ?? new TableNumbers()
    this.#tables.set(table, numbers)
    return numbers
  }
}
