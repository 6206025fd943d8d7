import { errorText, type Log } from '../../base/index.ts'
import type { RouterOs, RouterRow } from '../../routeros/index.ts'
import { type ModelProblem, ModelRefusal } from '../../usp/index.ts'
import { ValueRefused } from '../menus/checked-command.ts'
import type { RouterWords } from '../menus/router-words.ts'
import type { IntendedStep, IntentStore } from './intents.ts'
import { type Doing, failureOf, isOpen } from './router-failure.ts'
import { isSingle, menuOf, RouterRows } from './router-rows.ts'
import { sameRows, Undo } from './undo.ts'
import type { AddStep, RemoveStep, SetStep, WriteStep } from './write-step.ts'

/** A step with what is needed to do and to undo it. */
interface PreparedStep {
  readonly step: WriteStep
  readonly intended: IntendedStep
  /** True when the router is as the step wants it already. */
  readonly isDone: boolean
}

/** Steps of one request, and the kind of request. */
interface StepPlan {
  readonly steps: readonly WriteStep[]
  readonly doing: Doing
}

/** A check of the steps of a request before the first of them. */
export interface StepCheck {
  /** Resolves with a problem for each step that may not be done. */
  refusals(steps: readonly WriteStep[]): Promise<readonly ModelProblem[]>
}

/**
 * Does the writes of one router, one request at a time. A router has no transactions: everything is checked and read
 * first, then done step by step, and undone in reverse order when a step fails.
 */
export class RouterWriter {
  readonly #router: RouterOs
  readonly #rows: RouterRows
  readonly #undo: Undo
  readonly #intents: IntentStore
  readonly #check: StepCheck
  readonly #log: Log
  #last: Promise<unknown> = Promise.resolve()

  constructor(router: RouterOs, intents: IntentStore, check: StepCheck, log: Log) {
    this.#router = router
    this.#rows = new RouterRows(router)
    this.#undo = new Undo(router, this.#rows)
    this.#intents = intents
    this.#check = check
    this.#log = log
  }

  /**
   * Plans and does the steps of a request, all or none; the plan is made when the requests before it are done. Rejects
   * with ModelRefusal, which says so where a step could not be undone.
   */
  write(plan: () => Promise<StepPlan>): Promise<void> {
    return this.#inOrder(async () => {
      await this.#settle().catch((error: unknown) => {
        throw failureOf(error, 'set')
      })
      const { steps, doing } = await plan()
      if (steps.length > 0) await this.#do(steps, doing)
    })
  }

  /**
   * Undoes what a request that was not finished has left at the router; no work when there is none. Rejects when the
   * router does not answer: then it is to be called again.
   */
  settle(): Promise<void> {
    return this.#inOrder(() => this.#settle())
  }

  async #settle(): Promise<void> {
    const { open } = this.#intents
    if (open === undefined) return
    const reached = open.steps.slice(0, open.begun)
    const fields = { steps: open.steps.map(({ path }) => path), reached: open.begun }
    // Steps with a secret come last and cannot be undone: all before them is done, and stays.
    if (reached.some((step) => step.kind === 'set' && step.hasSecret)) {
      await this.#intents.end()
      this.#log.warn(fields, 'a write that was cut off stays as far as it went')
      return
    }
    const left = await this.#undo.all(reached)
    await this.#intents.end()
    this.#log.warn({ ...fields, left }, 'a write that was cut off was undone')
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work)
    this.#last = result.catch(() => undefined)
    return result
  }

  async #do(asked: readonly WriteStep[], doing: StepPlan['doing']): Promise<void> {
    // Secrets come last: their values before are not known, so that nothing after them may fail.
    const steps = [...asked.filter((step) => !hasSecret(step)), ...asked.filter(hasSecret)]
    const words = await this.#words(steps, doing)
    const prepared = await this.#prepare(steps, words, doing)
    const open = prepared.filter(({ isDone }) => !isDone)
    if (open.length === 0) return
    await this.#intents.begin(open.map(({ intended }) => intended))
    for (const [i, { step, intended }] of open.entries()) {
      await this.#intents.reach(i + 1)
      try {
        await this.#send(step, intended, words)
      } catch (error) {
        await this.#failed(open, i, error, doing)
      }
    }
    await this.#intents.end()
  }

  /** The words of a request: checks values and interfaces of all steps; ModelRefusal. */
  async #words(steps: readonly WriteStep[], doing: Doing): Promise<RouterWords> {
    const refused = await this.#check.refusals(steps).catch((error: unknown) => [problemOf(steps[0], error, doing)])
    if (refused.length > 0) throw new ModelRefusal(refused)
    try {
      return await this.#rows.wordsNow()
    } catch (error) {
      throw new ModelRefusal(steps.map((step) => problemOf(step, error, doing)))
    }
  }

  /** Reads the state before, and tries every command as far as its words go. ModelRefusal with all problems. */
  async #prepare(steps: readonly WriteStep[], words: RouterWords, doing: Doing): Promise<PreparedStep[]> {
    const prepared: PreparedStep[] = []
    const problems: ModelProblem[] = []
    for (const step of steps) {
      try {
        tryWords(step, words)
        prepared.push(await this.#prepareOne(step))
      } catch (error) {
        problems.push(problemOf(step, error, doing))
      }
    }
    if (problems.length > 0) throw new ModelRefusal(problems)
    return prepared
  }

  #prepareOne(step: WriteStep): Promise<PreparedStep> {
    if (step.kind === 'set') return this.#prepareSet(step)
    return step.kind === 'add' ? this.#prepareAdd(step) : this.#prepareRemove(step)
  }

  async #prepareSet(step: SetStep): Promise<PreparedStep> {
    const { menu, match, values, unset = [], path } = step
    const { properties } = menuOf(menu)
    const shown = [...Object.keys(values), ...unset].filter((name) => properties[name]?.secret === false)
    const row = await this.#found(step, shown)
    const before = Object.fromEntries(shown.map((name) => [name, row[name] ?? null]))
    const after = Object.fromEntries(shown.map((name) => [name, values[name] ?? null]))
    const secret = hasSecret(step)
    const intended: IntendedStep = { kind: 'set', menu, match, path, before, after, hasSecret: secret }
    return { step, intended, isDone: false }
  }

  async #prepareAdd(step: AddStep): Promise<PreparedStep> {
    const { menu, path } = step
    const { properties } = menuOf(menu)
    const values = Object.fromEntries(
      Object.entries(step.values).filter(([name]) => properties[name]?.secret === false),
    )
    const existing = await sameRows(this.#rows, menu, values)
    return { step, intended: { kind: 'add', menu, path, values, existing }, isDone: false }
  }

  async #prepareRemove(step: RemoveStep): Promise<PreparedStep> {
    const { menu, match, path } = step
    const kept = Object.entries(menuOf(menu).properties).flatMap(([name, { writable, secret }]) =>
      writable && !secret ? [name] : [],
    )
    const row = await this.#rows.find(menu, match, [...kept, 'dynamic'])
    const before = Object.fromEntries(
      kept.flatMap((name) => (row?.[name] === undefined || row[name] === '' ? [] : [[name, row[name]]])),
    )
    const next = 'move' in menuOf(menu).verbs ? await this.#after(step, row) : undefined
    const intended: IntendedStep = {
      kind: 'remove',
      menu,
      match,
      path,
      before,
      ...(next === undefined ? {} : { next }),
    }
    return { step, intended, isDone: row === undefined }
  }

  /** The `.id` of the row after one. */
  async #after({ menu }: RemoveStep, row: RouterRow | undefined): Promise<string | undefined> {
    const rows = await this.#rows.all(menu, [])
    return rows[rows.findIndex((one) => one['.id'] === row?.['.id']) + 1]?.['.id']
  }

  async #found({ menu, match, path }: SetStep | RemoveStep, properties: readonly string[]): Promise<RouterRow> {
    const row = await this.#rows.find(menu, match, properties)
    if (row === undefined) throw new RowGone(path)
    return row
  }

  /** Sends one step, to the row that has the natural key at this moment. */
  async #send(step: WriteStep, intended: IntendedStep, words: RouterWords): Promise<void> {
    const { menu } = step
    if (step.kind === 'add') {
      const before = step.before === undefined ? undefined : (await this.#rows.find(menu, step.before, []))?.['.id']
      await this.#router.command(words.add(menu, step.values, before))
      return
    }
    if (step.kind === 'remove') {
      const row = await this.#rows.find(menu, step.match, [])
      if (row?.['.id'] !== undefined) await this.#router.command(words.remove(menu, row['.id']))
      return
    }
    const row = await this.#found(step, intended.kind === 'set' ? Object.keys(intended.before) : [])
    const id = isSingle(menu) ? undefined : row['.id']
    if (Object.keys(step.values).length > 0) await this.#router.command(words.set(menu, id, step.values))
    for (const name of step.unset ?? []) await this.#router.command(words.unset(menu, id ?? '', name))
  }

  /** Undoes the steps up to the one that failed, and rejects with the refusal of the request. */
  async #failed(steps: readonly PreparedStep[], at: number, error: unknown, doing: Doing): Promise<never> {
    const { step, intended } = steps[at] as PreparedStep
    const problem = problemOf(step, error, doing)
    const reached = steps.slice(0, at).map((one) => one.intended)
    // Without an answer the step itself may be done; so may a part of it when it has several commands.
    const mayBeDone = isOpen(error) || (step.kind === 'set' && (step.unset ?? []).length > 0)
    const toUndo = mayBeDone ? [...reached, intended] : reached
    try {
      const left = await this.#undo.all(toUndo)
      await this.#intents.end()
      throw new ModelRefusal([
        left.length === 0 ? problem : { ...problem, text: `${problem.text}; ${left.join('; ')}` },
      ])
    } catch (undoing) {
      if (undoing instanceof ModelRefusal) throw undoing
      this.#log.warn({ err: undoing }, 'a write waits for the router to be undone')
      const text = `${problem.text}; it is undone when the router answers again (${errorText(undoing)})`
      throw new ModelRefusal([{ ...problem, text }])
    }
  }
}

/** The row of a step is not there any more. */
class RowGone extends Error {}

/** Returns true for a step that overwrites a secret. A row that is added with one can be removed again. */
function hasSecret(step: WriteStep): boolean {
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

function problemOf(step: WriteStep | undefined, error: unknown, doing: Doing): ModelProblem {
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
