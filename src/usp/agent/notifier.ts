import type { Access } from './access/access.ts'
import { AgentError } from './agent-error.ts'
import type { AgentModel, ModelChange } from './agent-model.ts'
import { occurrencesOf } from './changes.ts'
import type { ControllerChannel } from './channel.ts'
import { ModelReader } from './model-reader.ts'
import type { Occurrence } from './occurrence.ts'
import type { Worth } from './outbox.ts'
import type { NotifyStore } from './owed.ts'
import type { Requester } from './requester.ts'
import { resolveAll } from './resolve.ts'
import type { RoleTable } from './role-table.ts'
import {
  type ActiveSubscription,
  isSearched,
  matchesReference,
  mayBeNotified,
  readSubscriptions,
} from './subscriptions.ts'

interface Planned {
  channel: ControllerChannel
  subscription: ActiveSubscription
  notification: Occurrence['notification']
}

/**
 * Makes the notifications of an Agent (TR-369 7.6): one for each subscription that means an occurrence, to a Controller
 * whose roles permit it. They are taken note of first, and sent at `flush`.
 */
export class Notifier {
  /** Notifications since the Agent was made. */
  count = 0
  readonly #model: AgentModel
  readonly #roles: RoleTable
  readonly #channels: ReadonlyMap<string, ControllerChannel>
  #subscriptions: readonly ActiveSubscription[] = []

  /** `channels` are those of the Agent now, by Controller row. */
  constructor(model: AgentModel, roles: RoleTable, channels: ReadonlyMap<string, ControllerChannel>) {
    this.#model = model
    this.#roles = roles
    this.#channels = channels
  }

  /** Reads the subscriptions anew. */
  async refresh(): Promise<void> {
    this.#subscriptions = await readSubscriptions(await ModelReader.of(this.#model))
  }

  /** Takes note of changes. Rejects when the model cannot be read; nothing was taken note of then. */
  async noteChanges(changes: readonly ModelChange[]): Promise<void> {
    if (this.#channels.size === 0 || this.#subscriptions.length === 0) return
    await this.note(await occurrencesOf(await ModelReader.of(this.#model), changes))
  }

  /**
   * Takes note of occurrences, for the Controllers of all channels or for one; resolves when those that are owed are
   * durable. Rejects when the model cannot be read; nothing was taken note of then.
   */
  async note(occurrences: readonly Occurrence[], only?: ControllerChannel): Promise<void> {
    const planned: Planned[] = []
    for (const channel of only === undefined ? this.#channels.values() : [only])
      if (channel.isEnabled) planned.push(...(await this.#plan(channel, occurrences)))
    for (const { channel, subscription, notification } of planned) {
      this.count++
      const { id, retry } = subscription
      const notify = { subscription_id: id, send_resp: retry, ...notification }
      if (retry) await channel.outbox.add(notify, this.#worthOf(subscription))
      else channel.outbox.addOnce(notify)
    }
  }

  /** Sends what was taken note of. */
  flush(): void {
    for (const { outbox } of this.#channels.values()) outbox.flush()
  }

  /** Gives what was owed before a restart to the channels; what nobody waits for any more is taken away. */
  async restore(store: NotifyStore): Promise<void> {
    for (const owed of await store.load()) {
      const channel = this.#channels.get(owed.controller)
      const isWanted = () => this.#hasSubscription(owed.subscription, owed.notify.subscription_id)
      if (channel !== undefined && isWanted()) channel.outbox.restore(owed, isWanted)
      else await store.remove(owed.msgId)
    }
  }

  async #plan(channel: ControllerChannel, occurrences: readonly Occurrence[]): Promise<Planned[]> {
    const types = new Set(occurrences.map(({ type }) => type))
    const own = this.#subscriptions.filter(({ controller, type }) => controller === channel.row && types.has(type))
    if (own.length === 0) return []
    const access = await this.#roles.accessOf(channel.row)
    const found = await this.#search({ by: channel.row, access }, own)
    return occurrences.flatMap(({ type, about, notification, only }) => {
      if (!mayBeNotified(access, type, about)) return []
      if (only !== undefined && (only.controller !== channel.row || !access.mayRead(only.parameter))) return []
      const isMeant = (reference: string) => matchesReference(reference, found.get(reference), about)
      return own
        .filter((subscription) => subscription.type === type && subscription.references.some(isMeant))
        .map((subscription) => ({ channel, subscription, notification: readableOf(access, notification) }))
    })
  }

  /** Resolves with the paths that references with searches mean now, as their Controller may read. */
  async #search(requester: Requester, subscriptions: readonly ActiveSubscription[]): Promise<Map<string, string[]>> {
    const searches = [...new Set(subscriptions.flatMap(({ references }) => references.filter(isSearched)))]
    if (searches.length === 0) return new Map()
    const resolved = await resolveAll(await ModelReader.of(this.#model, requester), searches)
    return new Map(
      searches.map((search, i) => {
        const one = resolved[i]
        // A reference may name an object that does not exist yet.
        if (one === undefined || one instanceof AgentError) return [search, []]
        return [search, one.objects.map((object) => object + one.leaf)]
      }),
    )
  }

  #worthOf({ row, id, expirationS }: ActiveSubscription): Worth {
    return {
      subscription: row,
      forMs: expirationS === 0 ? undefined : expirationS * 1000,
      wanted: () => this.#hasSubscription(row, id),
    }
  }

  #hasSubscription(row: string, id: string): boolean {
    return this.#subscriptions.some((other) => other.row === row && other.id === id)
  }
}

/** Leaves out the unique keys of a new row that the Controller may not read. */
function readableOf(access: Access, notification: Occurrence['notification']): Occurrence['notification'] {
  const { obj_creation } = notification
  if (obj_creation === undefined) return notification
  const { obj_path, unique_keys } = obj_creation
  const keys = Object.entries(unique_keys).filter(([name]) => access.mayRead(obj_path + name))
  return { obj_creation: { obj_path, unique_keys: Object.fromEntries(keys) } }
}
