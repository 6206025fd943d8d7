import { MappingRefusal, type RawValue, type Transform, type TransformContext } from '../transform.ts'

/** A theme of the table of transforms: names and transforms. */
export type Theme = Readonly<Record<string, Transform>>

/** Returns the write of one value to the source itself. */
export function toSource(context: TransformContext, value: string): RawValue[] {
  return [{ path: context.from, value }]
}

/**
 * Returns the refusal of a write, with the source path as the place that can be written instead. The message does not
 * quote the value: it may be a secret.
 */
export function refusal(context: TransformContext, why: string): MappingRefusal {
  return new MappingRefusal(`${context.to} cannot be written: ${why}. The source is ${context.from}.`, context.from)
}

/** Returns a value for a message: quoted and cut. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}...` : value)
}

/** Returns the object of the source, with its dot. */
export function objectOf(context: TransformContext): string {
  return context.from.slice(0, context.from.lastIndexOf('.') + 1)
}

/** Returns the last name of the source. */
export function leafOf(context: TransformContext): string {
  return context.from.slice(context.from.lastIndexOf('.') + 1)
}

/** Returns the first of some parameters beside the source that the device shows, and its value. */
export function sibling(context: TransformContext, names: readonly string[]): RawValue | undefined {
  for (const name of names) {
    const path = objectOf(context) + name
    const value = context.raw(path)
    if (value !== undefined) return { path, value }
  }
  return undefined
}

/** Returns the items of a comma separated list, trimmed, without empty ones. */
export function itemsOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

const NUMBER = /^[+-]?(?:\d{1,15}(?:[.,]\d{0,15})?|[.,]\d{1,15})/
const UNIT = /^[a-z/%°℃µμ ]{0,14}$/i

/**
 * Returns the number that a text begins with; undefined when it is none. Takes a unit after it (`-16.6 dBm`, `4%`),
 * spaces around it, a decimal comma, and the escapes of web pages (`-\x2d18`).
 */
export function numberIn(raw: string): number | undefined {
  if (raw.length > 80) return undefined
  const text = raw
    .replaceAll('\\x2d', '-')
    .replaceAll('\\x2D', '-')
    .replaceAll('\\x20', ' ')
    .replaceAll('\\x2e', '.')
    .trim()
    .replace(/^--/, '-')
  const found = NUMBER.exec(text)?.[0]
  if (found === undefined || !UNIT.test(text.slice(found.length).trim())) return undefined
  const value = Number(found.replace(',', '.'))
  return Number.isFinite(value) ? value : undefined
}

/** Returns a whole number in text; undefined when the text is none. */
export function wholeIn(raw: string): number | undefined {
  const text = raw.trim()
  if (!/^[+-]?\d{1,15}$/.test(text)) return undefined
  return Number(text) + 0
}

/** Returns a number rounded to a whole one, in text, and never as `-0`. */
export function whole(value: number): string {
  return String(Math.round(value) + 0)
}

/** The same for a reading that cannot be 0: one that rounds to 0, or is below it, is undefined. */
export function positive(value: number): string | undefined {
  return Math.round(value) > 0 ? whole(value) : undefined
}
