import type { Notify } from '../wire/index.ts'

/** A notification that is owed to a Controller until it is acknowledged, as it is kept over a restart. */
export interface OwedNotify {
  msgId: string
  /** Row of the Controller. */
  controller: string
  /** Row of its subscription. */
  subscription: string
  /** Milliseconds since the Unix epoch; undefined: until it is delivered (NotifExpiration 0). */
  expiresAt?: number
  notify: Notify
}

/** Keeps the owed notifications of one Agent (TR-369 7.6.2) while its process is not running. */
export interface NotifyStore {
  /** Resolves with what is owed, oldest first. */
  load(): Promise<readonly OwedNotify[]>
  /** Resolves when the notification is durable. A second one with the same msgId replaces the first. */
  put(owed: OwedNotify): Promise<void>
  /** Takes a notification away; one that comes back after a power cut is sent again under its msg_id. */
  remove(msgId: string): Promise<void>
}
