import type { DeviceChange } from '../device/change.ts'
import type { NewEvent } from '../feed/event.ts'
import type { DeviceId } from '../id.ts'
import type { Page } from '../page.ts'
import type { Protocol } from '../protocol.ts'
import type { Timestamp } from '../timestamp.ts'
import type { Baseline, Operation, OperationRequest, OperationResult, OperationState } from './operation.ts'

/** The end of an operation, in one commit. */
export interface Ending {
  state: OperationState
  result?: OperationResult
  at: Timestamp
  /** The event for the feed. */
  event?: NewEvent
  /** Stored in place of the request, without its secrets. */
  request?: OperationRequest
  /** Its end has to go into the audit log; `audited` says that it has. */
  owesAudit?: true
  /** Number of sends of a read; of any other operation `markSent` counts them. */
  attempts?: number
  /** The protocol over which a read was answered; of any other operation `markSent` stores it. */
  sentVia?: Protocol
  /** The change of its device, in the same commit: when that is refused, the operation does not end either. */
  change?: DeviceChange
}

/**
 * Durable operations. All changes of state are conditional on the state before, so that two instances cannot both take
 * one.
 */
export interface OperationStore {
  /**
   * Inserts it, with its event, and marks the device as having work. With an idempotencyKey in use: the operation that
   * has it.
   */
  create(operation: Operation, event?: NewEvent): Promise<{ operation: Operation; created: boolean }>
  get(id: string): Promise<Operation | undefined>
  /** The operation of a device that has this idempotency key. */
  byKey(deviceId: DeviceId, idempotencyKey: string): Promise<Operation | undefined>
  /** Queued, sent and unknown operations of a device, in the order of their `place`, then of their ids. */
  open(deviceId: DeviceId, limit: number): Promise<Operation[]>
  list(query: {
    deviceId?: DeviceId
    states?: OperationState[]
    limit: number
    cursor?: string
  }): Promise<Page<Operation>>
  /** queued -> sent, journaled, one more attempt; false when it was not queued any more. */
  markSent(id: string, sent: { at: Timestamp; via: Protocol; instance: string; baseline?: Baseline }): Promise<boolean>
  /** sent -> queued: it certainly did not leave. */
  requeue(id: string): Promise<boolean>
  /** sent -> unknown. */
  markUnknown(id: string): Promise<boolean>
  /** Any state in `from` -> a final one with its result; false when it was in none of them. */
  finish(id: string, from: OperationState[], ending: Ending): Promise<boolean>
  /** The audit log has its end. */
  audited(id: string): Promise<void>
  /** Final operations whose end is not in the audit log although they ended before `before`; oldest first. */
  owingAudit(before: Timestamp, limit: number): Promise<Operation[]>
  /** Stores what an accepted operation waits for without ending it (outcome `pending`). */
  notePending(id: string, result: OperationResult): Promise<void>
  /** sent operations of an instance that have no answer yet, 1000 at the most. */
  unanswered(instance: string): Promise<{ id: string; deviceId: DeviceId }[]>
  /**
   * sent operations held by instances not in `alive` become unknown; the devices get their work flag. Returns how many.
   */
  orphaned(alive: string[]): Promise<number>
  /** queued operations past their expiry, oldest first. */
  expired(now: Timestamp, limit: number): Promise<Operation[]>
  /**
   * Flags again every device that has open operations but no work flag (a crash between the two writes). Returns how
   * many.
   */
  repairWorkFlags(): Promise<number>
}
