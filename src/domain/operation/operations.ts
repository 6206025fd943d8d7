import type { Device } from '../device/device.ts'
import type { DeviceId } from '../id.ts'
import type { Actor } from '../principal.ts'
import type { Protocol } from '../protocol.ts'
import type { Timestamp } from '../timestamp.ts'
import type { Operation } from './operation.ts'

export interface NewOperation {
  deviceId: DeviceId
  request: Operation['request']
  actor: Actor
  via?: Protocol
  idempotencyKey?: string
  /** The caller has not used the key before: no operation is looked for. One that has it is found when it is stored. */
  isNewKey?: true
  /** As `bootstrapAt` of the operation. */
  bootstrapAt?: Timestamp
  /** As `thenRead` of the operation. */
  thenRead?: string[]
  /** Longest time that it may wait for the device, in milliseconds; default 1 hour. */
  expiresInMs?: number
  /** The caller asks for another operation as soon as this one has ended: a session of the CPE is held open for it. */
  more?: true
}

/** The look at a request before it is made. */
export interface OperationPreview {
  /**
   * Checks a request as `submit` does, and does not make it. Resolves with the file that the device would be given, its
   * secrets masked; undefined where the request has none. AppError as of `submit`.
   */
  preview(operation: NewOperation): Promise<string | undefined>
}

/** The one engine for protocol-neutral verbs. */
export interface Operations {
  /**
   * Validates, audits and persists; resolves once it is durable. AppError `invalid`, `notFound`, `forbidden`,
   * `conflict`.
   */
  submit(operation: NewOperation): Promise<Operation>
  get(id: string): Promise<Operation | undefined>
  /** Resolves with the operation once it is final, or as it stands after `timeoutMs`. */
  wait(id: string, timeoutMs: number, stopping?: AbortSignal): Promise<Operation | undefined>
  /** Only what has not been sent can be cancelled; AppError `conflict` otherwise. */
  cancel(id: string, actor: Actor): Promise<Operation>
  /**
   * Ends the waiting for an operation that was sent and is unknown or accepted: failed, with the error `givenUp`; what
   * it held up goes on. AppError `conflict` for any other.
   */
  giveUp(id: string, actor: Actor): Promise<Operation>
  /**
   * Ends all that is open of a device whose record is about to be deleted; answers how many. AppError `conflict` while
   * it is being migrated.
   */
  forget(device: Pick<Device, 'id' | 'migration'>, actor: Actor): Promise<number>
  /** Returns the open operations of a device, oldest first; at most 1000. */
  open(deviceId: DeviceId): Promise<Operation[]>
  /** Returns the reason for which each operation that has not ended is waiting, by its id. */
  waitingFor(operations: readonly Operation[]): Promise<ReadonlyMap<string, string>>
  /** Called with each operation that becomes final in this process. */
  onFinished(listener: (operation: Operation) => void): () => void
}
