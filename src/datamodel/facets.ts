import type { ModelParameter } from './model.ts'
import type { BaseType } from './types.ts'

/** Returns true for a parameter that acts when true is written, and then reads false (TR-106 A.2.2.1). */
export function isCommandLike(parameter: ModelParameter | undefined): boolean {
  return parameter?.facets.c === 1
}

/**
 * Returns true for a parameter that does something when true is written, as a command of USP at the same path does: a
 * command-like one, and those that TR-098 has without that facet (Reset of a connection; hidden ones such as ForceSample).
 */
export function actsOnTrue(parameter: ModelParameter | undefined): boolean {
  if (parameter?.type !== 'boolean' || parameter.access !== 'w') return false
  return isCommandLike(parameter) || readsEmpty(parameter) || parameter.name === 'Reset'
}

/** Returns true for a parameter whose value reads empty: a hidden or a secured one (TR-106 A.2.2.1). */
export function readsEmpty(parameter: ModelParameter | undefined): boolean {
  return parameter?.facets.h === 1 || parameter?.facets.x === 1
}

/** Returns true for a parameter whose values the model lists. */
export function hasListedValues(parameter: ModelParameter): boolean {
  return parameter.facets.e !== undefined
}

/** Returns the default value of a parameter in the model; `[]` is the empty list. */
export function defaultValueOf(parameter: ModelParameter | undefined): string | undefined {
  return parameter?.facets.d?.[1]
}

/** Returns a parameter that a vendor adds to a model, or has with another type: any value of the type is one. */
export function ownParameter(name: string, type: BaseType, writable: boolean): ModelParameter {
  return { name, type, access: writable ? 'w' : 'r', since: '', facets: {} }
}
