import { type DeviceMapping, MappingRefusal, planDelete } from '../../datamodel/index.ts'
import type { DeviceChange, NewEvent, ParameterWrite } from '../../domain/index.ts'
import { pacedEach } from '../tree/pace.ts'
import { mayBeMapped, OWN_ROOT, TR181 } from '../tree/paths.ts'
import { bringRows, isInRow } from '../tree/rows.ts'
import type { StoredTree } from '../tree/stored-tree.ts'

/** Mapped values that one event names. */
const MAX_NAMED = 8

/** Returns true for a change that brings or drops parameters that a row may know. */
export function touchesTree({ parameters = [], dropSubtrees = [], dropParameters = [] }: DeviceChange): boolean {
  return (
    parameters.some(({ path, from }) => from === undefined && mayBeMapped(path)) ||
    dropParameters.some(mayBeMapped) ||
    dropSubtrees.some((subtree) => subtree === '' || mayBeMapped(subtree))
  )
}

/** Returns the parameters of TR-181 that may change with these of the device. */
export async function targetsOf(mapping: DeviceMapping, paths: Iterable<string>): Promise<Set<string>> {
  const targets = new Set<string>()
  await pacedEach(paths, (path) => mapping.visitTargets(path, (_target, _row, to) => targets.add(to)))
  return targets
}

/** Returns true when rows come or go with a change, or when a value differs that decides what is behind a row. */
export async function decides(
  mapping: DeviceMapping,
  fresh: readonly ParameterWrite[],
  gone: readonly string[],
  tree: StoredTree,
): Promise<boolean> {
  return gone.some((path) => isInRow(mapping, path)) || (await bringRows(mapping, fresh, tree))
}

/** Returns the object of TR-098 that a row is; undefined where it is none by itself. */
export function objectOfRow(mapping: DeviceMapping, row: string, tree: StoredTree): string | undefined {
  try {
    const object = planDelete(mapping, row, tree)
    return object.startsWith(OWN_ROOT) ? object : undefined
  } catch (error) {
    if (error instanceof MappingRefusal) return undefined
    throw error
  }
}

/** Returns true for a source in a tree that is TR-181 itself: what it maps to may be shown by the device as well. */
export function isVendors(source: string | undefined): boolean {
  return source?.startsWith(TR181) === true
}

/** Returns true for a path that the device itself shows. */
export function isNative(tree: StoredTree, path: string): boolean {
  const stored = tree.parameter(path)
  return stored !== undefined && stored.from === undefined
}

/** Events of changed values with the parameters of TR-181 that show them; undefined where there are none. */
export function named(events: NewEvent[] | undefined, writes: readonly ParameterWrite[]): NewEvent[] | undefined {
  return events?.map((event) => {
    if (event.type !== 'parameter.changed') return event
    const own = writes.filter(({ from }) => from?.path !== undefined && from.path === event.data.path)
    if (own.length === 0) return event
    const mapped = own.slice(0, MAX_NAMED).map(({ path, value }) => ({ path, value: value.slice(0, 256) }))
    return { ...event, data: { ...event.data, mapped } }
  })
}
