import type { Log } from '../base/index.ts'
import { HOLDING, OPEN, type Plan, type PlanMember, type PlanStore } from '../domain/index.ts'
import { pages } from '../rollout/index.ts'

/** Members that one look compares. */
const PER_LOOK = 2000
const PAGE = 500
const STARTED: Plan['state'][] = ['running', 'paused', 'aborting', 'aborted', 'finished', 'deleted']

interface RecordLookDeps {
  plans: PlanStore
  log: Log
  /** Compares a member with the record of its device and carries out what it missed. */
  catchUp(member: PlanMember): Promise<void>
}

/**
 * Compares the members that hold a device, or are to move it, with the records of their devices, piece by piece, so
 * that an event that was lost with a server is found later.
 */
export class RecordLook {
  readonly #deps: RecordLookDeps
  #walk: AsyncGenerator<PlanMember> | undefined

  constructor(deps: RecordLookDeps) {
    this.#deps = deps
  }

  /**
   * Compares the next members; after the last one, the next call begins with the first. Rejects when the database does
   * not answer.
   */
  async look(): Promise<void> {
    this.#walk ??= this.#members()
    try {
      for (let count = 0; count < PER_LOOK; count++) {
        const { value, done } = await this.#walk.next()
        if (done === true) break
        await this.#compare(value)
        if (count === PER_LOOK - 1) return
      }
    } catch (error) {
      this.#walk = undefined
      throw error
    }
    this.#walk = undefined
  }

  async #compare(member: PlanMember): Promise<void> {
    try {
      await this.#deps.catchUp(member)
    } catch (err) {
      this.#deps.log.warn(
        { err, memberId: member.id },
        'a member did not catch up with its device; a later look repeats it',
      )
    }
  }

  async *#members(): AsyncGenerator<PlanMember> {
    const { plans } = this.#deps
    const states = [...OPEN, ...HOLDING.filter((state) => !OPEN.includes(state))]
    for await (const { id } of pages((cursor) => plans.listPlans({ states: STARTED, limit: PAGE, ...cursor })))
      yield* pages((cursor) => plans.listMembers(id, { states, limit: PAGE, ...cursor }))
  }
}
