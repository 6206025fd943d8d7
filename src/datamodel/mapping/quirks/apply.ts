import { splitLeaf } from '../../path.ts'
import type { BaseType } from '../../types.ts'
import { MappingRefusal, type RawValue } from '../transform.ts'
import type { RawLookup } from '../tree/raw-tree.ts'
import { inShownSpelling } from './boolean-form.ts'
import { matches, withInstancesOf } from './pattern.ts'
import type { BesideValue, ParameterQuirk, WriteQuirks } from './write-quirk.ts'

/** A value to write. `type` is the one that the device needs; absent: the one that it reports. */
type DeviceValue = RawValue & { type?: BaseType }

/** The writes of one request, as a device of its model takes them. */
export interface DeviceWrite {
  /** One SetParameterValues each, in this order. */
  steps: DeviceValue[][]
  /** Parameters whose write has its effect after the next boot. */
  afterBoot: string[]
  /** Parameters that are not sent, because the device takes no value for them. */
  omitted: string[]
}

/** Returns the type that the device reports for a parameter; undefined where it is not known. */
export type ReportedType = (path: string) => string | undefined

/**
 * Returns the writes of a request as the device takes them: in its types and spellings, in its order, with the values
 * that it needs beside them, and in as many SetParameterValues as it needs. A value that the request names itself goes
 * before one that is written along. Throws MappingRefusal for a write that the device is known to answer with a fault,
 * with the parameter to use instead where there is one.
 */
export function applyQuirks(
  values: readonly RawValue[],
  quirks: WriteQuirks,
  tree: RawLookup,
  reportedType: ReportedType = () => undefined,
): DeviceWrite {
  const asked = new Map(values.map(({ path, value }) => [path, value]))
  const written = new Set<string>()
  const result: DeviceWrite = { steps: [], afterBoot: [], omitted: [] }
  const together: DeviceValue[] = []
  const add = (path: string, value: string) => {
    if (written.has(path)) return
    written.add(path)
    const own = quirks.parameters.filter((quirk) => isFor(quirk, path, value))
    refuse(own, path)
    if (own.some(({ omit }) => omit === true)) {
      result.omitted.push(path)
      return
    }
    for (const beside of own.flatMap(({ before }) => before ?? [])) addBeside(beside, path, value)
    const type = reportedType(path)
    const spelling = inShownSpelling({ path, value }, type, tree.value(path))
    const device = inDeviceForm({ path, value: spelling }, own, type)
    if (own.some(({ reboot }) => reboot === true)) result.afterBoot.push(path)
    if (own.some(({ alone }) => alone === true)) result.steps.push([device])
    else together.push(device)
    for (const beside of own.flatMap(({ after }) => after ?? [])) addBeside(beside, path, value)
  }
  const addBeside = (beside: BesideValue, path: string, value: string) => {
    const place = splitLeaf(path).object + beside.param
    // A parameter that the device does not show is left out: one unknown name makes the whole request fail.
    if (tree.value(place) === undefined) return
    const wanted = asked.get(place) ?? valueBeside(beside, place, path, value, tree)
    if (wanted !== undefined) add(place, wanted)
  }
  for (const { path, value } of values) add(path, value)
  if (together.length > 0) result.steps.unshift(together)
  return result
}

function isFor({ on, values }: ParameterQuirk, path: string, value: string): boolean {
  return matches(on, path) && (values === undefined || values.includes(value))
}

function refuse(quirks: readonly ParameterQuirk[], path: string): void {
  for (const { refuses } of quirks) {
    if (refuses === undefined) continue
    const instead = refuses.instead === undefined ? undefined : withInstancesOf(refuses.instead, path)
    const advice = instead === undefined ? '' : `; write ${instead}`
    throw new MappingRefusal(
      `${path} cannot be written on this model (fault ${refuses.fault}): ${refuses.why}${advice}`,
      instead,
    )
  }
}

function valueBeside(
  beside: BesideValue,
  place: string,
  path: string,
  value: string,
  tree: RawLookup,
): string | undefined {
  if ('value' in beside) return beside.value
  if ('same' in beside) return value
  if ('free' in beside || 'lastOf' in beside) return undefined
  const shown = tree.value(place)?.trim()
  if (shown === undefined || shown === '')
    throw new MappingRefusal(`${path} is written with ${place} alone, which is empty on the device: write both`, place)
  return shown
}

const TRUE = new Set(['true', '1'])
const FALSE = new Set(['false', '0'])

/** Returns a value in the spelling and type that the device needs. */
function inDeviceForm(raw: RawValue, quirks: readonly ParameterQuirk[], reported: string | undefined): DeviceValue {
  let { value } = raw
  let type: BaseType | undefined
  for (const quirk of quirks) {
    value = quirk.spelling?.[value] ?? value
    type = quirk.type ?? type
    if (quirk.booleans !== undefined && reported === 'boolean') value = spelled(value, quirk.booleans)
  }
  return type === undefined ? { path: raw.path, value } : { path: raw.path, value, type }
}

function spelled(value: string, [whenTrue, whenFalse]: readonly [string, string]): string {
  const word = value.trim().toLowerCase()
  if (TRUE.has(word)) return whenTrue
  return FALSE.has(word) ? whenFalse : value
}
