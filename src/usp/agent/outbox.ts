import type { Clock, Random } from '../../base/index.ts'
import { retryWaitMs } from '../mtp/index.ts'
import type { Notify, NotifyResp } from '../wire/index.ts'

/** How long a notification is worth sending again. */
export interface Worth {
  /** Milliseconds of retrying; undefined: until it is delivered or the Agent restarts (NotifExpiration 0). */
  forMs: number | undefined
  /** False once nobody wants it any more. */
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
  timeScale: number
  /** USPNotifRetryMinimumWaitInterval (s) and USPNotifRetryIntervalMultiplier, now. */
  retryPolicy(): { minimumS: number; multiplier: number }
  send(msgId: string, notify: Notify): void
  nextId(): string
}

const MAX_WAITING = 200

/** Notifications of one Controller that want an answer: sent again by the table of TR-369 7.6.2 until it comes, under the same msg_id. */
export class NotifyOutbox {
  readonly #options: OutboxOptions
  readonly #waiting = new Map<string, Waiting>()

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Sends one; `worth` undefined: once, whether or not it arrives. Answers its msg_id. */
  notify(notify: Notify, worth: Worth | undefined, onAcknowledged?: () => void): string {
    const msgId = this.#options.nextId()
    if (worth !== undefined && this.#waiting.size < MAX_WAITING) {
      const { clock, timeScale } = this.#options
      const until = worth.forMs === undefined ? Number.POSITIVE_INFINITY : clock.now() + worth.forMs / timeScale
      this.#waiting.set(msgId, { notify, attempt: 0, until, worth, onAcknowledged })
    }
    this.#deliver(msgId, notify)
    return msgId
  }

  has(msgId: string): boolean {
    return this.#waiting.has(msgId)
  }

  /** Sends one that waits at once, its waits beginning anew. */
  again(msgId: string): void {
    const waiting = this.#waiting.get(msgId)
    if (waiting === undefined) return
    waiting.attempt = 0
    this.#deliver(msgId, waiting.notify)
  }

  /** A NotifyResp counts for the notification with its msg_id and subscription_id only. */
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
    const { clock, random, timeScale, retryPolicy, send } = this.#options
    const waiting = this.#waiting.get(msgId)
    if (waiting !== undefined && (clock.now() > waiting.until || !waiting.worth.wanted())) return this.#drop(msgId)
    send(msgId, notify)
    if (waiting === undefined) return
    waiting.attempt++
    const { minimumS, multiplier } = retryPolicy()
    const wait = retryWaitMs(waiting.attempt, minimumS, multiplier, random.fraction())
    waiting.cancel?.()
    waiting.cancel = clock.after(wait / timeScale, () => this.#deliver(msgId, notify))
  }
}
