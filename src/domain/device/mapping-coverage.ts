import type { Page } from '../page.ts'
import type { Timestamp } from '../timestamp.ts'
import type { Device } from './device.ts'

/** Paths of one model that are kept, and characters of a sample. */
const MAX_PATHS = 300
const MAX_SAMPLE = 64
const MAX_ID = 700

/** The result of mapping one whole tree, as a discovery read it. */
export interface CoverageNote {
  at: Timestamp
  /** Parameters of the tree, and those of them that are known under a path of TR-181. */
  parameters: number
  mapped: number
  /** Paths that no row maps. */
  unmapped: Iterable<string>
  /** Parameters that have a row and gave no value: their text was not decoded, or a condition does not hold. */
  silent: Iterable<{ path: string; value: string }>
}

/** Devices of one make, model, firmware and root, and how much of their trees is known under TR-181. */
export interface ModelCoverage {
  id: string
  manufacturer: string
  model: string
  softwareVersion: string
  root: string
  /** Trees that were counted; of a common model not every one is. */
  trees: number
  at: Timestamp
  /** Of the newest tree. */
  parameters: number
  mapped: number
  /** Paths with `{i}` for instance numbers, and the trees that had them; the most frequent ones. */
  unmapped: { path: string; trees: number }[]
  silent: { path: string; trees: number; sample: string }[]
}

/** The share of their trees that the mapping knows, by model and firmware, in bounded documents. */
export interface MappingCoverage {
  /** False for a tree that `note` leaves out: those of a common model are not all counted. */
  isDue(device: Device, at: Timestamp): boolean
  /** Adds a tree to the coverage of its model. */
  note(device: Device, note: CoverageNote): Promise<void>
  /** Pages in the order of make, model and firmware. */
  list(query: { limit: number; cursor?: string }): Promise<Page<ModelCoverage>>
}

/** Returns the id of the coverage that a device belongs to: devices of one firmware have one tree. */
export function coverageIdOf(device: Device): string {
  return Object.values(kindOf(device)).join('|').slice(0, MAX_ID)
}

function kindOf(device: Device): Pick<ModelCoverage, 'manufacturer' | 'model' | 'softwareVersion' | 'root'> {
  const { manufacturer, oui, model, productClass, softwareVersion = '', root = '' } = device
  return { manufacturer: manufacturer ?? oui, model: model ?? productClass, softwareVersion, root }
}

/** Returns the coverage with one more tree. */
export function coverageWith(before: ModelCoverage | undefined, device: Device, note: CoverageNote): ModelCoverage {
  const unmapped = new Map(before?.unmapped.map((row) => [row.path, row]))
  for (const path of new Set([...note.unmapped].map(patternOf)))
    unmapped.set(path, { path, trees: (unmapped.get(path)?.trees ?? 0) + 1 })
  const silent = new Map(before?.silent.map((row) => [row.path, row]))
  const samples = new Map([...note.silent].map(({ path, value }) => [patternOf(path), value.slice(0, MAX_SAMPLE)]))
  for (const [path, sample] of samples) silent.set(path, { path, sample, trees: (silent.get(path)?.trees ?? 0) + 1 })
  const { at, parameters, mapped } = note
  return {
    id: coverageIdOf(device),
    ...kindOf(device),
    trees: (before?.trees ?? 0) + 1,
    at,
    parameters,
    mapped,
    unmapped: mostFrequent(unmapped.values()),
    silent: mostFrequent(silent.values()),
  }
}

function patternOf(path: string): string {
  return path.replace(/\.\d+(?=\.)/g, '.{i}').slice(0, 256)
}

function mostFrequent<T extends { path: string; trees: number }>(rows: Iterable<T>): T[] {
  return [...rows].sort((a, b) => b.trees - a.trees || (a.path < b.path ? -1 : 1)).slice(0, MAX_PATHS)
}
