import type { DeviceId, EventLog, EventType, FeedEvent, NewEvent } from '../../domain/index.ts'
import type { ChangeWriter } from '../commit/changes.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import { fromDocument } from '../mongo/convert.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import { newestById } from '../reads/newest.ts'

/** The event feed, read side; what is appended goes through commits. */
export class EventRepository implements EventLog {
  readonly #events: Collection
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter
  readonly #listeners: Set<(events: FeedEvent[]) => void>
  readonly #now: () => number

  constructor(
    connection: Connection,
    commit: GroupCommit,
    writer: ChangeWriter,
    listeners: Set<(events: FeedEvent[]) => void>,
    now: () => number,
  ) {
    this.#now = now
    this.#events = connection.collection<Document_>('events')
    this.#commit = commit
    this.#writer = writer
    this.#listeners = listeners
  }

  append(events: NewEvent[]): Promise<void> {
    return this.#commit.commit(this.#writer.withEvents([], events))
  }

  async since(id: string | undefined, limit: number): Promise<FeedEvent[]> {
    const toEvent = (document: Document_) => fromDocument<FeedEvent>(document)
    if (id === undefined) return (await newestById(this.#events, limit, this.#now())).map(toEvent).reverse()
    return (
      await this.#events
        .find({ _id: { $gt: id } })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray()
    ).map(toEvent)
  }

  async ofDevice(deviceId: DeviceId, after: string | undefined, limit: number): Promise<FeedEvent[]> {
    const toEvent = (document: Document_) => fromDocument<FeedEvent>(document)
    if (after === undefined) {
      const newest = this.#events.find({ deviceId }).sort({ _id: -1 }).limit(limit)
      return (await newest.toArray()).map(toEvent).reverse()
    }
    const found = this.#events
      .find({ deviceId, _id: { $gt: after } })
      .sort({ _id: 1 })
      .limit(limit)
    return (await found.toArray()).map(toEvent)
  }

  async ofTypes(types: readonly EventType[], after: string, limit: number): Promise<FeedEvent[]> {
    const found = this.#events
      .find({ _id: { $gt: after }, type: { $in: [...types] } })
      .sort({ _id: 1 })
      .limit(limit)
    return (await found.toArray()).map((document) => fromDocument<FeedEvent>(document))
  }

  onAppended(listener: (events: FeedEvent[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
