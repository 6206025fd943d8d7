import { type Clock, defined } from '../../base/index.ts'
import { familyOf, type MappedValue, mapTreeWork, RawTree } from '../../datamodel/index.ts'
import {
  bootstrapOf,
  type CoverageNote,
  type Device,
  type DeviceChange,
  type DeviceId,
  type Parameter,
  type ParameterStore,
  type ParameterWrite,
} from '../../domain/index.ts'
import type { DeviceMaps, MappedDevice } from '../tree/device-maps.ts'
import { paced, pacedEach } from '../tree/pace.ts'
import { OWN_ROOT } from '../tree/paths.ts'
import { mappedWrite, readingTime } from '../tree/readings.ts'

/** Parameters of one page of a tree. */
const PAGE = 2_000
/** Age at which an equal value is written again, so that its stored time is right to a day. */
const EQUAL_FOR_MS = 86_400_000

/** The result of mapping a whole tree: the mapping, and what the record has to change for it. */
interface WholeReading {
  device: MappedDevice
  parameters: ParameterWrite[]
  dropParameters: string[]
  /** The share of the own tree that rows know. */
  coverage: CoverageNote
}

/** The parts of a change that are about the tree. */
export type TreeChange = Pick<DeviceChange, 'parameters' | 'dropSubtrees' | 'dropParameters' | 'tree' | 'set'>

/** The facts of a record on which its mapping depends. */
type MappedFacts = Pick<Device, 'id' | 'manufacturer' | 'model' | 'productClass' | 'softwareVersion' | 'cwmp' | 'root'>

/** The facts by which rows of operators are chosen. */
export function scopeFacts({ manufacturer, model, productClass, softwareVersion }: Omit<MappedFacts, 'id'>) {
  return defined({ manufacturer, model, productClass, softwareVersion })
}

/**
 * Maps the whole stored tree of a device, with the values of `change` in it and without what that drops. The numbers of
 * its rows and its vendor family are found again, and stored; those of a device of which the change knows the tree, and
 * that has no mapping yet, are to be stored with the change. The event loop is shared with others meanwhile.
 */
export async function mapWhole(
  record: MappedFacts,
  change: TreeChange,
  { parameters, maps, clock }: { parameters: ParameterStore; maps: DeviceMaps; clock: Clock },
): Promise<WholeReading> {
  const { own, mapped } = await treeOf(record.id, change, parameters)
  const tree = new RawTree([])
  await pacedEach(own.values(), ({ path, value }) => tree.put(path, value))
  const models = [...new Set([record.model ?? '', record.productClass])].filter((name) => name !== '')
  const family = familyOf(tree.values.keys())
  const bootstrapAt = bootstrapOf(record)
  const facts = scopeFacts(record)
  const kind = { models, bootstrapAt, facts, ...(family === undefined ? {} : { family }) }
  const device = change.tree === undefined ? await maps.build(record.id, tree, kind) : maps.first(tree, kind)
  const now = clock.now()
  const readable = {
    readAt: (path: string) => own.get(path)?.collectedAt,
    parameter: (path: string) => mapped.get(path) ?? own.get(path),
  }
  const bootAt = change.set?.['cwmp.lastBootAt'] ?? record.cwmp?.lastBootAt
  const work = mapTreeWork(
    device.mapping,
    tree,
    readingTime(readable, now, () => bootAt),
  )
  const { values, unmapped, silent } = await paced(work)
  const coverage: CoverageNote = {
    at: now,
    parameters: own.size,
    mapped: own.size - unmapped.length - silent.length,
    unmapped,
    // An empty text has no value to decode.
    silent: silent.flatMap((path) => ({ path, value: own.get(path)?.value ?? '' })).filter(({ value }) => value !== ''),
  }
  return { device, ...differences(values, { own, mapped, root: record.root }, now), coverage }
}

type Stored = Pick<Parameter, 'path' | 'value' | 'collectedAt' | 'from'>

interface Tree {
  own: Map<string, Stored>
  mapped: Map<string, Parameter>
}

async function treeOf(
  deviceId: DeviceId,
  { parameters: fresh = [], dropSubtrees = [], dropParameters = [], tree }: TreeChange,
  store: ParameterStore,
): Promise<Tree> {
  const own = new Map<string, Stored>()
  const mapped = new Map<string, Parameter>()
  const single = new Set(dropParameters)
  const keep = ({ path, value, collectedAt }: Stored) => {
    if (!single.has(path) && !dropSubtrees.some((subtree) => path.startsWith(subtree)))
      own.set(path, { path, value, collectedAt })
  }
  if (tree !== undefined) await pacedEach(tree.parameters, keep)
  for (let cursor: string | undefined, more = tree === undefined; more; more = cursor !== undefined) {
    const page = await store.list(deviceId, '', PAGE, cursor)
    for (const parameter of page.items)
      if (parameter.from === undefined) keep(parameter)
      else mapped.set(parameter.path, parameter)
    cursor = page.next
  }
  for (const { path, value, collectedAt, from } of fresh)
    if (from === undefined) own.set(path, { path, value, collectedAt })
  return { own, mapped }
}

function differences(
  values: readonly MappedValue[],
  { own, mapped, root }: Tree & { root: Device['root'] | undefined },
  now: number,
): { parameters: ParameterWrite[]; dropParameters: string[] } {
  const parameters: ParameterWrite[] = []
  const left = new Set(mapped.keys())
  for (const value of values) {
    const write = mappedWrite(value, own.get(value.source ?? '')?.collectedAt ?? now)
    if (write === undefined) continue
    // A value that the device itself shows under this path is nearer to it.
    const shown = own.get(value.path)
    if (shown !== undefined && (root !== OWN_ROOT || isNewer(shown, write))) continue
    left.delete(write.path)
    if (!isKnown(write, mapped.get(write.path), now)) parameters.push(write)
  }
  return { parameters, dropParameters: [...left] }
}

/**
 * Returns true for a value of the USP Agent of a TR-098 device that is newer than what its own tree shows: the Agent may
 * speak no longer.
 */
function isNewer(shown: Stored, mapped: ParameterWrite): boolean {
  return shown.collectedAt >= mapped.collectedAt
}

function isKnown(write: ParameterWrite, stored: Parameter | undefined, now: number): boolean {
  if (stored === undefined) return false
  return (
    write.value === stored.value &&
    write.type === stored.type &&
    write.from?.path === stored.from?.path &&
    write.from?.value === stored.from?.value &&
    now - stored.collectedAt < EQUAL_FOR_MS
  )
}
