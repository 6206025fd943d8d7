import { OPTIONS, type OptionRow, variableOf } from '../config/index.ts'

type Key = (typeof OPTIONS)[number]['key']

/** The options of commands that work on the database of an installation. */
export const DATABASE_OPTIONS: readonly Key[] = ['dataDir', 'mongodbUri', 'databaseName', 'secretKey']

/** One option as the help of a command shows it. */
export interface HelpRow {
  flags: string
  text: string
  group: string
}

/** Rows of the option table for the help of a command, each with its default, choices and variable; all rows without `keys`. */
export function helpRows(keys?: readonly Key[]): HelpRow[] {
  return (OPTIONS as readonly OptionRow[])
    .filter((row) => keys === undefined || keys.some((key) => key === row.key))
    .map((row) => ({ flags: `${row.flag} <value>`, text: describe(row), group: `${row.group}:` }))
}

/** The values of a command's flags by the keys of the option table. */
export function valuesByKey(flags: Record<string, unknown>): Record<string, string | undefined> {
  const camel = (flag: string) => flag.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  return Object.fromEntries(
    (OPTIONS as readonly OptionRow[]).map((row) => {
      const value = flags[camel(row.flag)]
      return [row.key, typeof value === 'string' ? value : undefined]
    }),
  )
}

/** Defaults and choices are text only here: `readConfig` knows the variables too, and reports all problems together. */
function describe(row: OptionRow): string {
  const facts = [
    ...(row.choices === undefined ? [] : [`one of ${row.choices.join(', ')}`]),
    ...(row.type === 'boolean' ? ['true or false'] : []),
    ...(row.type === 'seconds' ? ['seconds'] : []),
    ...(row.default === undefined ? [] : [`default ${row.default}`]),
    variableOf(row),
  ]
  return `${row.sentence} [${facts.join('; ')}]`
}
