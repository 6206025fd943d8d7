import { dateAt } from './conversions.ts'
import type {
  Conversion,
  ParameterMapping,
  ParameterWrite,
  ReadContext,
  RowTest,
  RowText,
  SourceRow,
  Text,
} from './declaration.ts'

/** Returns a parameter that is read from one property. */
export function shown(property: string, conversion: Conversion = asIs): ParameterMapping {
  return { from: [property], read: ([text], context) => conversion.read(text, context) }
}

/** Returns a parameter that is read from and written to one property, which may be that of a joined row. */
export function kept(property: string, conversion: Required<Conversion> = asIs): ParameterMapping {
  const [join, name] = property.includes(':') ? (property.split(':') as [string, string]) : [undefined, property]
  const write: ParameterWrite = {
    ...(join === undefined ? {} : { join }),
    properties(value) {
      const text = conversion.write(value)
      return text === undefined ? undefined : { [name]: text }
    },
  }
  return { ...shown(property, conversion), write }
}

/** Returns a parameter that has a value also where its properties give none. */
export function orElse(value: string, parameter: ParameterMapping): ParameterMapping {
  return { ...parameter, read: (texts, context) => parameter.read(texts, context) ?? value }
}

/** Returns a parameter that is read from several properties. */
export function shownFrom(
  from: readonly string[],
  read: (texts: readonly Text[], context: ReadContext) => Text,
): ParameterMapping {
  return { from, read }
}

/** Returns a parameter that is a date which a property tells by the time since then (-1) or until then (1). */
export function shownDate(property: string, direction: 1 | -1): ParameterMapping {
  return { ...shownFrom([property], ([text], context) => dateAt(text, context, direction)), steadyS: 5 }
}

/** Returns a parameter that has the same value on every router. */
export function fixed(value: string): ParameterMapping {
  return { from: [], read: () => value }
}

/** Returns a parameter that holds the path of the row that a property names, in one of some tables. */
export function reference(property: string, refers: readonly string[]): ParameterMapping {
  return { ...shown(property), refers }
}

/** Returns a parameter that holds the path of the row that a property names; the bridge may write it. */
export function keptReference(property: string, refers: readonly string[]): ParameterMapping {
  return { ...kept(property), refers }
}

/** Returns the first of some properties that a row has. */
export function firstOf(...from: string[]): RowText {
  return { from, of: (row) => from.map((name) => row[name]).find((text) => text !== undefined && text !== '') }
}

/** Returns some properties of a row in one text; those that it lacks are empty. */
export function allOf(...from: string[]): RowText {
  return { from, of: (row) => from.map((name) => row[name] ?? '').join('|') }
}

/** Returns a text that all rows have in common. */
export function always(text: string): RowText {
  return { from: [], of: () => text }
}

/** Returns the test of a row by its properties. */
export function rowsWith(from: readonly string[], holds: (row: SourceRow) => boolean): RowTest {
  return { from, holds }
}

/** The text itself. */
const asIs: Required<Conversion> = { read: (text) => text, write: (value) => value }

/** The test for rows that the router has not made itself. */
export const notDynamic = rowsWith(['dynamic'], ({ dynamic }) => dynamic !== 'true' && dynamic !== 'yes')

/** The test that holds for every row. */
export const everyRow = rowsWith([], () => true)
