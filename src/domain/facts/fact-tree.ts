import { booleanIn } from '../../datamodel/index.ts'
import type { Timestamp } from '../timestamp.ts'

/** A value of a parameter and the time at which it was read. */
export interface Reading {
  value: string
  at: Timestamp
}

/** Parameters of one device by path, as rows of tables and references between them. */
export class FactTree {
  readonly #readings: ReadonlyMap<string, Reading>
  /** The numbers of the rows of each table, once they are asked for. */
  #numbers: Map<string, Set<number>> | undefined

  constructor(readings: ReadonlyMap<string, Reading>) {
    this.#readings = readings
  }

  at(path: string): Reading | undefined {
    return this.#readings.get(path)
  }

  get(path: string): string | undefined {
    return this.#readings.get(path)?.value
  }

  /** Returns the rows of a table (its path ends in a dot) in the order of their numbers, as paths with a dot. */
  rows(table: string): string[] {
    this.#numbers ??= numbersIn(this.#readings.keys())
    return [...(this.#numbers.get(table) ?? [])].sort((a, b) => a - b).map((number) => `${table}${number}.`)
  }

  /** Returns false only where the parameter says so: of a device whose tree is half known, rows count. */
  isOn(path: string): boolean {
    return isOn(this.get(path))
  }

  /** Returns the objects that a list of references names, as paths with a dot; of a long list the first ones. */
  references(path: string): string[] {
    const list = (this.get(path) ?? '').slice(0, MAX_REFERENCES)
    return list.split(',').flatMap((text) => {
      const bare = text.trim().replace(/\.$/, '')
      return bare === '' ? [] : [`${bare}.`]
    })
  }

  /** Returns an interface and all below it by `LowerLayers`, nearest first. */
  layers(path: string): string[] {
    const found = new Set([path])
    for (const layer of found) {
      if (found.size > MAX_LAYERS) break
      for (const lower of this.references(`${layer}LowerLayers`)) found.add(lower)
    }
    return [...found]
  }
}

const MAX_LAYERS = 32
/** Characters of a list of references. */
const MAX_REFERENCES = 1_024

function numbersIn(paths: Iterable<string>): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>()
  for (const path of paths)
    for (let start = path.indexOf('.') + 1; start > 0; start = path.indexOf('.', start) + 1) {
      const end = path.indexOf('.', start)
      const number = end < 0 ? Number.NaN : Number(path.slice(start, end))
      if (!Number.isInteger(number) || number <= 0) continue
      const table = path.slice(0, start)
      const numbers = found.get(table)
      if (numbers === undefined) found.set(table, new Set([number]))
      else numbers.add(number)
    }
  return found
}

/** Returns false for a text that says no; an absent one says nothing. */
export function isOn(value: string | undefined): boolean {
  return value === undefined || booleanIn(value) === true
}
