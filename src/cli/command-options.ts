import { OPTIONS, type OptionRow, variableOf } from '../config/index.ts'

type Key = (typeof OPTIONS)[number]['key']

/** The options of commands that work on the database of an installation. */
export const DATABASE_OPTIONS: readonly OptionRow[] = serverOptions([
  'dataDir',
  'mongodbUri',
  'databaseName',
  'secretKey',
])

/** Returns the rows of the server's table with these keys. */
export function serverOptions(keys: readonly Key[]): readonly OptionRow[] {
  return OPTIONS.filter(({ key }) => keys.includes(key))
}

/** One option as the help of a command shows it. */
interface HelpRow {
  flags: string
  text: string
  group: string
  required: boolean
}

/**
 * Returns the rows of an option table for the help of a command, each with its default and choices; `variables`: and
 * its variable.
 */
export function helpRows(rows: readonly OptionRow[], variables: boolean): HelpRow[] {
  return rows.map((row) => ({
    flags: row.type === 'switch' ? row.flag : `${row.flag} <value>`,
    text: describe(row, variables),
    group: `${row.group}:`,
    required: row.required === true,
  }))
}

/** Returns the values of a command's flags by the keys of its option table. */
export function valuesByKey(
  rows: readonly OptionRow[],
  flags: Record<string, unknown>,
): Record<string, string | undefined> {
  const camel = (flag: string) => flag.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  return Object.fromEntries(
    rows.map((row) => {
      const value = flags[camel(row.flag)]
      return [row.key, value === true ? 'true' : typeof value === 'string' ? value : undefined]
    }),
  )
}

/**
 * Defaults and choices are text only here: the readers in config/ know the variables too, and report all problems
 * together.
 */
function describe(row: OptionRow, variables: boolean): string {
  const facts = [
    ...(row.choices === undefined ? [] : [`one of ${row.choices.join(', ')}`]),
    ...(row.type === 'boolean' ? ['true or false'] : []),
    ...(row.type === 'seconds' ? ['seconds'] : []),
    ...(row.required === true ? ['required'] : []),
    ...(row.default === undefined ? [] : [`default ${row.default === '' ? 'none' : row.default}`]),
    ...(variables ? [variableOf(row)] : []),
  ]
  return facts.length === 0 ? row.sentence : `${row.sentence} [${facts.join('; ')}]`
}
