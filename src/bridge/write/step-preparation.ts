import type { RouterRow } from '../../routeros/index.ts'
import { type ModelProblem, ModelRefusal } from '../../usp/index.ts'
import { ValueRefused } from '../menus/checked-command.ts'
import { RouterWords } from '../menus/router-words.ts'
import type { IntendedStep } from './intents.ts'
import { type Doing, failureOf } from './router-failure.ts'
import { isSingle, menuOf, type RouterRows } from './router-rows.ts'
import { sameRows } from './undo.ts'
import type { AddStep, RemoveStep, SetStep, WriteStep } from './write-step.ts'

/** A step with what is needed to do and to undo it. */
export interface PreparedStep {
  readonly step: WriteStep
  readonly intended: IntendedStep
  /** The `.id` that its row had when it was read; undefined for a step without one. */
  readonly id: string | undefined
  /** True when the router is as the step wants it already. */
  readonly isDone: boolean
}

/** A check of the steps of a request before the first of them. */
export interface StepCheck {
  /** Resolves with the problem of each step that may not be done, at the place of the step. */
  refusals(steps: readonly WriteStep[], rows: RouterRows): Promise<readonly (ModelProblem | undefined)[]>
}

/** Steps that are looked at side by side: the connection to a router takes so many commands and no more. */
const SIDE_BY_SIDE = 64

/** Resolves with the results of work on each step, in order. */
export async function inSlices<T>(
  steps: readonly WriteStep[],
  work: (step: WriteStep) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = []
  for (let at = 0; at < steps.length; at += SIDE_BY_SIDE)
    results.push(...(await Promise.all(steps.slice(at, at + SIDE_BY_SIDE).map(work))))
  return results
}

/**
 * Checks the steps of a request and reads the state before them; the readings go out together. Resolves with the steps
 * and the words for their commands; ModelRefusal with all problems.
 */
export async function prepare(
  steps: readonly WriteStep[],
  doing: Doing,
  rows: RouterRows,
  check: StepCheck,
): Promise<{ prepared: readonly PreparedStep[]; words: RouterWords }> {
  const { refused, words, found } = await look(steps, doing, rows, check)
  const reasons = refused.flatMap((problem) => problem ?? [])
  if (reasons.length > 0) throw new ModelRefusal(reasons)
  if (!(words instanceof RouterWords)) throw new ModelRefusal(steps.map((step) => problemOf(step, words.error, doing)))
  const prepared: PreparedStep[] = []
  const problems: ModelProblem[] = []
  for (const one of found) 'code' in one ? problems.push(one) : prepared.push(one)
  if (problems.length > 0) throw new ModelRefusal(problems)
  return { prepared, words }
}

/** The same for steps that are done each for itself: resolves with the problem of a step in its place. */
export async function prepareEach(
  steps: readonly WriteStep[],
  doing: Doing,
  rows: RouterRows,
  check: StepCheck,
): Promise<{ found: readonly (PreparedStep | ModelProblem)[]; words: RouterWords }> {
  const { refused, words, found } = await look(steps, doing, rows, check)
  if (!(words instanceof RouterWords))
    return { found: steps.map((step) => problemOf(step, words.error, doing)), words: new RouterWords() }
  return { found: found.map((one, i) => refused[i] ?? one), words }
}

interface Looked {
  /** Problems at the places of their steps. */
  readonly refused: readonly (ModelProblem | undefined)[]
  readonly words: RouterWords | { readonly error: unknown }
  readonly found: readonly (PreparedStep | ModelProblem)[]
}

async function look(steps: readonly WriteStep[], doing: Doing, rows: RouterRows, check: StepCheck): Promise<Looked> {
  const [refused, words, found] = await Promise.all([
    check.refusals(steps, rows).catch((error: unknown) => steps.map((step) => problemOf(step, error, doing))),
    wordsFor(steps, rows).catch((error: unknown) => ({ error })),
    inSlices(steps, (step) => prepareOne(step, rows).catch((error: unknown) => problemOf(step, error, doing))),
  ])
  const tried = found.map((one, i) => (words instanceof RouterWords ? (tryStep(steps[i], words, doing) ?? one) : one))
  return { refused, words, found: tried }
}

/** Returns the problem of a step whose command cannot be built. */
function tryStep(step: WriteStep | undefined, words: RouterWords, doing: Doing): ModelProblem | undefined {
  try {
    if (step !== undefined) tryWords(step, words)
    return undefined
  } catch (error) {
    return problemOf(step, error, doing)
  }
}

/** Words that allow only the interfaces that the router has now; it is not asked for them when no step names one. */
async function wordsFor(steps: readonly WriteStep[], rows: RouterRows): Promise<RouterWords> {
  let isNamed = false
  const noting = new RouterWords(() => {
    isNamed = true
    return true
  })
  for (const step of steps) {
    try {
      tryWords(step, noting)
    } catch {
      // It is refused with the words that come from here.
    }
  }
  return isNamed ? rows.wordsNow() : noting
}

function prepareOne(step: WriteStep, rows: RouterRows): Promise<PreparedStep> {
  if (step.kind === 'set') return prepareSet(step, rows)
  return step.kind === 'add' ? prepareAdd(step, rows) : prepareRemove(step, rows)
}

async function prepareSet(step: SetStep, rows: RouterRows): Promise<PreparedStep> {
  const { menu, match, values, unset = [], path } = step
  const { properties } = menuOf(menu)
  const shown = [...Object.keys(values), ...unset].filter((name) => properties[name]?.secret === false)
  const row = await rowOf(step, rows, shown)
  const before = Object.fromEntries(shown.map((name) => [name, row[name] ?? null]))
  const after = Object.fromEntries(shown.map((name) => [name, values[name] ?? null]))
  const intended: IntendedStep = { kind: 'set', menu, match, path, before, after, hasSecret: hasSecret(step) }
  return { step, intended, id: row['.id'], isDone: false }
}

async function prepareAdd(step: AddStep, rows: RouterRows): Promise<PreparedStep> {
  const { menu, path } = step
  const { properties } = menuOf(menu)
  const values = Object.fromEntries(Object.entries(step.values).filter(([name]) => properties[name]?.secret === false))
  const existing = await sameRows(rows, menu, values)
  return { step, intended: { kind: 'add', menu, path, values, existing }, id: undefined, isDone: false }
}

async function prepareRemove(step: RemoveStep, rows: RouterRows): Promise<PreparedStep> {
  const { menu, match, path } = step
  const kept = Object.entries(menuOf(menu).properties).flatMap(([name, { writable, secret }]) =>
    writable && !secret ? [name] : [],
  )
  const hasOrder = 'move' in menuOf(menu).verbs
  const [row, all] = await Promise.all([
    rows.find(menu, match, [...kept, 'dynamic']),
    hasOrder ? rows.all(menu, []) : [],
  ])
  const before = Object.fromEntries(
    kept.flatMap((name) => (row?.[name] === undefined || row[name] === '' ? [] : [[name, row[name]]])),
  )
  const next = hasOrder ? all[all.findIndex((one) => one['.id'] === row?.['.id']) + 1]?.['.id'] : undefined
  const intended: IntendedStep = {
    kind: 'remove',
    menu,
    match,
    path,
    before,
    ...(next === undefined ? {} : { next }),
  }
  return { step, intended, id: row?.['.id'], isDone: row === undefined }
}

/** Resolves with the row of a step as it is now; RowGone. */
export async function rowOf(
  { menu, match, path }: SetStep | RemoveStep,
  rows: RouterRows,
  properties: readonly string[],
): Promise<RouterRow> {
  const row = await rows.find(menu, match, properties)
  if (row === undefined) throw new RowGone(path)
  return row
}

/** The row of a step is not there any more. */
class RowGone extends Error {}

/** Returns true for a step that overwrites a secret. A row that is added with one can be removed again. */
export function hasSecret(step: WriteStep): boolean {
  if (step.kind !== 'set') return false
  const { properties } = menuOf(step.menu)
  return Object.keys(step.values).some((name) => properties[name]?.secret === true)
}

/** Builds the commands of a step for a row that has some `.id`; throws what they would throw. */
function tryWords(step: WriteStep, words: RouterWords): void {
  const id = isSingle(step.menu) ? undefined : '*1'
  if (step.kind === 'add') words.add(step.menu, step.values)
  else if (step.kind === 'remove') words.remove(step.menu, '*1')
  else {
    if (Object.keys(step.values).length > 0) words.set(step.menu, id, step.values)
    for (const name of step.unset ?? []) words.unset(step.menu, id ?? '', name)
  }
}

/** Returns the problem that an error of a step is. */
export function problemOf(step: WriteStep | undefined, error: unknown, doing: Doing): ModelProblem {
  const { path = '', paths = {}, row } = step ?? {}
  const at = row === undefined ? {} : { row }
  if (error instanceof RowGone) return { path, code: 7016, text: 'the row is not there any more', ...at }
  const { code, message: text } = failureOf(error, doing)
  const property = error instanceof ValueRefused ? error.property : propertyIn(text, Object.keys(paths))
  const subject = paths[property ?? ''] ?? path
  return { path: subject, code, text, ...at }
}

/** The property that a trap names. */
function propertyIn(text: string, names: readonly string[]): string | undefined {
  return names.find((name) => text.split(/[^\w.-]+/).includes(name))
}
