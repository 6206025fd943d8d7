import { AppError, type Clock, endsWithin, systemClock } from '../../base/index.ts'
import { translate } from '../mongo/failure.ts'
import type { Collection } from '../mongo/mongoose.ts'

const LIMIT_MS = 2000
/** However often it is asked, the database is asked no more often than this. */
const EVERY_MS = 1000
const ID = 'readiness'

/**
 * Checks that the database takes a write and reads it back: a ping is also answered by a database that can do neither.
 */
export class Readiness {
  readonly #settings: Collection
  readonly #instance: string
  readonly #clock: Clock
  #begunAt: number | undefined
  #answer: Promise<void> = Promise.resolve()
  #underWay = false

  constructor(settings: Collection, instance: string, clock: Clock) {
    this.#settings = settings
    this.#instance = instance
    this.#clock = clock
  }

  /**
   * The answer of the last second, or a new one. AppError `unavailable` when the database does not write and read
   * within two seconds.
   */
  async check(): Promise<void> {
    const stale = this.#begunAt === undefined || performance.now() - this.#begunAt >= EVERY_MS
    // One that the database leaves without an answer is not asked beside.
    if (stale && !this.#underWay) this.#begin()
    if (!(await endsWithin(this.#answer, LIMIT_MS, systemClock)))
      throw new AppError('unavailable', `the database did not write and read within ${LIMIT_MS / 1000} s`)
  }

  #begin(): void {
    this.#begunAt = performance.now()
    this.#underWay = true
    this.#answer = this.#writeAndRead()
      .catch((error: unknown) => {
        throw translate(error)
      })
      .finally(() => {
        this.#underWay = false
      })
    // Its callers may have gone by then.
    this.#answer.catch(() => undefined)
  }

  async #writeAndRead(): Promise<void> {
    const at = this.#clock.now()
    await this.#settings.updateOne({ _id: ID }, { $set: { at, by: this.#instance } }, { upsert: true })
    // Several servers write the one document; finding it shows that the database reads.
    if ((await this.#settings.findOne({ _id: ID })) === null)
      throw new AppError('unavailable', 'the database does not return what was written')
  }
}
