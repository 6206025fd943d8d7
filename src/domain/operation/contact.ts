import type { Device } from '../device/device.ts'
import type { ParameterType } from '../device/parameter.ts'
import type { WakeOutcome } from '../device/wake.ts'
import type { DeviceId } from '../id.ts'
import type { Protocol } from '../protocol.ts'
import type { Baseline, Completion, Operation, OperationResult } from './operation.ts'

/** Callbacks and limits for one execution. */
export interface ExecuteHooks {
  /**
   * To be awaited right before the first bytes with an effect leave: persists `sent`. Rejects when the operation was
   * cancelled or taken meanwhile; then nothing may be sent. Not needed for pure reads.
   */
  beforeSend(baseline?: Baseline): Promise<void>
  /** Aborts when the operation is given up; the driver stops waiting. */
  signal: AbortSignal
  timeoutMs: number
  /** Returns the type that the device reported for a parameter; undefined where it reported none. */
  typeOf?(path: string): ParameterType | undefined
}

/** A device that can be talked to now: a CWMP session in its ACS turn, or a USP link. */
export interface Contact {
  readonly deviceId: DeviceId
  readonly protocol: Protocol
  /** The root of the tree that the device shows over this protocol; absent: not known yet. */
  readonly root?: Device['root']
  /**
   * False: a CWMP session, which ends when the handler returns. True: a USP link, which stays until `signal` aborts.
   */
  readonly lasting: boolean
  /** Aborts when the session or link is gone. */
  readonly signal: AbortSignal
  /** True when the record said, at the start of this contact, that operations may be waiting. */
  readonly workKnown: boolean
  /** True when the record said, at the start of this contact, that live facts are to be read. */
  readonly factsDue?: boolean
  /**
   * Runs one operation. Resolves with the answer of the device, faults included. Rejects with TransportError when the
   * transport failed (`sent`: bytes may have left), and with ProtocolError when the answer was not valid.
   */
  execute(operation: Operation, hooks: ExecuteHooks): Promise<OperationResult>
}

/**
 * The outgoing side of one protocol. `wake` asks an absent device to connect (CWMP connection request); a USP Agent
 * without a link cannot be asked.
 */
export interface Driver {
  readonly protocol: Protocol
  wake(device: Device): Promise<WakeOutcome>
}

/** The calls of the protocol rooms about messages from devices. Implemented by operations. */
export interface Upward {
  /**
   * A device is here. Resolves when there is nothing (more) to do: a CWMP session then ends. A lasting contact's
   * promise resolves when its signal aborts. Never rejects.
   */
  contact(contact: Contact): Promise<void>
  /** True when this process has learnt of new work for the device since the record was read: no database involved. */
  hasNews(deviceId: DeviceId): boolean
  /** True when live facts of this record are to be read while the device is in contact: no database involved. */
  factsDue(device: Device): boolean
  /** Durable when it resolves: only then may the CPE or Agent be acknowledged. Repeating it does no harm. */
  completed(completion: Completion): Promise<void>
}
