import { errorText, type Log } from '../../base/index.ts'
import type { RouterOs } from '../../routeros/index.ts'
import { ModelRefusal } from '../../usp/index.ts'
import type { RouterWords } from '../menus/router-words.ts'
import type { IntendedStep, IntentStore } from './intents.ts'
import { type Doing, failureOf, isOpen } from './router-failure.ts'
import { isSingle, RouterRows } from './router-rows.ts'
import {
  hasSecret,
  type PreparedStep,
  prepare,
  prepareEach,
  problemOf,
  rowOf,
  type StepCheck,
} from './step-preparation.ts'
import { Undo } from './undo.ts'
import type { AddStep, WriteStep } from './write-step.ts'

/** Steps of one request, and the kind of request. */
interface StepPlan {
  readonly steps: readonly WriteStep[]
  readonly doing: Doing
  /** Called when the router has done them, before that is on the disk. */
  readonly onDone?: () => void
}

/** Steps that add rows, for several rows that are added each for itself. */
interface RowsPlan {
  readonly rows: readonly (readonly AddStep[])[]
  /** Called when the router has done them, before that is on the disk. */
  readonly onDone?: () => void
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
      const { steps, ...how } = await plan()
      if (steps.length > 0) await this.#do(steps, how)
    })
  }

  /**
   * Plans and does the steps of several rows, of each row all or none. Resolves with the refusal of each that was not
   * added, at its place. All of them are one entry of the journal: a kill before their end undoes them together.
   */
  writeEach(plan: () => Promise<RowsPlan>): Promise<readonly (ModelRefusal | undefined)[]> {
    return this.#inOrder(async () => {
      await this.#settle().catch((error: unknown) => {
        throw failureOf(error, 'add')
      })
      return this.#doEach(await plan())
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

  async #do(asked: readonly WriteStep[], { doing, onDone }: Omit<StepPlan, 'steps'>): Promise<void> {
    // Secrets come last: their values before are not known, so that nothing after them may fail.
    const steps = [...asked.filter((step) => !hasSecret(step)), ...asked.filter(hasSecret)]
    const { prepared, words } = await prepare(steps, doing, this.#rows.once(), this.#check)
    const open = prepared.filter(({ isDone }) => !isDone)
    const [first] = open
    if (first === undefined) return
    const isOne = open.length === 1 && isOneCommand(first.step)
    const secrets = open.findIndex(({ step }) => hasSecret(step))
    const begun = secrets > 0 ? secrets : open.length
    // One command is done or not, also when the machine loses its power: its entry goes to the disk with that of its end.
    await this.#intents.begin({ steps: open.map(({ intended }) => intended), begun }, isOne ? 'process' : 'machine')
    for (const [i, one] of open.entries()) {
      if (i === begun) await this.#intents.reach(open.length)
      try {
        await this.#send(one, words, isOne)
      } catch (error) {
        const { refusal, waits } = await this.#undone(open, i, error, doing)
        // Steps that were not sent need not be looked at later; where that cannot be kept, they are.
        await (waits === undefined
          ? this.#intents.end()
          : this.#intents
              .reach(waits.length)
              .catch((err: unknown) => this.#log.warn({ err }, 'a write is undone as a whole')))
        throw refusal
      }
    }
    onDone?.()
    await this.#intents.end()
  }

  async #doEach({ rows, onDone }: RowsPlan): Promise<readonly (ModelRefusal | undefined)[]> {
    const { found, words } = await prepareEach(rows.flat(), 'add', this.#rows.once(), this.#check)
    const refusals: (ModelRefusal | undefined)[] = []
    const open = new Map<number, readonly PreparedStep[]>()
    let at = 0
    for (const [i, steps] of rows.entries()) {
      const own = found.slice(at, at + steps.length)
      at += steps.length
      const problems = own.filter((one) => 'code' in one)
      refusals[i] = problems.length > 0 ? new ModelRefusal(problems) : undefined
      if (problems.length === 0)
        open.set(
          i,
          own.filter((one) => 'intended' in one),
        )
    }
    const intended = [...open.values()].flat().map((one) => one.intended)
    if (intended.length === 0) return refusals
    await this.#intents.begin({ steps: intended, begun: intended.length }, 'machine')
    let gone: ModelRefusal | undefined
    for (const [i, steps] of open) {
      refusals[i] = gone
      for (let step = 0; refusals[i] === undefined && step < steps.length; step++)
        try {
          await this.#send(steps[step] as PreparedStep, words, false)
        } catch (error) {
          const { refusal, waits } = await this.#undone(steps, step, error, 'add')
          refusals[i] = refusal
          if (waits === undefined) continue
          // The rows before it are added, and stay; those behind it are not begun.
          await this.#intents.begin({ steps: waits, begun: waits.length }, 'machine')
          gone = new ModelRefusal([{ path: '', code: 7003, text: 'the router did not answer for a row before it' }])
        }
    }
    onDone?.()
    if (gone === undefined) await this.#intents.end()
    return refusals
  }

  /**
   * Sends one step, to the row that has the natural key at this moment. When nothing came between its reading and the
   * step, that is the row that was read.
   */
  async #send({ step, id: known }: PreparedStep, words: RouterWords, isRead: boolean): Promise<void> {
    const { menu } = step
    if (step.kind === 'add') {
      const before = step.before === undefined ? undefined : (await this.#rows.find(menu, step.before, []))?.['.id']
      await this.#router.command(words.add(menu, step.values, before))
      return
    }
    if (step.kind === 'remove') {
      const id = isRead ? known : (await this.#rows.find(menu, step.match, []))?.['.id']
      if (id !== undefined) await this.#router.command(words.remove(menu, id))
      return
    }
    const id = isSingle(menu) ? undefined : isRead ? known : (await rowOf(step, this.#rows, []))['.id']
    if (Object.keys(step.values).length > 0) await this.#router.command(words.set(menu, id, step.values))
    for (const name of step.unset ?? []) await this.#router.command(words.unset(menu, id ?? '', name))
  }

  /**
   * Undoes the steps up to the one that failed. Resolves with the refusal, and with the steps that wait to be undone when
   * the router does not answer.
   */
  async #undone(
    steps: readonly PreparedStep[],
    at: number,
    error: unknown,
    doing: Doing,
  ): Promise<{ refusal: ModelRefusal; waits?: readonly IntendedStep[] }> {
    const { step, intended } = steps[at] as PreparedStep
    const problem = problemOf(step, error, doing)
    const reached = steps.slice(0, at).map((one) => one.intended)
    // Without an answer the step itself may be done; so may a part of it when it has several commands.
    const mayBeDone = isOpen(error) || (step.kind === 'set' && (step.unset ?? []).length > 0)
    const toUndo = mayBeDone ? [...reached, intended] : reached
    try {
      const left = await this.#undo.all(toUndo)
      const text = [problem.text, ...left].join('; ')
      return { refusal: new ModelRefusal([{ ...problem, text }]) }
    } catch (undoing) {
      this.#log.warn({ err: undoing }, 'a write waits for the router to be undone')
      const text = `${problem.text}; it is undone when the router answers again (${errorText(undoing)})`
      return { refusal: new ModelRefusal([{ ...problem, text }]), waits: toUndo }
    }
  }
}

/** Returns true for a step that is one command at the router. */
function isOneCommand(step: WriteStep): boolean {
  if (step.kind !== 'set') return true
  return (Object.keys(step.values).length > 0 ? 1 : 0) + (step.unset ?? []).length === 1
}
