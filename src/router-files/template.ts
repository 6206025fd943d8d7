import type { ValueKind } from './value-kinds.ts'

/** A parameter of a script. */
interface ScriptParameter {
  kind: ValueKind
  /** A sentence for operators. */
  sentence: string
  /** Value where none is given. */
  initial?: string
  /** It may be left out; what it would set is left out then, too. */
  optional?: true
  /** It is sealed while the operation waits, and shown nowhere. Its name says so, too. */
  secret?: true
}

/**
 * A value of a step: a word of the template, or that of a parameter: as it is, the n-th address of a list (or 0.0.0.0),
 * the host names of a list, a day as the version writes it, or the policies of a group with `!` before all others.
 */
export type StepValue =
  | string
  | { of: string; as?: 'date' | 'policies' | 'names' }
  | { of: string; as: 'address'; at: number }

export type StepValues = Readonly<Record<string, StepValue>>

/** Conditions of a step. */
interface StepConditions {
  /** Major versions of RouterOS that have it; absent: all. */
  from?: number
  before?: number
  /** Done once for each item of a list; the item is the value of the parameter then. */
  each?: string
  /** Done where a parameter is `yes`. */
  if?: string
}

/** One step of a script. Its menu has blanks between the words, as versions 6 and 7 read it. */
export type ScriptStep = StepConditions &
  (
    | { kind: 'set'; menu: string; values: StepValues }
    /** The rows that have these values. */
    | { kind: 'setRow'; menu: string; key: StepValues; values: StepValues }
    /** The row with this key is added, or its other values are set. */
    | { kind: 'ensure'; menu: string; key: StepValues; values: StepValues }
    /** The row with this key is added where there is none, and a command is run on it. */
    | { kind: 'create'; menu: string; key: StepValues; values: StepValues; command?: string }
    | { kind: 'remove'; menu: string; key: StepValues }
  )

/** A script as it was reviewed: its words are those of its steps, and its parameters fill values alone. */
export interface ScriptTemplate {
  name: string
  title: string
  /** Sentences for operators: what it does, and what it needs. */
  description: string
  parameters: Readonly<Record<string, ScriptParameter>>
  steps: readonly ScriptStep[]
}

/** A value that a parameter does not take, or a name that no parameter has. */
interface BadParameter {
  name: string
  reason: string
}

/**
 * Returns the values of all parameters in their one form, or all that is wrong with the given ones. Reasons have no
 * values, which may be secret.
 */
export function scriptParameters(
  { name: template, parameters }: ScriptTemplate,
  given: Readonly<Record<string, string>>,
): { values: Record<string, string>; bad: BadParameter[] } {
  const values: Record<string, string> = {}
  const bad: BadParameter[] = Object.keys(given).flatMap((name) =>
    Object.hasOwn(parameters, name) ? [] : [{ name, reason: `is no parameter of ${template}` }],
  )
  for (const [name, { kind, initial, optional }] of Object.entries(parameters)) {
    const text = Object.hasOwn(given, name) ? given[name] : initial
    if (text === undefined) {
      if (optional !== true) bad.push({ name, reason: `is missing: ${kind.expects}` })
      continue
    }
    const value = kind.read(text)
    if (value === undefined) bad.push({ name, reason: `is not ${kind.expects}` })
    else values[name] = value
  }
  return { values, bad }
}
