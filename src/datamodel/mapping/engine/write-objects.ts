import { isTrue } from '../booleans.ts'
import type { RawValue } from '../transform.ts'
import type { RawLookup } from '../tree/raw-tree.ts'
import type { CompiledRow } from './compile.ts'
import type { DeviceMapping } from './device-mapping.ts'

/**
 * Parameters of TR-181 that choose the object whose test runs, and the table of TR-181 that they refer to: TR-098 has
 * one test for each line, Device:2 one with a reference.
 */
const SELECTORS = ['Device.DSL.Diagnostics.ADSLLineTest.', 'Device.ATM.Diagnostics.F5Loopback.']

/** Returns true for a parameter that chooses the object of a test: nothing is written for it on the device. */
export function isSelector(path: string): boolean {
  return SELECTORS.some((test) => path === `${test}Interface`)
}

/**
 * Returns those of several objects behind one row that a write goes to: for a radio the first enabled network, and all
 * of them where the device keeps them apart (they show different values); for a test the object that `Interface` of
 * the same request names, else the first.
 */
export function chooseObjects(
  { row, rest, target }: CompiledRow,
  objects: readonly string[],
  tree: RawLookup,
  request: readonly RawValue[],
  device: DeviceMapping,
): readonly string[] {
  const [first = ''] = objects
  if (objects.length < 2) return objects
  const selector = SELECTORS.find((test) => target.schema.startsWith(test))
  if (selector !== undefined) {
    const reference = request.find(({ path }) => path === `${selector}Interface`)?.value
    const named = reference === undefined ? [] : device.objectsOf(`${reference}.`, tree)
    return [objects.find((object) => named.includes(object)) ?? first]
  }
  // One object that keeps the old value would keep it in what all give together.
  if (row.agg === 'any' || row.agg === 'union') return objects
  if (row.agg === undefined) return [first]
  const values = new Set(objects.map((object) => tree.value(object + rest)))
  if (values.size > 1) return objects
  return [objects.find((object) => isTrue(tree.value(`${object}Enable`))) ?? first]
}
