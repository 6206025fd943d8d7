import { type AddedRows, type MappingRow, versionKey } from '../../datamodel/index.ts'
import type { Device } from '../device/device.ts'
import type { Selector } from '../device/selector.ts'
import type { Timestamp } from '../timestamp.ts'

/** Most sets of rows, and most rows of one set: every instance holds all of them. */
export const MAX_ROW_SETS = 500
export const MAX_ROWS = 200

/** Versions of firmware in their natural order (1.10 after 1.9), as devices write them. */
interface FirmwareRange {
  /** The first version; absent: from the first one on. */
  from?: string
  /** The first version that is not in it; absent: no end. */
  before?: string
}

/** The devices that have a set of rows: all conditions that are given hold. Names are as the record shows them. */
export interface MappingScope {
  manufacturer?: string
  model?: string
  productClass?: string
  firmware?: FirmwareRange
}

/** Rows that an operator adds to the mapping of some devices. They go before those of Isthmus. */
export interface MappingRowSet {
  id: string
  /** Unique among all sets. */
  name: string
  /** The reason to have it, for those who read it later. */
  reason: string
  scope: MappingScope
  rows: MappingRow[]
  revision: number
  createdAt: Timestamp
  updatedAt: Timestamp
  /** The file that it stands in, which alone can change it; absent: it is in the database. */
  file?: string
}

/** The facts of a device on which its sets of rows depend. */
export type ScopeFacts = Pick<Device, 'manufacturer' | 'model' | 'productClass' | 'softwareVersion'>

/** Returns true when a device with these facts has the rows of a scope. */
export function isInScope({ firmware, ...names }: MappingScope, facts: Partial<ScopeFacts>): boolean {
  if (names.manufacturer !== undefined && names.manufacturer !== facts.manufacturer) return false
  if (names.model !== undefined && names.model !== facts.model) return false
  if (names.productClass !== undefined && names.productClass !== facts.productClass) return false
  if (firmware === undefined) return true
  if (facts.softwareVersion === undefined) return false
  const own = versionKey(facts.softwareVersion)
  if (firmware.from !== undefined && own < versionKey(firmware.from)) return false
  return firmware.before === undefined || own < versionKey(firmware.before)
}

/** Returns the devices of a scope as a query: all devices for an empty one. */
export function scopeSelector({ firmware, ...names }: MappingScope): Selector {
  const and: Selector[] = []
  for (const field of ['manufacturer', 'model', 'productClass'] as const) {
    const name = names[field]
    if (name !== undefined) and.push({ field, operator: 'in', values: [name] })
  }
  if (firmware?.from !== undefined) and.push({ field: 'softwareVersion', operator: '>=', values: [firmware.from] })
  if (firmware?.before !== undefined) and.push({ field: 'softwareVersion', operator: '<', values: [firmware.before] })
  return { and }
}

/**
 * Returns the rows of all sets that a device has, as its mapping takes them; undefined for none. Of two sets the one
 * whose scope says more goes first, else one of the database before one of a file, else the newer one. A row that
 * another set before it has, with the same source, target and family, is left out.
 */
export function rowsFor(sets: Iterable<MappingRowSet>, facts: Partial<ScopeFacts>): AddedRows | undefined {
  const own = [...sets].filter(({ scope }) => isInScope(scope, facts)).sort(byWeight)
  if (own.length === 0) return undefined
  const rows = new Map<string, MappingRow>()
  for (const row of own.flatMap((set) => set.rows)) {
    const key = `${row.from}>${row.to}>${row.family ?? ''}`
    if (!rows.has(key)) rows.set(key, row)
  }
  return { version: own.map(({ id, revision }) => `${id}.${revision}`).join(' '), rows: [...rows.values()] }
}

function byWeight(a: MappingRowSet, b: MappingRowSet): number {
  const weight = weightOf(b.scope) - weightOf(a.scope)
  if (weight !== 0) return weight
  // Times of files differ from machine to machine.
  if (a.file !== undefined || b.file !== undefined)
    return Number(a.file !== undefined) - Number(b.file !== undefined) || (a.id < b.id ? -1 : 1)
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)
}

function weightOf(scope: MappingScope): number {
  return Object.values(scope).filter((value) => value !== undefined).length
}
