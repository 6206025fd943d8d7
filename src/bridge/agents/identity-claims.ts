import { join } from 'node:path'
import { AppError } from '../../base/index.ts'
import { readIfThere, writeDurably } from '../files/durable-file.ts'

/**
 * The rows that the Endpoint IDs of a bridge belong to, in a file. A router that states the serial number of another one
 * does not get its Agent, also when it is reached first after a restart.
 */
export class IdentityClaims {
  readonly #path: string
  /** Ids of rows, by Endpoint ID. */
  readonly #rows: Map<string, string>
  #stored: Promise<void> = Promise.resolve()

  private constructor(path: string, rows: Map<string, string>) {
    this.#path = path
    this.#rows = rows
  }

  /** Reads the file of a state folder. AppError `invalid` when it is damaged. */
  static async open(folder: string): Promise<IdentityClaims> {
    const path = join(folder, 'claims.json')
    const text = await readIfThere(path)
    try {
      return new IdentityClaims(path, new Map(Object.entries(JSON.parse(text ?? '{}') as Record<string, string>)))
    } catch {
      throw new AppError('invalid', `${path} cannot be read; remove it, and routers are known by their rows anew`)
    }
  }

  /**
   * Gives an Endpoint ID to a row, and takes from the row those that it had. Resolves, when that is durable, with
   * undefined; or with the id of the row that has the Endpoint ID, when `exists` returns true for it.
   */
  async claim(endpointId: string, rowId: string, exists: (rowId: string) => boolean): Promise<string | undefined> {
    const holder = this.#rows.get(endpointId)
    const isTaken = holder !== undefined && holder !== rowId && exists(holder)
    const others = [...this.#rows].filter(([other, row]) => row === rowId && other !== endpointId)
    if (!isTaken && holder === rowId && others.length === 0) return undefined
    for (const [other] of others) this.#rows.delete(other)
    if (!isTaken) this.#rows.set(endpointId, rowId)
    if (!isTaken || others.length > 0) await this.#store()
    return isTaken ? holder : undefined
  }

  /** Writes of the file follow each other; each has what is claimed when it begins. */
  #store(): Promise<void> {
    const write = () => writeDurably(this.#path, JSON.stringify(Object.fromEntries(this.#rows)))
    this.#stored = this.#stored.then(write, write)
    return this.#stored
  }
}
