import type { DeviceId } from '../domain/index.ts'

/** One request on its way into the queue of its device. */
export interface Place {
  /** The operations of the device that were on their way when this one came, by id. */
  readonly before: ReadonlySet<string>
  /** It is stored, or it never will be. */
  release(): void
}

/**
 * The operations that were asked for and are not stored yet. To count them beside the stored ones keeps the bound of a device's queue when many
 * requests come at once: each counts all that came before it, so that the order of coming decides.
 */
export class Places {
  readonly #underWay = new Map<DeviceId, Set<string>>()

  take(deviceId: DeviceId, operationId: string): Place {
    const known = this.#underWay.get(deviceId) ?? new Set()
    const before = new Set(known)
    known.add(operationId)
    this.#underWay.set(deviceId, known)
    return {
      before,
      release: () => {
        known.delete(operationId)
        if (known.size === 0 && this.#underWay.get(deviceId) === known) this.#underWay.delete(deviceId)
      },
    }
  }
}
