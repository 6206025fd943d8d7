import type { ModelParameter } from '../../model.ts'
import { type BaseType, checkType } from '../../types.ts'
import { booleanIn } from '../booleans.ts'
import type { Transform } from '../transform.ts'
import { toSource } from './basics.ts'
import { BOOLEAN } from './booleans.ts'

/** Most numbers of devices: whole, short and without a sign. They are values of every number type. */
const USUAL = /^\d{1,9}$/
const NUMBERS: ReadonlySet<BaseType> = new Set(['int', 'unsignedInt', 'long', 'unsignedLong', 'decimal'])

/** Returns true for a text that is a value of a type. */
export function isValueOf(type: BaseType, text: string): boolean {
  return (NUMBERS.has(type) && USUAL.test(text)) || checkType(type, text) === undefined
}

/** Returns the reading of a row that names no transform; it needs nothing but the text. */
export function typedReading(type: BaseType | undefined, raw: string): string | undefined {
  if (type === undefined) return raw
  if (type === 'boolean') return booleanIn(raw)?.toString()
  return isValueOf(type, raw) ? raw : undefined
}

function typed(type: BaseType): Transform {
  return {
    read: (raw) => typedReading(type, raw),
    write: (value, context) => toSource(context, value),
  }
}

const BY_TYPE: Readonly<Record<BaseType, Transform | undefined>> = {
  string: undefined,
  boolean: BOOLEAN,
  int: typed('int'),
  unsignedInt: typed('unsignedInt'),
  long: typed('long'),
  unsignedLong: typed('unsignedLong'),
  decimal: typed('decimal'),
  dateTime: typed('dateTime'),
  hexBinary: typed('hexBinary'),
  base64: typed('base64'),
}

/** Returns the type of which a parameter of TR-181 has one value; undefined for texts and lists, and where it is not known. */
export function typeToCheck(parameter: ModelParameter | undefined): BaseType | undefined {
  const isText = parameter === undefined || parameter.type === 'string' || parameter.facets.l !== undefined
  return isText ? undefined : parameter.type
}

/**
 * Returns the transform of a row that names none: the text is the same on both sides, but one that is no value of the
 * type in TR-181 is no reading, and booleans keep their spelling on each side. Undefined for texts and lists.
 */
export function typedTransform(type: BaseType | undefined): Transform | undefined {
  return type === undefined ? undefined : BY_TYPE[type]
}
