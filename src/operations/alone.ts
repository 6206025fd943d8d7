import { BoundedMap } from '../base/index.ts'
import type { Device, DeviceId, Operation } from '../domain/index.ts'

const MAX = 20_000

/**
 * Operations that this process stored as the only open one of their device. As long as `work.seq` of the record is the
 * number that the operation gave it, no other was added: its pass need not read the queue. Whoever runs it from here
 * finds out by the conditional changes of the store when it was cancelled or taken meanwhile.
 */
export class Alone {
  readonly #byDevice = new BoundedMap<DeviceId, { operation: Operation; seq: number }>(MAX)

  /** Keeps an operation that has just been stored with this `work.seq`. */
  note(operation: Operation, seq: number): void {
    this.#byDevice.set(operation.deviceId, { operation, seq })
  }

  /** Drops what was kept of a device whose queue was read, or whose operation has run. */
  drop(deviceId: DeviceId): void {
    this.#byDevice.delete(deviceId)
  }

  /**
   * Takes what was kept of a device. To be called before its record is read: the returned function says by the record
   * which operation is the only open one; undefined when the queue has to be read.
   */
  take(deviceId: DeviceId): (record: Pick<Device, 'work'>) => Operation | undefined {
    const noted = this.#byDevice.get(deviceId)
    this.#byDevice.delete(deviceId)
    return ({ work }) => (noted?.seq === work.seq && work.open ? noted.operation : undefined)
  }
}
