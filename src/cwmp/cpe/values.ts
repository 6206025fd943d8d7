import type { ParameterValue } from '../wire/index.ts'
import type { CpeModel } from './cpe-model.ts'

/** Returns a parameter as it is sent, with its XSD type; undefined when the model has no value for it. */
export function valueOnWire(model: CpeModel, path: string): ParameterValue | undefined {
  const value = model.get(path)
  if (value === undefined) return undefined
  const type = model.find(path)?.type ?? 'string'
  if (type !== 'boolean') return { name: path, value, type }
  return { name: path, value: value === 'true' ? '1' : '0', type }
}

/**
 * Returns true when a type on the wire can be that of the model: no type is accepted, and base64 has three names
 * (TR-069 A.2.1).
 */
export function sameXsdType(given: string, known: string): boolean {
  if (given === '' || given === 'anySimpleType' || given === known) return true
  if (known === 'base64') return given === 'base64Binary' || given === 'string'
  // A decimal is sent as a text too: Device:2 has no XSD type for it.
  return known === 'decimal' && given === 'string'
}
