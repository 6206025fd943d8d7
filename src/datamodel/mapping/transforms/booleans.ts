import { booleanIn, spelled } from '../booleans.ts'
import type { Transform } from '../transform.ts'
import { quoted, refusal, type Theme, toSource } from './basics.ts'

/** Returns the transform of a boolean: any spelling reads, a write uses the spelling that the device shows. */
function boolean(inverted: boolean): Transform {
  return {
    read(raw) {
      const value = booleanIn(raw)
      return value === undefined ? undefined : String(value !== inverted)
    },
    write(value, context) {
      const wanted = booleanIn(value)
      if (wanted === undefined) throw refusal(context, `${quoted(value)} is no boolean; write true or false`)
      return toSource(context, spelled(wanted !== inverted, context.raw(context.from)))
    },
  }
}

/** A boolean as it is. */
export const BOOLEAN = boolean(false)

/** Booleans in the spellings of devices: `TRUE`, `1`, `Enable`; as they are, and inverted. */
export const BOOLEANS: Theme = {
  bool: BOOLEAN,
  boolNot: boolean(true),
  dhcpRelay: { read: BOOLEAN.read },
}
