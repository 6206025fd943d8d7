import type { Text } from './declaration.ts'
import type { Conversion } from './parameters.ts'

/** Conversions of single properties. A text of another form than the expected one has no value in TR-181. */

/** Returns the boolean that a property holds; absent is false. */
export function isTrue(text: Text): boolean {
  return text === 'true' || text === 'yes'
}

/** A boolean. */
export const truth: Required<Conversion> = {
  read: (text) => String(isTrue(text)),
  write: (value) => (isTrue(value) || value === '1' ? 'yes' : 'no'),
}

/** A boolean that says the opposite, e.g. `disabled`. */
export const inverted: Required<Conversion> = {
  read: (text) => String(!isTrue(text)),
  write: (value) => (isTrue(value) || value === '1' ? 'no' : 'yes'),
}

/** Returns the conversion of a text that is cut to a length; `write` keeps it as it is. */
export function atMost(length: number): Required<Conversion> {
  return { read: (text) => text?.slice(0, length), write: (value) => value }
}

/** A MAC address in upper case with colons. */
export const mac: Conversion = {
  read: (text) =>
    text !== undefined && /^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$/.test(text) ? text.toUpperCase() : undefined,
}

/** An integer within bounds. */
export function integer(min: number, max: number): Required<Conversion> {
  const read = (text: Text) => {
    const number = text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    return number >= min && number <= max ? String(number) : undefined
  }
  return { read, write: read }
}

/** A counter of 64 bits. */
export const counter64: Conversion = {
  read: (text) =>
    text !== undefined && /^\d{1,20}$/.test(text) ? String(BigInt.asUintN(64, BigInt(text))) : undefined,
}

/** A counter of 32 bits, which begins anew after its highest value. */
export const counter32: Conversion = {
  read: (text) =>
    text !== undefined && /^\d{1,20}$/.test(text) ? String(BigInt.asUintN(32, BigInt(text))) : undefined,
}

/** Bytes as KiB, rounded down. */
export const kib: Conversion = {
  read: (text) => (text !== undefined && /^\d{1,20}$/.test(text) ? String(BigInt(text) / 1024n) : undefined),
}

/** The part of a text before its first space, as in `7.16.1 (stable)`. */
export const firstWord: Conversion = { read: (text) => text?.split(' ', 1)[0] }
