import { isDeepStrictEqual } from 'node:util'
import { type DeviceMapping, type InstanceMap, objectOf, scanObject } from '../../datamodel/index.ts'
import type { StoredTree } from '../tree/stored-tree.ts'
import { targetsOf } from './tree-changes.ts'

/** Returns the objects of the device that other rows stand for in the second map, and those that only one of them has. */
export function movedObjects(before: InstanceMap, after: InstanceMap): Set<string> {
  const moved = new Set<string>()
  if (before === after) return moved
  for (const table of new Set([...Object.keys(before.tables), ...Object.keys(after.tables)])) {
    const old = objectsByNumber(before, table)
    const now = objectsByNumber(after, table)
    for (const n of new Set([...old.keys(), ...now.keys()])) {
      const objects = [old.get(n) ?? [], now.get(n) ?? []]
      if (!isDeepStrictEqual(objects[0], objects[1])) for (const object of objects.flat()) moved.add(object)
    }
  }
  moved.delete('')
  return moved
}

function objectsByNumber({ tables }: InstanceMap, table: string): Map<number, readonly string[]> {
  return new Map((tables[table] ?? []).map(({ n, key, from = [key] }) => [n, from]))
}

/** A change of the tree that brings rows, takes them away or gives objects to other rows. */
interface Move {
  /** The mapping by which the stored values were made, and the present one. */
  before: DeviceMapping
  after: DeviceMapping
  /** The objects that differ between the two. */
  moved: ReadonlySet<string>
  /** Parameters of the device that the change brings and drops. */
  paths: readonly string[]
}

/**
 * Returns the parameters of TR-181 that may differ after a move: those of the rows in which the objects were and are, with
 * what is derived for these rows and for the device.
 */
export async function targetsMoved({ before, after, moved, paths }: Move, tree: StoredTree): Promise<Set<string>> {
  const inMoved = await tree.whenRead(() => [...moved].flatMap((object) => parametersAt(tree, object)))
  const all = [...new Set([...paths, ...inMoved])]
  const targets = await targetsOf(after, all)
  for (const target of await targetsOf(before, all)) targets.add(target)
  for (const object of rowsAround(all, moved))
    for (const mapping of [before, after]) for (const target of mapping.derivedOf(object)) targets.add(target)
  return targets
}

/** Returns the stored parameters at and below an object. */
function parametersAt(tree: StoredTree, object: string): string[] {
  return tree.children(object).flatMap((name) => {
    const found = tree.value(object + name) === undefined ? [] : [object + name]
    return [...found, ...parametersAt(tree, `${object}${name}.`)]
  })
}

/** Returns the rows of the device that parameters lie in, the moved objects, and '' for the device itself. */
function rowsAround(paths: readonly string[], moved: ReadonlySet<string>): Set<string> {
  const objects = new Set(['', ...moved])
  for (const path of paths) {
    const object = objectOf(path)
    for (const cut of scanObject(object).cuts) objects.add(object.slice(0, cut))
  }
  return objects
}
