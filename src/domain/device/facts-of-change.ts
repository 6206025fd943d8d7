import { isDeepStrictEqual } from 'node:util'
import { sameValue, splitLeaf } from '../../datamodel/index.ts'
import { FactTree, type Reading } from '../facts/fact-tree.ts'
import { type FactDerivation, type FactFields, present } from '../facts/group.ts'
import { LAN } from '../facts/lan.ts'
import { FACT_GROUPS, type FactGroup, type LiveFactField, type LiveFactsPatch } from '../facts/live-facts.ts'
import { OPTICAL } from '../facts/optical.ts'
import { SYSTEM } from '../facts/system.ts'
import { WAN } from '../facts/wan.ts'
import { WIFI } from '../facts/wifi.ts'
import type { DeviceChange } from './change.ts'
import type { Device } from './device.ts'

/** Grows when the rules change: the facts of a record with another number are derived from all that is stored. */
export const FACTS_VERSION = 1

const DERIVATIONS: Readonly<Record<FactGroup, FactDerivation>> = {
  wan: WAN,
  optical: OPTICAL,
  wifi: WIFI,
  lan: LAN,
  system: SYSTEM,
}

/** The group that parameters below an object of `Device.` can bear on. */
const GROUP_OF: Readonly<Record<string, FactGroup>> = {
  PPP: 'wan',
  IP: 'wan',
  Routing: 'wan',
  NAT: 'wan',
  Ethernet: 'wan',
  Optical: 'optical',
  XPON: 'optical',
  WiFi: 'wifi',
  Hosts: 'lan',
  DeviceInfo: 'system',
}
const ROOT = 'Device.'

/** Returns the group of live facts that can depend on this parameter. */
function factGroupOf(path: string): FactGroup | undefined {
  if (!path.startsWith(ROOT)) return undefined
  const name = path.slice(ROOT.length, path.indexOf('.', ROOT.length))
  const group = Object.hasOwn(GROUP_OF, name) ? GROUP_OF[name] : undefined
  return group !== undefined && DERIVATIONS[group].bears(path) ? group : undefined
}

/** The tables (each with all below it) and the objects that the facts of a group are derived from. */
export function placesOf(group: FactGroup): Pick<FactDerivation, 'tables' | 'objects'> {
  return DERIVATIONS[group]
}

/** Returns true for a parameter that live facts can depend on. */
export function bearsOnFact(path: string): boolean {
  return factGroupOf(path) !== undefined
}

/** Returns true when a change may change live facts. */
export function bearsOnFacts({ create, parameters, dropSubtrees, dropParameters, facts }: DeviceChange): boolean {
  if (facts === 'later') return false
  return (
    facts === 'all' ||
    create !== undefined ||
    (parameters ?? []).some(({ path }) => bearsOnFact(path)) ||
    (dropParameters ?? []).some(bearsOnFact) ||
    (dropSubtrees ?? []).some((prefix) => droppedGroups(prefix).length > 0)
  )
}

function droppedGroups(prefix: string): FactGroup[] {
  return FACT_GROUPS.filter((group) => {
    const { tables, objects } = DERIVATIONS[group]
    return (
      tables.some((table) => table.startsWith(prefix) || prefix.startsWith(table)) ||
      objects.some((one) => one.startsWith(prefix))
    )
  })
}

/** The live facts that a change makes, as fields of the record. */
export interface FactsChange {
  set: LiveFactsPatch
  unset: LiveFactField[]
}

/** The parameters of a change that bear on one group. */
type Touched = Map<FactGroup, Map<string, Reading>>

function touchedBy({ parameters = [] }: DeviceChange): Touched {
  const touched: Touched = new Map()
  for (const { path, value, collectedAt } of parameters) {
    const group = factGroupOf(path)
    if (group === undefined) continue
    const readings = touched.get(group) ?? new Map<string, Reading>()
    readings.set(path, { value, at: collectedAt })
    touched.set(group, readings)
  }
  return touched
}

/**
 * Returns the facts that a change makes by itself, and the groups that are derived from the stored parameters beside
 * it. A report of the source of a fact needs no other parameter, and a value that is `stored` already makes nothing
 * new.
 */
export function factsOfChange(
  device: Device,
  change: DeviceChange,
  stored: ReadonlyMap<string, Reading> = new Map(),
): FactsChange & { groups: FactGroup[] } {
  const result: FactsChange & { groups: FactGroup[] } = { set: {}, unset: [], groups: [] }
  if (!bearsOnFacts(change)) return result
  if (change.facts === 'all' || device.factsVersion !== FACTS_VERSION) return { ...result, groups: [...FACT_GROUPS] }
  const dropped = new Set((change.dropSubtrees ?? []).flatMap(droppedGroups))
  for (const path of change.dropParameters ?? []) {
    const group = factGroupOf(path)
    if (group !== undefined) dropped.add(group)
  }
  const touched = touchedBy(change)
  for (const group of FACT_GROUPS) {
    const readings = touched.get(group)
    if (dropped.has(group)) result.groups.push(group)
    else if (readings !== undefined) {
      const before = fieldsIn(device, group)
      const after = afterReports(DERIVATIONS[group], readings, before, stored)
      if (after === undefined) result.groups.push(group)
      else addChange(result, group, before, after)
    }
  }
  return result
}

/** Returns the fields of a group after reports of sources; undefined where other parameters decide. */
function afterReports(
  derivation: FactDerivation,
  readings: ReadonlyMap<string, Reading>,
  before: FactFields,
  stored: ReadonlyMap<string, Reading>,
): FactFields | undefined {
  const sources = typeof before.sources === 'object' && !Array.isArray(before.sources) ? before.sources : {}
  let after = before
  const left = new Set(readings.keys())
  // In the order of the facts: a state stands before the time since which it holds.
  for (const [fact, path] of Object.entries(sources)) {
    const reading = readings.get(path)
    if (reading === undefined) continue
    left.delete(path)
    // The same time since which something holds is another one later.
    if (fact !== 'upSince' && isSame(stored.get(path), reading)) continue
    const fields = derivation.take(fact, reading, after)
    if (fields === undefined) return undefined
    after = { ...after, ...fields }
  }
  for (const path of left) {
    const reading = readings.get(path)
    if (reading === undefined || isSame(stored.get(path), reading)) continue
    if (derivation.matters(path, reading, before)) return undefined
  }
  return after
}

/** One protocol says `true` for what the other one calls `1`. */
function isSame(stored: Reading | undefined, reading: Reading): boolean {
  return stored !== undefined && sameValue('boolean', stored.value, reading.value)
}

/** Returns the objects whose parameters a change brings that bear on these groups. */
export function objectsTouched(change: DeviceChange, groups: readonly FactGroup[]): string[] {
  const touched = touchedBy(change)
  const paths = groups.flatMap((group) => [...(touched.get(group)?.keys() ?? [])])
  return [...new Set(paths.map((path) => splitLeaf(path).object))]
}

/** Returns the facts of these groups by the stored parameters as the change leaves them. */
export function factsOfTree(
  device: Device,
  change: DeviceChange,
  groups: readonly FactGroup[],
  stored: ReadonlyMap<string, Reading>,
): FactsChange {
  const readings = new Map(stored)
  const gone = new Set(change.dropParameters ?? [])
  const subtrees = change.dropSubtrees ?? []
  if (gone.size + subtrees.length > 0)
    for (const path of stored.keys())
      if (gone.has(path) || subtrees.some((prefix) => path.startsWith(prefix))) readings.delete(path)
  for (const reported of touchedBy(change).values()) for (const [path, reading] of reported) readings.set(path, reading)
  const tree = new FactTree(readings)
  const result: FactsChange = { set: {}, unset: [] }
  for (const group of groups) {
    const before = fieldsIn(device, group)
    addChange(result, group, before, DERIVATIONS[group].derive(tree, before))
  }
  return result
}

function fieldsIn(device: Device, group: FactGroup): FactFields {
  return { ...device[group] }
}

function addChange({ set, unset }: FactsChange, group: FactGroup, before: FactFields, after: FactFields): void {
  const kept = present(after)
  const changed: Record<string, unknown> = set
  for (const [fact, value] of Object.entries(kept))
    if (!isDeepStrictEqual(before[fact], value)) changed[`${group}.${fact}`] = value
  for (const fact of Object.keys(before))
    if (!Object.hasOwn(kept, fact)) unset.push(`${group}.${fact}` as LiveFactField)
}
