import { loadModel } from '../../model.ts'
import { rootOf } from '../../path.ts'
import { booleanIn, spelledAs } from '../booleans.ts'
import type { RawValue } from '../transform.ts'

/**
 * Returns the text of a boolean of the data model for a device that has another type for it, such as a string of 1 and 0:
 * in the spelling that it shows, else in digits. Any other value stays as it is.
 *
 * @param reported Type that the device reports for the parameter; undefined where it is not known.
 */
export function inShownSpelling({ path, value }: RawValue, reported: string | undefined, shown: string | undefined) {
  if (reported === undefined || reported === 'boolean' || reported === 'unknown' || !isBoolean(path)) return value
  const wanted = booleanIn(value)
  return wanted === undefined ? value : (spelledAs(wanted, shown) ?? (wanted ? '1' : '0'))
}

function isBoolean(path: string): boolean {
  const model = rootOf(path) === 'Device.' ? 'tr181-cwmp' : 'tr098'
  return loadModel(model).parameter(path)?.type === 'boolean'
}
