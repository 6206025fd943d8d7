import type { InstanceStore } from '../domain/index.ts'
import type { Collection, Connection, Document_ } from './mongoose.ts'

/** Live server instances: each writes its heartbeat; who is late is gone. */
export class InstanceRepository implements InstanceStore {
  readonly #instances: Collection
  readonly #settings: Collection

  constructor(connection: Connection) {
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
    await this.#instances.updateOne({ _id: instance }, { $set: { until: now + ttlMs } }, { upsert: true })
  }

  async alive(now: number): Promise<string[]> {
    await this.#instances.deleteMany({ until: { $lt: now - 86_400_000 } })
    return (await this.#instances.find({ until: { $gte: now } }).toArray()).map((document) => document._id)
  }

  async leave(instance: string): Promise<void> {
    await this.#instances.deleteOne({ _id: instance })
  }

  async alone(instance: string): Promise<void> {
    await this.#instances.deleteMany({ _id: { $ne: instance } })
  }
}
