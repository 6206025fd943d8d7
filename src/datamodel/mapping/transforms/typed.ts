import type { ModelParameter } from '../../model.ts'
import { type BaseType, checkType } from '../../types.ts'
import type { Transform } from '../transform.ts'
import { toSource } from './basics.ts'
import { BOOLEAN } from './booleans.ts'

/** Most numbers of devices: whole, short and without a sign. They are values of every number type. */
const USUAL = /^\d{1,9}$/

function ofNumber(type: BaseType): Transform {
  return {
    read: (raw) => (USUAL.test(raw) || checkType(type, raw) === undefined ? raw : undefined),
    write: (value, context) => toSource(context, value),
  }
}

function ofText(type: BaseType): Transform {
  return {
    read: (raw) => (checkType(type, raw) === undefined ? raw : undefined),
    write: (value, context) => toSource(context, value),
  }
}

const BY_TYPE: Readonly<Record<BaseType, Transform | undefined>> = {
  string: undefined,
  boolean: BOOLEAN,
  int: ofNumber('int'),
  unsignedInt: ofNumber('unsignedInt'),
  long: ofNumber('long'),
  unsignedLong: ofNumber('unsignedLong'),
  decimal: ofNumber('decimal'),
  dateTime: ofText('dateTime'),
  hexBinary: ofText('hexBinary'),
  base64: ofText('base64'),
}

/**
 * Returns the transform of a row that names none: the text is the same on both sides, but one that is no value of the
 * type in TR-181 is no reading, and booleans keep their spelling on each side. Undefined for texts and lists.
 */
export function typedTransform(parameter: ModelParameter | undefined): Transform | undefined {
  return parameter === undefined || parameter.facets.l !== undefined ? undefined : BY_TYPE[parameter.type]
}
