import type { Clock, Random } from '../../base/index.ts'
import { retryWaitMs } from '../mtp/index.ts'
import type { Notify, NotifyResp } from '../wire/index.ts'

/** The time for which a notification is sent again. */
export interface Worth {
  /** Milliseconds of retrying; undefined: until it is delivered or the Agent restarts (NotifExpiration 0). */
  forMs: number | undefined
  /** Returns false when its subscription is gone. */
  wanted(): boolean
}

interface Waiting {
  notify: Notify
  attempt: number
  until: number
  worth: Worth
  onAcknowledged: (() => void) | undefined
  cancel?: () => void
}

interface OutboxOptions {
  clock: Clock
  random: Random
  /** USPNotifRetryMinimumWaitInterval (s) and USPNotifRetryIntervalMultiplier, now. */
  retryPolicy(): { minimumS: number; multiplier: number }
  send(msgId: string, notify: Notify): void
  nextId(): string
}

const MAX_WAITING = 200

/**
 * Notifications of one Controller that want an answer: each is sent again under its msg_id until it is acknowledged
 * (TR-369 7.6.2).
 */
export class NotifyOutbox {
  readonly #options: OutboxOptions
  readonly #waiting = new Map<string, Waiting>()

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Sends a notification and returns its msg_id. Without `worth` it is sent once. */
  notify(notify: Notify, worth: Worth | undefined, onAcknowledged?: () => void): string {
    const msgId = this.#options.nextId()
    if (worth !== undefined && this.#waiting.size < MAX_WAITING) {
      const until = worth.forMs === undefined ? Number.POSITIVE_INFINITY : this.#options.clock.now() + worth.forMs
      this.#waiting.set(msgId, { notify, attempt: 0, until, worth, onAcknowledged })
    }
    this.#deliver(msgId, notify)
    return msgId
  }

  has(msgId: string): boolean {
    return this.#waiting.has(msgId)
  }

  /** Sends a waiting notification at once; its waits begin anew. */
  again(msgId: string): void {
    const waiting = this.#waiting.get(msgId)
    if (waiting === undefined) return
    waiting.attempt = 0
    this.#deliver(msgId, waiting.notify)
  }

  /** Takes a NotifyResp: it acknowledges the notification with the same msg_id and subscription_id. */
  acknowledge(msgId: string, body: NotifyResp): void {
    const waiting = this.#waiting.get(msgId)
    if (waiting === undefined || waiting.notify.subscription_id !== body.subscription_id) return
    this.#drop(msgId)
    waiting.onAcknowledged?.()
  }

  stop(): void {
    for (const msgId of [...this.#waiting.keys()]) this.#drop(msgId)
  }

  #drop(msgId: string): void {
    this.#waiting.get(msgId)?.cancel?.()
    this.#waiting.delete(msgId)
  }

  #deliver(msgId: string, notify: Notify): void {
    const { clock, random, retryPolicy, send } = this.#options
    const waiting = this.#waiting.get(msgId)
    if (waiting !== undefined && (clock.now() > waiting.until || !waiting.worth.wanted())) return this.#drop(msgId)
    send(msgId, notify)
    if (waiting === undefined) return
    waiting.attempt++
    const { minimumS, multiplier } = retryPolicy()
    const wait = retryWaitMs(waiting.attempt, minimumS, multiplier, random.fraction())
    waiting.cancel?.()
    waiting.cancel = clock.after(wait, () => this.#deliver(msgId, notify))
  }
}
