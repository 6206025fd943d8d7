import type { Timestamp } from '../timestamp.ts'

/** A value of a parameter and the time at which it was read. */
export interface Reading {
  value: string
  at: Timestamp
}

/** Parameters of one device by path, as rows of tables and references between them. */
export class FactTree {
  readonly #readings: ReadonlyMap<string, Reading>

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
    const numbers = new Set<number>()
    for (const path of this.#readings.keys()) {
      if (!path.startsWith(table)) continue
      const dot = path.indexOf('.', table.length)
      const number = Number(path.slice(table.length, dot))
      if (dot > 0 && Number.isInteger(number) && number > 0) numbers.add(number)
    }
    return [...numbers].sort((a, b) => a - b).map((number) => `${table}${number}.`)
  }

  /** Returns false only where the parameter says so: of a device whose tree is half known, rows count. */
  isOn(path: string): boolean {
    return isOn(this.get(path))
  }

  /** Returns the objects that a list of references names, as paths with a dot. */
  references(path: string): string[] {
    return (this.get(path) ?? '').split(',').flatMap((text) => {
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

/** Returns false for a text that says no; an absent one says nothing. */
export function isOn(value: string | undefined): boolean {
  return value === undefined || /^(1|true)$/i.test(value.trim())
}
