import { parentOf, schemaPathOf } from '../../path.ts'
import type { RawValue } from '../transform.ts'
import { instancesOf, objectsOfTable, type RawLookup } from '../tree/raw-tree.ts'
import { outerTable } from '../tree/schema.ts'
import { applyQuirks, type DeviceWrite, type ReportedType } from './apply.ts'
import { isTableOf } from './pattern.ts'
import type { BesideValue, WriteQuirks } from './write-quirk.ts'

/** The writes after an AddObject, as devices of the model need them. */
interface NewObjectWrite extends DeviceWrite {
  /** Pause before the first write, in milliseconds. */
  pauseMs: number
  /** Tables below the object, one of which must get an object: without it the object is deleted again. */
  needs: string[]
}

/**
 * Returns the writes that follow an AddObject: those that are asked for, and those without which the object carries no
 * traffic on devices of its model, as far as objects of the same kind show that the device has them.
 */
export function planNewObject(
  object: string,
  values: readonly RawValue[],
  quirks: WriteQuirks,
  tree: RawLookup,
  reportedType?: ReportedType,
): NewObjectWrite {
  const own = quirks.objects.filter(({ on }) => isTableOf(on, object))
  const all = [...values]
  for (const beside of own.flatMap((quirk) => quirk.values ?? [])) {
    const path = object + beside.param
    if (all.some((value) => value.path === path) || !isShown(beside.param, object, tree)) continue
    const value = valueFor(beside, object, tree)
    if (value !== undefined) all.push({ path, value })
  }
  const order = own.flatMap((quirk) => quirk.order ?? []).map((name) => object + name)
  const ordered = [
    ...order.flatMap((path) => all.filter((value) => value.path === path)),
    ...all.filter(({ path }) => !order.includes(path)),
  ]
  const write = applyQuirks(ordered, quirks, tree, reportedType)
  return {
    ...write,
    pauseMs: Math.max(0, ...own.map(({ pauseMs }) => pauseMs ?? 0)),
    steps: own.some(({ oneByOne }) => oneByOne === true)
      ? write.steps.flatMap((step) => step.map((value) => [value]))
      : write.steps,
    needs: own.flatMap((quirk) => quirk.needs ?? []).map((table) => object + table),
  }
}

/** Returns true when the object, or another of the same table, shows the parameter. */
function isShown(param: string, object: string, tree: RawLookup): boolean {
  return [object, ...besides(object, tree)].some((other) => tree.value(other + param) !== undefined)
}

function valueFor(beside: BesideValue, object: string, tree: RawLookup): string | undefined {
  if ('value' in beside) return beside.value
  if ('lastOf' in beside) return instancesOf(tree, beside.lastOf).at(-1)?.slice(0, -1)
  if (!('free' in beside)) return tree.value(object + beside.param)
  const taken = new Set(besides(object, tree).map((other) => Number(tree.value(other + beside.param))))
  const [least, most] = beside.free
  for (let number = least; number <= most; number++) if (!taken.has(number)) return String(number)
  return undefined
}

/** Returns the other objects in the tables that lie where the table of an object lies, on the whole device. */
function besides(object: string, tree: RawLookup): string[] {
  const schema = schemaPathOf(object)
  const outer = outerTable(schema)
  const between = parentOf(parentOf(schema)).slice(outer.length)
  return objectsOfTable(tree, outer)
    .map((row) => row + between)
    .flatMap((parent) => tree.children(parent).flatMap((name) => instancesOf(tree, `${parent}${name}.`)))
    .filter((other) => other !== object)
}
