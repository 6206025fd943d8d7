import type { TransformContext } from '../transform.ts'
import type { Links } from '../tree/links.ts'
import { tableOfRow } from '../tree/links.ts'
import type { RawLookup } from '../tree/raw-tree.ts'
import { objectOf, scanObject } from '../tree/schema.ts'

/** The time at which values were read, and the values known from before. */
export interface ReadingTime {
  /** Milliseconds since 1970. */
  at: number
  /** Returns the time at which a value of the device's own tree was read; absent: all were read now. */
  readAt?(path: string): number
  /** Returns the time at which the device has last reported a boot; absent: not known. */
  bootAt?(): number | undefined
  /** Returns the reading of a TR-181 parameter before this one; it counts where it came from the same source. */
  previous?(path: string): PreviousReading | undefined
  /** Returns the value that the write which is planned gives a parameter of TR-181. */
  requested?(path: string): string | undefined
}

/** A TR-181 parameter as it was read before. */
interface PreviousReading {
  source?: string
  raw: string
  value: string
  at: number
}

/** The questions of a transform to the mapping of its device. */
export interface References {
  readonly links: Links
  readonly family: string | undefined
  /** Returns the row behind an object; with `below` the one in that table, also for an object further up. */
  rowOf(object: string, below: string | undefined): string | undefined
  objectsOf(row: string, tree: RawLookup): readonly string[]
  targetOfParameter(path: string): string | undefined
  sourceOfParameter(path: string, tree: RawLookup): string | undefined
  evaluate(path: string, tree: RawLookup, time: ReadingTime): { value: string } | undefined
}

/** The context of one reading or writing of one value. */
export class MappingContext implements TransformContext {
  readonly from: string
  readonly to: string
  readonly #device: References
  readonly #tree: RawLookup
  readonly #time: ReadingTime

  constructor(device: References, from: string, to: string, tree: RawLookup, time: ReadingTime) {
    this.from = from
    this.to = to
    this.#device = device
    this.#tree = tree
    this.#time = time
  }

  raw(path: string): string | undefined {
    return this.#tree.value(path)
  }

  mapped(path: string): string | undefined {
    return this.#device.evaluate(path, this.#tree, this.#time)?.value
  }

  requested(path: string): string | undefined {
    return this.#time.requested?.(path)
  }

  children(object: string): readonly string[] {
    return this.#tree.children(object)
  }

  once<T>(key: string, make: () => T): T {
    if (this.#tree.once === undefined) return make()
    const { links } = this.#device
    const kept = () => ({ links, value: make() })
    const made = this.#tree.once(key, kept)
    if (made.links === links) return made.value
    // The device has got rows since.
    return make()
  }

  targetOf(object: string, below?: string): string | undefined {
    return this.#device.rowOf(object.endsWith('.') ? object : `${object}.`, below)
  }

  sourcesOf(row: string): readonly string[] {
    return this.#device.objectsOf(row.endsWith('.') ? row : `${row}.`, this.#tree)
  }

  targetOfParameter(path: string): string | undefined {
    return this.#device.targetOfParameter(path)
  }

  sourceOfParameter(path: string): string | undefined {
    return this.#device.sourceOfParameter(path, this.#tree)
  }

  get position(): number {
    return this.#device.links.positionOf(rowOfParameter(this.to))
  }

  get family(): string | undefined {
    return this.#device.family
  }

  get previous(): PreviousReading | undefined {
    const before = this.#time.previous?.(this.to)
    return before?.source === undefined || before.source === this.from ? before : undefined
  }

  get at(): number {
    return this.#time.at
  }

  readAt(path: string): number {
    return this.#time.readAt?.(path) ?? this.#time.at
  }

  get bootAt(): number | undefined {
    return this.#time.bootAt?.()
  }
}

/** Returns the row that a parameter lies in: `Device.A.1.B.C` -> `Device.A.1.`; '' outside any table. */
function rowOfParameter(path: string): string {
  return path.slice(0, scanObject(objectOf(path)).cuts.at(-1) ?? 0)
}

/** Returns true when `row` is a row of the table `below`: `Device.IP.Interface.`, `Device.Bridging.Bridge.{i}.Port.`. */
export function isRowIn(row: string, below: string): boolean {
  return tableOfRow(row) === below || scanObject(row).schema === `${below}{i}.`
}
