import type { AgentModel } from './agent-model.ts'
import type { ControllerChannel } from './channel.ts'
import { type ControllerRow, readControllers } from './controller-rows.ts'
import { ModelReader } from './model-reader.ts'

/** The channels of an Agent, one for each row of the Controller table. */
export class ControllerChannels {
  /** By Controller row. */
  readonly byRow: ReadonlyMap<string, ControllerChannel>
  readonly #channels = new Map<string, ControllerChannel>()
  readonly #model: AgentModel
  readonly #make: (settings: ControllerRow) => ControllerChannel
  /** Counts stops: work that went on over one of them compares it and returns. */
  #life = 0

  constructor(model: AgentModel, make: (settings: ControllerRow) => ControllerChannel) {
    this.#model = model
    this.#make = make
    this.byRow = this.#channels
  }

  get connected(): boolean {
    return [...this.#channels.values()].some((channel) => channel.connected)
  }

  /** Opens the channels of enabled Controllers and closes the others, by the rows as they are now. */
  async follow(): Promise<void> {
    const life = this.#life
    const rows = await readControllers(await ModelReader.of(this.#model))
    if (life !== this.#life) return
    for (const [row, channel] of this.#channels) {
      if (rows.some((other) => other.row === row)) continue
      this.#channels.delete(row)
      channel.outbox.discard()
      channel.stop(true)
    }
    for (const settings of rows) {
      // One that is not enabled has a channel, too: it may be owed notifications.
      const channel = this.#channels.get(settings.row) ?? this.#make(settings)
      this.#channels.set(settings.row, channel)
      channel.apply(settings)
    }
  }

  /** Resolves with the channels whose TransferCompletePolicy lets a success or a failure through. */
  async interestedIn(result: 'Success' | 'Failure'): Promise<ControllerChannel[]> {
    const rows = [...this.#channels.keys()]
    const reader = await ModelReader.of(this.#model)
    const policies = await reader.textsOf(rows, ['TransferCompletePolicy.ResultTypeFilter'])
    const unwanted = result === 'Success' ? 'Failure' : 'Success'
    return rows.flatMap((row, i) => {
      const isFiltered = policies[i]?.['TransferCompletePolicy.ResultTypeFilter'] === unwanted
      return isFiltered ? [] : (this.#channels.get(row) ?? [])
    })
  }

  stop(graceful: boolean): void {
    this.#life++
    for (const channel of this.#channels.values()) channel.stop(graceful)
    this.#channels.clear()
  }
}
