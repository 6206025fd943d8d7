import { type Clock, errorText, type Log, type Random } from '../../base/index.ts'
import { retryWaitMs } from '../mtp/index.ts'
import type { Notify } from '../wire/index.ts'
import type { NotifyStore, OwedNotify } from './owed.ts'

/** The time for which a notification is sent again. */
export interface Worth {
  /** Row of its subscription, for one that is kept over a restart. */
  subscription?: string
  /** Milliseconds of retrying; undefined: until it is delivered or the Agent restarts (NotifExpiration 0). */
  forMs: number | undefined
  /** Returns false when its subscription is gone. */
  wanted(): boolean
}

interface Waiting {
  notify: Notify
  /** Times that it was sent since the Agent started or the link of its first try was there. */
  attempt: number
  until: number
  worth: Worth
  bytes: number
  isStored: boolean
  /** True: it is sent at the next flush. */
  isDue: boolean
  onAcknowledged: (() => void) | undefined
  cancel?: () => void
}

interface OutboxOptions {
  /** Row of the Controller. */
  controller: string
  /** Keeps owed notifications over a restart; undefined: a restart loses them. */
  store: NotifyStore | undefined
  clock: Clock
  /** For the time at which a stored notification expires. */
  wallClock: Clock
  random: Random
  log: Log
  /** USPNotifRetryMinimumWaitInterval (s) and USPNotifRetryIntervalMultiplier, now. */
  retryPolicy(): { minimumS: number; multiplier: number }
  /** Returns false when the link is closed: nothing was sent. */
  send(msgId: string, notify: Notify): boolean
  nextId(): string
}

/** Notifications that wait for one Controller at most, by number and by size; a further one is sent once. */
const MAX_WAITING = 200
const MAX_BYTES = 4 * 1024 * 1024

/**
 * Notifications of one Controller. Those that want an answer are sent again under their msg_id until they are
 * acknowledged (R-NOT.1, R-NOT.2), over a restart when there is a store. A notification that is due while the link is
 * closed is sent when it is open.
 */
export class NotifyOutbox {
  readonly #options: OutboxOptions
  readonly #waiting = new Map<string, Waiting>()
  #once: { msgId: string; notify: Notify }[] = []
  #bytes = 0
  #isFull = false

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Takes a notification that is sent once, at the next flush, when the link is open then. */
  addOnce(notify: Notify): void {
    this.#once.push({ msgId: this.#options.nextId(), notify })
  }

  /**
   * Takes a notification that is sent until it is acknowledged, from the next flush on. Resolves with its msg_id when it
   * is durable. When too much waits already, it is sent once. Never rejects: what cannot be stored is kept in memory.
   */
  async add(notify: Notify, worth: Worth, onAcknowledged?: () => void): Promise<string> {
    const { clock, nextId } = this.#options
    const msgId = nextId()
    const bytes = JSON.stringify(notify).length
    if (this.#waiting.size >= MAX_WAITING || this.#bytes + bytes > MAX_BYTES) {
      this.#noteFull()
      this.#once.push({ msgId, notify })
      return msgId
    }
    const isStored = await this.#store(msgId, notify, worth)
    const until = worth.forMs === undefined ? Number.POSITIVE_INFINITY : clock.now() + worth.forMs
    this.#keep(msgId, { notify, attempt: 0, until, worth, bytes, isStored, isDue: true, onAcknowledged })
    return msgId
  }

  /** Takes a notification that was owed before a restart; its retry count begins anew (R-NOT.4). */
  restore({ msgId, notify, expiresAt, subscription }: OwedNotify, wanted: () => boolean): void {
    if (this.#waiting.has(msgId)) return
    const { clock, wallClock } = this.#options
    const forMs = expiresAt === undefined ? undefined : expiresAt - wallClock.now()
    const until = forMs === undefined ? Number.POSITIVE_INFINITY : clock.now() + forMs
    const worth = { subscription, forMs, wanted }
    const bytes = JSON.stringify(notify).length
    this.#keep(msgId, {
      notify,
      attempt: 0,
      until,
      worth,
      bytes,
      isStored: true,
      isDue: true,
      onAcknowledged: undefined,
    })
  }

  has(msgId: string): boolean {
    return this.#waiting.has(msgId)
  }

  /** Makes a waiting notification due; its waits begin anew. */
  again(msgId: string): void {
    const waiting = this.#waiting.get(msgId)
    if (waiting === undefined) return
    waiting.cancel?.()
    waiting.attempt = 0
    waiting.isDue = true
  }

  /** Sends all that is due, in the order in which it came; when the link is closed, what is owed stays due. */
  flush(): void {
    const once = this.#once
    this.#once = []
    const due = [...this.#waiting].filter(([, { isDue }]) => isDue)
    for (const [msgId] of due) this.#deliver(msgId)
    for (const { msgId, notify } of once) this.#options.send(msgId, notify)
  }

  /** Takes a NotifyResp: its msg_id decides, whatever its subscription_id is (R-NOT.9). */
  acknowledge(msgId: string): void {
    const waiting = this.#waiting.get(msgId)
    if (waiting === undefined) return
    this.#drop(msgId)
    waiting.onAcknowledged?.()
  }

  /** Ends all waits; what is stored is restored at the next start. */
  stop(): void {
    for (const { cancel } of this.#waiting.values()) cancel?.()
    this.#waiting.clear()
    this.#once = []
    this.#bytes = 0
  }

  /** Takes all away, also from the store: their Controller is gone. */
  discard(): void {
    for (const msgId of [...this.#waiting.keys()]) this.#drop(msgId)
    this.#once = []
  }

  #keep(msgId: string, waiting: Waiting): void {
    this.#waiting.set(msgId, waiting)
    this.#bytes += waiting.bytes
  }

  async #store(msgId: string, notify: Notify, { subscription, forMs }: Worth): Promise<boolean> {
    const { store, controller, wallClock, log } = this.#options
    if (store === undefined || subscription === undefined) return false
    const expiresAt = forMs === undefined ? {} : { expiresAt: wallClock.now() + forMs }
    try {
      await store.put({ msgId, controller, subscription, ...expiresAt, notify })
      return true
    } catch (error) {
      const fields = { reason: errorText(error), subscriptionId: notify.subscription_id }
      log.error(fields, 'a notification cannot be stored; it is lost when the process ends before it is acknowledged')
      return false
    }
  }

  #drop(msgId: string): void {
    const waiting = this.#waiting.get(msgId)
    if (waiting === undefined) return
    waiting.cancel?.()
    this.#waiting.delete(msgId)
    this.#bytes -= waiting.bytes
    this.#isFull = false
    if (!waiting.isStored) return
    const { store, log } = this.#options
    store?.remove(msgId).catch((error: unknown) => {
      log.warn({ reason: errorText(error) }, 'a notification cannot be taken from the store; it may be sent again')
    })
  }

  #noteFull(): void {
    if (!this.#isFull)
      this.#options.log.warn(
        { waiting: this.#waiting.size },
        'too many notifications wait for an answer; further ones are sent once',
      )
    this.#isFull = true
  }

  #deliver(msgId: string): void {
    const { clock, random, retryPolicy, send } = this.#options
    const waiting = this.#waiting.get(msgId)
    if (waiting === undefined) return
    if (clock.now() > waiting.until || !waiting.worth.wanted()) return this.#drop(msgId)
    waiting.isDue = !send(msgId, waiting.notify)
    if (waiting.isDue) return
    waiting.attempt++
    const { minimumS, multiplier } = retryPolicy()
    const wait = retryWaitMs(waiting.attempt, minimumS, multiplier, random.fraction())
    waiting.cancel?.()
    waiting.cancel = clock.after(wait, () => this.#deliver(msgId))
  }
}
