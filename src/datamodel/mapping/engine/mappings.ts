import type { Model } from '../../model.ts'
import { DERIVED } from '../derived/all.ts'
import type { MappingRow } from '../row.ts'
import { TRANSFORMS } from '../transforms/index.ts'
import { type DeviceKind, holdsFor, vendorRows } from '../vendors/families.ts'
import { compileMapping, type Mapping } from './compile.ts'
import { standardRows } from './standard-rows.ts'

/** Rows that operators added for a kind of device, those that go first first, and a text that changes whenever they do. */
export interface AddedRows {
  version: string
  rows: readonly MappingRow[]
}

/** Most compiled mappings that are kept; a fleet has some twenty kinds of devices. One takes about 2 MB. */
const MAX_KEPT = 32

/** The compiled mappings of all kinds of devices; each is made when first asked for. */
export class Mappings {
  readonly #model: Pick<Model, 'parameter'>
  readonly #kept = new Map<string, Mapping>()

  constructor(model: Pick<Model, 'parameter'>) {
    this.#model = model
  }

  /**
   * Returns the mapping of a kind of device: the standard rows, those of its vendors, and the added ones. An added row
   * replaces those with the same source and target, and without a rank goes before all others of its target. Devices
   * whose rows are the same share one mapping.
   */
  of(kind: DeviceKind, added?: AddedRows): Mapping {
    const key = `${this.#keyOf(kind)} ${added === undefined ? '' : addedKey(kind, added)}`
    const known = this.#kept.get(key)
    this.#kept.delete(key)
    const mapping = known ?? this.#compile(kind, added?.rows ?? [])
    if (this.#kept.size >= MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value ?? '')
    this.#kept.set(key, mapping)
    return mapping
  }

  readonly #keys = new Map<string, string>()

  /** Names the rows of a kind: those for some models only decide which of several mappings of a family it is. */
  #keyOf(kind: DeviceKind): string {
    const name = JSON.stringify([kind.family, kind.models])
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    const vendors = vendorRows(kind)
    const own = vendors.filter(({ models }) => models !== undefined).map(nameOf)
    const key = JSON.stringify([kind.family, vendors.length, own])
    if (this.#keys.size >= MAX_KINDS) this.#keys.clear()
    this.#keys.set(name, key)
    return key
  }

  #compile(kind: DeviceKind, added: readonly MappingRow[]): Mapping {
    const own = added.filter((row) => holdsFor(row, kind)).map((row) => ({ ...row, rank: row.rank ?? 0 }))
    const replaced = new Set(own.map(nameOf))
    const others = [...standardRows(), ...vendorRows(kind)].filter((row) => !replaced.has(nameOf(row)))
    return compileMapping([...own, ...others], DERIVED, TRANSFORMS, this.#model, new Set(own))
  }
}

/** Most kinds whose rows are remembered; model names come from devices. */
const MAX_KINDS = 2_000

function nameOf({ from, to }: MappingRow): string {
  return `${from}>${to}`
}

/** Names added rows: those for some models or a family only decide which of several mappings it is. */
function addedKey(kind: DeviceKind, { version, rows }: AddedRows): string {
  const limited = rows.filter(({ models, family }) => models !== undefined || family !== undefined)
  return [version, ...limited.filter((row) => holdsFor(row, kind)).map(nameOf)].join(' ')
}
