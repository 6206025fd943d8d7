import { type Clock, timeOfId } from '../base/index.ts'
import type { DeviceId, EventLog, FeedEvent, InstanceStore } from '../domain/index.ts'

/**
 * Ids are in the order of commits within one instance. With several, one may commit an older id after a newer one of
 * another was read; so events younger than this are left until no instance can commit an older one. Milliseconds.
 */
const COMMIT_LAG_MS = 3000
/** The number of live instances is read again after this time, in milliseconds. */
const INSTANCES_MS = 5000

interface EventFeedDeps {
  events: Pick<EventLog, 'since' | 'ofDevice'>
  instances: Pick<InstanceStore, 'alive'>
  clock: Clock
}

/** Reads events in an order that stays: an event that is added later never comes before one that was read. */
export class EventFeed {
  readonly #deps: EventFeedDeps
  #shared = { value: false, until: 0 }

  constructor(deps: EventFeedDeps) {
    this.#deps = deps
  }

  /** Events after an id, oldest first, of one device where one is named; undefined: the newest `limit`. */
  async since(id: string | undefined, limit: number, deviceId?: DeviceId): Promise<FeedEvent[]> {
    const { events: log, clock } = this.#deps
    // Before the events are read: an instance that starts meanwhile commits newer ones only.
    const shared = await this.#isShared()
    const events = await (deviceId === undefined ? log.since(id, limit) : log.ofDevice(deviceId, id, limit))
    if (!shared) return events
    const readable = clock.now() - COMMIT_LAG_MS
    const end = events.findIndex((event) => timeOfId(event.id) > readable)
    return end < 0 ? events : events.slice(0, end)
  }

  /** Returns true while several instances append. */
  async #isShared(): Promise<boolean> {
    const { clock, instances } = this.#deps
    const now = clock.now()
    const { value, until } = this.#shared
    // A clock that was set back does not postpone the next look.
    if (until <= now || until > now + INSTANCES_MS) {
      this.#shared = { value, until: now + INSTANCES_MS }
      this.#shared = { ...this.#shared, value: (await instances.alive(now)).length > 1 }
    }
    return this.#shared.value
  }
}
