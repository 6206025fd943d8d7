import { type ModelProblem, ModelRefusal } from '../../usp/index.ts'
import type { RouterModel } from '../model/router-model.ts'
import { Draft, DraftRefusal } from '../write/draft.ts'
import type { RouterInstances } from '../write/instances.ts'
import { type Doing, failureOf } from '../write/router-failure.ts'
import type { RouterRows } from '../write/router-rows.ts'
import type { RouterWriter } from '../write/router-writer.ts'

export interface DraftParts {
  model: RouterModel
  writer: RouterWriter
  rows: RouterRows
}

/** Makes drafts of requests and does their steps. Rows that were read before are read anew, before and afterwards. */
export class DraftWrites {
  readonly #parts: DraftParts
  readonly #instances: RouterInstances

  constructor(parts: DraftParts, instances: RouterInstances) {
    this.#parts = parts
    this.#instances = instances
  }

  /** Does a draft as a whole or not at all; ModelRefusal. `afterwards` is called when the router has done it. */
  async write(doing: Doing, plan: (draft: Draft) => Promise<void>, afterwards?: () => void): Promise<void> {
    const { writer } = this.#parts
    await this.#anew(afterwards, async (begin, onDone) => {
      await writer.write(async () => {
        const draft = begin()
        await planned(plan(draft), doing)
        return { steps: draft.steps, doing, onDone }
      })
    })
  }

  /**
   * Does a draft for each item, each for itself; the drafts only add rows. Resolves with the refusals at the places of
   * their items; undefined for a draft of other steps, and for one that was refused before it was begun: it may be tried
   * by `write`.
   */
  writeEach<T>(
    items: readonly T[],
    plan: (item: T, draft: Draft) => Promise<void>,
  ): Promise<readonly ('done' | ModelRefusal | undefined)[]> {
    const { writer } = this.#parts
    return this.#anew(undefined, async (begin, onDone) => {
      const drafts: (Draft | undefined)[] = []
      const refusals = await writer.writeEach(async () => {
        for (const item of items) {
          const draft = begin()
          const isPlanned = await planned(plan(item, draft), 'add').then(
            () => true,
            () => false,
          )
          drafts.push(isPlanned && draft.steps.every(({ kind }) => kind === 'add') ? draft : undefined)
        }
        const rows = drafts.map((draft) => draft?.steps.filter((step) => step.kind === 'add') ?? [])
        return { rows, onDone }
      })
      return drafts.map((draft, i) => (draft === undefined ? undefined : (refusals[i] ?? 'done')))
    })
  }

  async #anew<T>(
    afterwards: (() => void) | undefined,
    work: (begin: () => Draft, onDone: () => void) => Promise<T>,
  ): Promise<T> {
    const { model, rows } = this.#parts
    const { facts, menus } = await model.found()
    let isDone = false
    let now: RouterRows | undefined
    try {
      return await work(
        () => {
          if (now === undefined) menus.forget()
          now ??= rows.once()
          return new Draft(now, this.#instances, facts.version)
        },
        () => {
          isDone = true
          menus.forget()
          afterwards?.()
        },
      )
    } finally {
      if (!isDone) menus.forget()
    }
  }
}

async function planned(plan: Promise<void>, doing: Doing): Promise<void> {
  try {
    await plan
  } catch (error) {
    throw error instanceof ModelRefusal ? error : failureOf(error, doing)
  }
}

/** Notes a refusal of one part of a request. */
export async function collect(
  problems: ModelProblem[],
  row: number | undefined,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof DraftRefusal)) throw error
    const { path, code, message: text } = error
    problems.push({ path, code, text, ...(row === undefined ? {} : { row }) })
  }
}

/** Throws a ModelRefusal when there are problems. */
export function refuse(problems: readonly ModelProblem[]): void {
  if (problems.length > 0) throw new ModelRefusal(problems)
}
