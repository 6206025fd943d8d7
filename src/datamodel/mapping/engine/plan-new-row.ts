import { sameParameterValue } from '../../model.ts'
import { MappingRefusal } from '../transform.ts'
import { scanObject } from '../tree/schema.ts'
import type { CompiledTarget } from './compile.ts'
import type { DeviceMapping } from './device-mapping.ts'

/**
 * Throws MappingRefusal for a value of a new row that has no way to the device, whatever the new object shows: such a row
 * is refused before the object is made in `ownTable` (planAdd). Anything that depends on the object is judged when it is
 * there (planWrite).
 */
export function checkNewRow(
  device: DeviceMapping,
  table: string,
  values: Readonly<Record<string, string>>,
  ownTable: string,
): void {
  const own = `${scanObject(ownTable).schema}{i}.`
  for (const [name, value] of Object.entries(values)) {
    const path = `${table}{i}.${name}`
    // Any number will do: rows are found by their schema.
    const { target } = device.find(`${table}1.${name}`)
    if (target === undefined) throw new MappingRefusal(`${path} has no place in the device's own tree`)
    if (hasWay(device, target)) continue
    const derived = target.derived.filter(({ spec }) => spec.from === own)
    const isOpen = derived.some(
      ({ spec: { always } }) =>
        always === undefined || sameParameterValue(target.parameter, typeOf(target), always, value),
    )
    if (isOpen) continue
    const always = derived[0]?.spec.always
    throw new MappingRefusal(
      always === undefined
        ? `${path} has no place in the device's own tree that can be written`
        : `${path} is always ${JSON.stringify(always)} on this device and cannot be written; leave it out`,
    )
  }
}

/** Returns true when a row that holds for the device writes the parameter. */
function hasWay(device: DeviceMapping, { rows }: CompiledTarget): boolean {
  return rows.some((compiled) => {
    if (!device.applies(compiled) || compiled.row.copy === true) return false
    return compiled.transform === undefined || compiled.transform.write !== undefined
  })
}

function typeOf({ parameter }: CompiledTarget): string {
  return parameter?.type ?? 'string'
}
