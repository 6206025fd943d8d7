import type { ServiceTimeStore } from '../../base/index.ts'
import type { Timestamp } from '../timestamp.ts'

/** The live server instances, by heartbeat, and the service time of all of them. */
export interface InstanceStore extends ServiceTimeStore {
  /** Stores a heartbeat: the instance is alive up to and including `now + ttlMs`. */
  beat(instance: string, now: Timestamp, ttlMs: number): Promise<void>
  /** The names of the instances whose heartbeat is not over. */
  alive(now: Timestamp): Promise<string[]>
  /**
   * Aborts the transactions of instances whose heartbeat is over, so that nothing waits for the documents that they
   * hold, and forgets these instances; never this one. Resolves with how many.
   */
  endDead(now: Timestamp): Promise<number>
  /** Forgets the instance. Repeating it changes nothing. */
  leave(instance: string): Promise<void>
  /** Forgets all others: the database belongs to this instance alone. */
  alone(instance: string): Promise<void>
}

/**
 * Recurring work, once over all instances. A handler that throws is logged and runs again at its next time, and so is
 * one that has not returned after `limitMs` (default two minutes): whatever it waits for, the job goes on without it,
 * here or on another instance.
 */
export interface JobQueue {
  every(name: string, intervalMs: number, handler: () => Promise<void>, limitMs?: number): void
  start(): Promise<void>
  stop(): Promise<void>
}
