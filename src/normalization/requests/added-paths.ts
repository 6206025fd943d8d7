import { isSearch } from '../../datamodel/index.ts'
import type { DeviceId, OperationRequest, ParameterStore } from '../../domain/index.ts'
import { searchBase } from './search-values.ts'

/** The paths of a request for a device whose own tree is TR-181 to which rows of its vendor add something. */
export interface AddedPaths {
  /** Parameters that the device does not show itself. */
  mapped: Set<string>
  /** Objects and search paths with such parameters below them; true: the device shows something there itself, too. */
  mixed: ReadonlyMap<string, boolean>
}

/** Verbs that read or write all that a path names. */
const OF_ALL: ReadonlySet<OperationRequest['verb']> = new Set(['get', 'set', 'instances', 'supported', 'subscribe'])
const PAGE = 2_000

/** Returns what rows of the vendor add to the paths of a request, by the record; undefined where they add nothing. */
export async function addedPaths(
  deviceId: DeviceId,
  verb: OperationRequest['verb'],
  paths: readonly string[],
  parameters: ParameterStore,
): Promise<AddedPaths | undefined> {
  const isMany = (path: string) => path.endsWith('.') || isSearch(path)
  const exact = await parameters.getMany(
    deviceId,
    paths.filter((path) => !isMany(path)),
  )
  const mapped = new Set(exact.flatMap(({ path, from }) => (from === undefined ? [] : [path])))
  const mixed = new Map<string, boolean>()
  for (const path of OF_ALL.has(verb) ? paths.filter(isMany) : []) {
    const below = await mappedBelow(deviceId, isSearch(path) ? searchBase(path) : path, parameters)
    if (below.mapped.length === 0) continue
    for (const parameter of below.mapped) mapped.add(parameter)
    mixed.set(path, below.showsSome)
  }
  return mapped.size === 0 ? undefined : { mapped, mixed }
}

async function mappedBelow(deviceId: DeviceId, object: string, parameters: ParameterStore) {
  const mapped: string[] = []
  let showsSome = false
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page = await parameters.list(deviceId, object, PAGE, cursor)
    for (const { path, from } of page.items)
      if (from === undefined) showsSome = true
      else mapped.push(path)
    cursor = page.next
  }
  return { mapped, showsSome }
}
