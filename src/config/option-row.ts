/** The form of the text of an option. `switch` has no text: it is given or not. */
type OptionType = 'string' | 'port' | 'int' | 'boolean' | 'seconds' | 'choice' | 'url' | 'path' | 'networks' | 'switch'

/**
 * One row of an option table: the same option as a flag, in the help, and for the server as a variable and in the
 * README.
 */
export interface OptionRow {
  /** Key in the values that are read, camelCase. */
  key: string
  /** `--cwmp-port`; the variable is ISTHMUS_CWMP_PORT unless `env` names another. */
  flag: string
  env?: string
  /** Heading above it in the help. */
  group: string
  type: OptionType
  choices?: readonly string[]
  /** As text; undefined: no value unless given. */
  default?: string
  /** The command does not run without it. */
  required?: true
  sentence: string
  /** Never printed or logged. */
  secret?: true
  min?: number
  max?: number
  /** Texts that are valid, and their description behind "takes". */
  pattern?: RegExp
  takes?: string
}

type ValueOf<R> = R extends { type: 'int' | 'port' | 'seconds' }
  ? number
  : R extends { type: 'boolean' }
    ? boolean
    : R extends { type: 'switch' }
      ? true
      : R extends { choices: readonly (infer C)[] }
        ? C
        : string
type Present<R> = R extends { default: string } | { required: true } ? R : never
type Optional<R> = R extends { default: string } | { required: true } ? never : R

/** The frozen, typed values of a table: options with a default, and required ones, always have a value. */
export type ValuesOf<T extends readonly OptionRow[]> = Readonly<
  { [R in Present<T[number]> as R['key']]: ValueOf<R> } & { [R in Optional<T[number]> as R['key']]?: ValueOf<R> }
>

/** Returns the environment variable of an option of the server. */
export function variableOf(row: OptionRow): string {
  return row.env ?? `ISTHMUS_${row.flag.slice(2).replaceAll('-', '_').toUpperCase()}`
}
