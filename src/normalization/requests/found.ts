import { isSecret, isWithin, loadModel, type MappedValue, scanObject } from '../../datamodel/index.ts'
import { type OutcomeError, outcomeError, type PathOutcome } from '../../domain/index.ts'
import { ABSENT } from '../tree/paths.ts'
import type { OwnSide } from './own-side.ts'

/** Returns a mapped value as the outcome of its path. */
function outcomeOf({ path, value, type, source, raw }: MappedValue): PathOutcome {
  const from = source === undefined ? {} : { path: source, ...(raw === undefined ? {} : { value: raw }) }
  return { path, value, type, from }
}

/** Returns the outcomes of parameters of TR-181 whose sources were read. */
export function exactOutcomes(own: OwnSide, paths: readonly string[]): Promise<PathOutcome[]> {
  return own.tree.whenReadEach(paths, (path) => exactOutcome(own, path))
}

function exactOutcome(own: OwnSide, path: string): PathOutcome {
  const { mapping, tree, time } = own
  const mapped = mapping.evaluate(path, tree, time)
  if (mapped !== undefined) return outcomeOf(mapped)
  for (const source of mapping.sourcesOf(path, tree)) {
    const answer = own.results.get(source)
    if (answer?.error !== undefined && !isAbsent(answer.error))
      return { path, from: { path: source }, error: answer.error }
    if (answer?.value === undefined) continue
    // Devices blank or mask what TR-181 reads as empty.
    if (isSecret(path, loadModel('tr181-cwmp')))
      return { path, value: '', type: mapping.find(path).target?.parameter?.type ?? 'string', from: { path: source } }
    return {
      path,
      from: { path: source, value: answer.value },
      error: outcomeError('notMapped', `the value of ${source} has no counterpart in TR-181`),
    }
  }
  return { path, error: outcomeError(ABSENT, 'the device has no parameter of its own for it') }
}

function isAbsent({ code }: OutcomeError): boolean {
  return code === ABSENT
}

/** Returns the error of a read without any value, of which another reason than that nothing is there is known. */
export function errorOfRead(answers: readonly PathOutcome[]): OutcomeError | undefined {
  if (answers.some(({ error }) => error === undefined)) return undefined
  return answers.find(({ error }) => error !== undefined && !isAbsent(error))?.error
}

/** The same of the answers about some own paths alone. */
export function errorAbout(sources: readonly string[], answers: readonly PathOutcome[]): OutcomeError | undefined {
  // Of some thousand answers few are errors, and mostly none.
  if (!answers.some(({ error }) => error !== undefined && !isAbsent(error))) return undefined
  const isIn = (path: string, other: string) => path === other || (other.endsWith('.') && isWithin(path, other))
  return errorOfRead(answers.filter(({ path }) => sources.some((source) => isIn(path, source) || isIn(source, path))))
}

/** A value that was read just now, as the outcome of its path. */
export type Shown = PathOutcome & { value: string }

/**
 * Returns all values at and below an object of TR-181, by what was read just now: those that the device shows there
 * itself, and mapped ones.
 */
export async function valuesBelow(own: OwnSide, object: string): Promise<Shown[]> {
  const shown = [...own.results.values()].filter((outcome): outcome is Shown => {
    return outcome.value !== undefined && outcome.path.startsWith(object)
  })
  return [...shown, ...(await mappedBelow(own, object))]
}

/** Returns the mapped ones alone. */
export async function mappedBelow(own: OwnSide, object: string): Promise<Shown[]> {
  const mapped = await evaluateBelow(own, object)
  for (const { path } of mapped) own.takeAsMapped(path)
  return mapped.map((value) => ({ ...outcomeOf(value), value: value.value }))
}

async function evaluateBelow(own: OwnSide, object: string): Promise<MappedValue[]> {
  const { tree, time, mapping } = own
  const { schema } = scanObject(object)
  const targets = new Set<string>()
  for (const { path, value } of own.results.values())
    if (value !== undefined) mapping.visitTargets(path, (_target, _row, to) => targets.add(to), schema)
  for (const path of await tree.whenRead(() => [...mapping.derivedPaths(tree, schema)])) targets.add(path)
  // A value of the device itself goes before a mapped one.
  const wanted = [...targets].filter((path) => path.startsWith(object) && !own.shows(path))
  const values = await tree.whenReadEach(wanted, (path) => mapping.evaluate(path, tree, time))
  return values.filter((value) => value !== undefined)
}
