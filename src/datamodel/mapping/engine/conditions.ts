import { isFalse, isTrue } from '../booleans.ts'
import { IGD } from '../tree/linked.ts'
import { splitTable } from '../tree/pair.ts'
import { objectsBelow, type RawLookup } from '../tree/raw-tree.ts'
import { depthOf, scanObject } from '../tree/schema.ts'
import type { CompiledCondition } from './compile.ts'

/** Returns true when the condition of a row holds for one object. */
export function holds(compiled: CompiledCondition | undefined, object: string, tree: RawLookup): boolean {
  if (compiled === undefined) return true
  const { condition } = compiled
  const value = tree.value(besideOf(object, compiled))
  if (value === undefined) return condition.in === undefined
  const listed = (list: readonly string[]) =>
    list.includes(value) || (list.includes('true') && isTrue(value)) || (list.includes('false') && isFalse(value))
  if (condition.in !== undefined && !listed(condition.in)) return false
  return condition.notIn === undefined || !listed(condition.notIn)
}

/** Returns the path of the parameter of a condition, for one object. */
export function besideOf(object: string, { depth, rest }: CompiledCondition): string {
  if (depth === 0) return rest
  const { cuts } = scanObject(object)
  return object.slice(0, cuts[depth - 1] ?? object.length) + rest
}

/**
 * Returns the parameters that a derived one needs, for one object: `name` is relative to it, may have `{i}` for all
 * rows of a table below it, or is a full schema path of an object around it.
 */
export function neededPaths(object: string, name: string, tree: RawLookup): string[] {
  const { table, rest } = splitTable(name)
  if (name.startsWith(IGD)) {
    const { cuts } = scanObject(object)
    return [object.slice(0, cuts[depthOf(table) - 1] ?? 0) + rest]
  }
  return objectsBelow(tree, object, table).map((row) => row + rest)
}
