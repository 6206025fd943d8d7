const TRUE = new Set(['1', 'true', 'enable', 'enabled', 'on', 'yes'])
const FALSE = new Set(['0', 'false', 'disable', 'disabled', 'off', 'no'])

/** Returns a boolean in any spelling that devices use (TR-106 Table 4 and others); undefined when the text is none. */
export function booleanIn(raw: string | undefined): boolean | undefined {
  if (raw === undefined) return undefined
  // The spellings of the standard, which most values have.
  if (raw === '1' || raw === 'true') return true
  if (raw === '0' || raw === 'false') return false
  const text = raw.slice(0, 16).trim().toLowerCase()
  return TRUE.has(text) ? true : FALSE.has(text) ? false : undefined
}

/** Returns true for a text by which a device says yes, in any spelling. */
export function isTrue(value: string | undefined): boolean {
  return booleanIn(value) === true
}

/** Returns true for a text by which a device says no, in any spelling. */
export function isFalse(value: string | undefined): boolean {
  return booleanIn(value) === false
}

const SPELLINGS: readonly (readonly [string, string])[] = [
  ['true', 'false'],
  ['1', '0'],
  ['TRUE', 'FALSE'],
  ['True', 'False'],
  ['Enable', 'Disable'],
  ['Enabled', 'Disabled'],
  ['enable', 'disable'],
  ['enabled', 'disabled'],
  ['ENABLE', 'DISABLE'],
  ['ENABLED', 'DISABLED'],
  ['on', 'off'],
  ['On', 'Off'],
  ['ON', 'OFF'],
  ['yes', 'no'],
  ['Yes', 'No'],
  ['YES', 'NO'],
]

/** Returns a boolean in the spelling of a value that the device shows; undefined where it shows none. */
export function spelledAs(value: boolean, shown: string | undefined): string | undefined {
  const text = shown?.slice(0, 16).trim()
  const pair = SPELLINGS.find((spelling) => text !== undefined && spelling.includes(text))
  return value ? pair?.[0] : pair?.[1]
}

/** Returns the same; `true` or `false` where the device shows no spelling. */
export function spelled(value: boolean, shown: string | undefined): string {
  return spelledAs(value, shown) ?? String(value)
}
