import type { InstanceStore } from '../../domain/index.ts'
import type { WritingSessions } from '../commit/writing-sessions.ts'
import { deleteEach } from '../mongo/each.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'

/** Live server instances: each writes its heartbeat, and is dead when that is over. */
export class InstanceRepository implements InstanceStore {
  readonly #instances: Collection
  readonly #settings: Collection
  readonly #sessions: WritingSessions

  constructor(connection: Connection, sessions: WritingSessions) {
    this.#sessions = sessions
    this.#instances = connection.collection<Document_>('instances')
    this.#settings = connection.collection<Document_>('settings')
  }

  async raise(ms: number, at: number): Promise<{ ms: number; at?: number }> {
    const before = await this.#settings.findOneAndUpdate(
      { _id: 'serviceTime' },
      { $max: { ms }, $set: { at } },
      { upsert: true, returnDocument: 'before' },
    )
    if (before === null) return { ms }
    return { ms: Math.max(ms, Number(before.ms ?? 0)), ...(typeof before.at === 'number' ? { at: before.at } : {}) }
  }

  async beat(instance: string, now: number, ttlMs: number): Promise<void> {
    // Whoever took this instance for dead has deleted its document.
    const $setOnInsert = { sessions: this.#sessions.ids }
    await this.#instances.updateOne({ _id: instance }, { $set: { until: now + ttlMs }, $setOnInsert }, { upsert: true })
  }

  endDead(now: number): Promise<number> {
    return this.#sessions.endThoseOfDead(now)
  }

  async alive(now: number): Promise<string[]> {
    return (await this.#instances.find({ until: { $gte: now } }).toArray()).map((document) => document._id)
  }

  async leave(instance: string): Promise<void> {
    await this.#instances.deleteOne({ _id: instance })
  }

  async alone(instance: string): Promise<void> {
    await deleteEach(this.#instances, { _id: { $ne: instance } })
  }
}
