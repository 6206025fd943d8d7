import type { Clock } from '../../base/index.ts'
import type { AgentModel } from './agent-model.ts'
import { ModelReader } from './model-reader.ts'
import { SUBSCRIPTIONS } from './owned-tables.ts'

interface LivesOptions {
  model: AgentModel
  /** For waits. */
  clock: Clock
  /** For dates. */
  wallClock: Clock
  /** Runs work of the Agent in order with its requests. */
  enqueue(work: () => Promise<void>): void
}

/** Ends subscriptions: by their TimeToLive, with a restart, with their Controller (TR-181 LocalAgent.Subscription). */
export class SubscriptionLives {
  readonly #options: LivesOptions
  /** Cancels the end of a row, by its path. */
  readonly #ends = new Map<string, () => void>()

  constructor(options: LivesOptions) {
    this.#options = options
  }

  /** Deletes the subscriptions that do not persist: the Agent has restarted. */
  endTransient(): Promise<void> {
    return this.#delete(({ Persistent }) => Persistent !== 'true')
  }

  /** Deletes the subscriptions of Controllers whose rows are deleted. */
  endOf(controllers: readonly string[]): Promise<void> {
    const recipients = new Set(controllers.map((row) => row.replace(/\.$/, '')))
    return this.#delete(({ Recipient }) => recipients.has(Recipient))
  }

  /** Schedules the ends of some rows, or of all; TimeToLive 0 = never. */
  async schedule(rows?: readonly string[]): Promise<void> {
    const { model, clock, wallClock, enqueue } = this.#options
    const reader = await ModelReader.of(model)
    const wanted = rows ?? (await reader.rows(SUBSCRIPTIONS))
    const texts = await reader.textsOf(wanted, ['TimeToLive', 'CreationDate'])
    for (const [i, row] of wanted.entries()) {
      this.#cancel(row)
      const seconds = Number(texts[i]?.TimeToLive) || 0
      if (seconds === 0) continue
      const created = Date.parse(texts[i]?.CreationDate ?? '') || wallClock.now()
      const left = Math.max(0, created + seconds * 1000 - wallClock.now())
      const end = () => enqueue(() => model.delete([row], 'agent'))
      this.#ends.set(row, clock.after(left, end))
    }
  }

  stop(): void {
    for (const row of [...this.#ends.keys()]) this.#cancel(row)
  }

  #cancel(row: string): void {
    this.#ends.get(row)?.()
    this.#ends.delete(row)
  }

  async #delete(isOver: (texts: Record<'Persistent' | 'Recipient', string>) => boolean): Promise<void> {
    const { model } = this.#options
    const reader = await ModelReader.of(model)
    const rows = await reader.rows(SUBSCRIPTIONS)
    const texts = await reader.textsOf(rows, ['Persistent', 'Recipient'])
    const over = rows.filter((_, i) => {
      const own = texts[i]
      return own !== undefined && isOver(own)
    })
    for (const row of over) this.#cancel(row)
    if (over.length > 0) await model.delete(over, 'agent')
  }
}
