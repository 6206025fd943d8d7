import { type Clock, errorText, idBoundAt, type Lifecycle, type Log, timeOfId } from '../base/index.ts'
import type { EventLog, EventType, FeedEvent, InstanceStore } from '../domain/index.ts'

/** Milliseconds between two reads of the feed while several instances live. */
const POLL_MS = 2000
/** Ids are in the order of the clocks of instances, and a commit may be late: what is so old is read once more. */
const OVERLAP_MS = 10_000
const PAGE = 1000

interface FeedFollowerDeps {
  events: Pick<EventLog, 'ofTypes' | 'onAppended'>
  instances: Pick<InstanceStore, 'alive'>
  types: readonly EventType[]
  /** Called once with each event of these types that another instance has appended, some seconds after it. */
  onEvent(event: FeedEvent): void
  clock: Clock
  log: Log
}

/**
 * Passes on the events that other instances append: each instance publishes its own events in its process alone. A read
 * that fails is repeated from the end of the last one. Reads nothing while this instance is the only one.
 */
export class FeedFollower implements Lifecycle {
  readonly name = 'events of other instances'
  readonly #deps: FeedFollowerDeps
  /** Ids of own events, and of events that were passed on already, as long as they may be read again. */
  readonly #known = new Set<string>()
  #from = 0
  #cancel = () => {}
  #unsubscribe = () => {}
  #reading: Promise<void> | undefined
  #isStopped = false

  constructor(deps: FeedFollowerDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    const { events, types, clock } = this.#deps
    this.#from = clock.now()
    this.#unsubscribe = events.onAppended((appended) => {
      for (const { id, type } of appended) if (types.includes(type)) this.#known.add(id)
    })
    this.#schedule()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    this.#unsubscribe()
    await this.#reading
  }

  #schedule(): void {
    if (this.#isStopped) return
    this.#cancel = this.#deps.clock.after(POLL_MS, () => {
      this.#reading = this.#read()
        .catch((error: unknown) =>
          this.#deps.log.info({ reason: errorText(error) }, 'events of other instances were not read; tried again'),
        )
        .finally(() => this.#schedule())
    })
  }

  async #read(): Promise<void> {
    const { events, instances, types, onEvent, clock } = this.#deps
    const now = clock.now()
    const oldest = Math.max(0, this.#from - OVERLAP_MS)
    if ((await instances.alive(now)).length > 1) {
      let after = idBoundAt(oldest)
      for (let count = PAGE; count === PAGE; ) {
        const found = await events.ofTypes(types, after, PAGE)
        for (const event of found) {
          after = event.id
          if (this.#known.has(event.id)) continue
          this.#known.add(event.id)
          onEvent(event)
        }
        count = found.length
      }
    }
    this.#from = now
    for (const id of this.#known) if (timeOfId(id) < oldest) this.#known.delete(id)
  }
}
