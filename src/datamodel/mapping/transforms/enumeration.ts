import { booleanIn } from '../booleans.ts'
import type { Transform } from '../transform.ts'
import { quoted, refusal, toSource } from './basics.ts'

/** One enumeration of the device's own tree and its values in TR-181. */
interface EnumerationRow {
  map: Readonly<Record<string, string>>
  /** Absent: the enumeration can only be read. */
  reverse?: Readonly<Record<string, string>>
  /** The value in TR-181 of a word that `map` does not have. */
  otherwise?: string
  /** A word that `map` does not have is no value. Absent: it passes as it is. */
  closed?: true
  /** A value that `reverse` does not have is written as it is. */
  open?: true
  /** The values in TR-181 are booleans: a write takes them in either spelling, and other words are no value. */
  boolean?: true
}

/** Returns the transform of an enumeration. A write keeps the device's own word where that means the value already. */
export function enumeration(row: EnumerationRow): Transform {
  const map = new Map(Object.entries(row.map))
  const lower = new Map(Object.entries(row.map).map(([word, value]) => [word.toLowerCase(), value]))
  const read = (raw: string) => {
    const word = raw.trim()
    const value = map.get(word) ?? (word.length > 64 ? undefined : lower.get(word.toLowerCase()))
    if (value !== undefined) return value
    if (word === '') return undefined
    return row.otherwise ?? (row.closed || row.boolean ? undefined : word)
  }
  if (row.reverse === undefined) return { read }
  const reverse = new Map(Object.entries(row.reverse))
  return {
    read,
    write(wanted, context) {
      const value = row.boolean ? String(booleanIn(wanted) ?? wanted) : wanted
      const shown = context.raw(context.from)
      if (shown !== undefined && read(shown) === value) return toSource(context, shown)
      const word = reverse.get(value) ?? (row.open ? value : undefined)
      if (word !== undefined) return toSource(context, word)
      const words = [...reverse.keys()].map(quoted).join(', ')
      throw refusal(context, `${quoted(value)} has no form on the device; write one of ${words}`)
    },
  }
}
