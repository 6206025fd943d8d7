import type { DeviceId } from '../id.ts'
import type { Protocol } from '../protocol.ts'
import type { DeviceChange } from './change.ts'
import type { ReadinessClass } from './device.ts'
import type { Selector } from './selector.ts'

/** Devices by their owner, and those whose USP link stands. */
export interface PresenceCounts {
  cwmp: number
  usp: number
  uspLinked: number
}

/**
 * Devices that are alike in readiness, owner, model and firmware. `class` is absent where readiness was not worked out
 * yet.
 */
export interface ReadinessRow {
  class?: ReadinessClass
  reasons: string[]
  owner: Protocol
  manufacturer?: string
  model?: string
  softwareVersion?: string
  devices: number
}

/** The devices as a whole, for counts and for work that follows their changes. */
export interface FleetStore {
  /** Counts in one pass over the devices that the selector matches; undefined = all. */
  presence(selector: Selector | undefined): Promise<PresenceCounts>
  /** Counts in one pass likewise: at most `limit` rows, those of the most devices. */
  readiness(selector: Selector | undefined, limit: number): Promise<ReadinessRow[]>
  /** Devices whose readiness was never worked out, in no order, streamed in batches. */
  withoutReadiness(batchSize: number): AsyncIterable<DeviceId[]>
  /** Called after each commit of this process that changed a device; the returned function unsubscribes. */
  onChanged(listener: (change: DeviceChange) => void): () => void
}
