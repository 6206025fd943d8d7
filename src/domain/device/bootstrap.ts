import type { Timestamp } from '../timestamp.ts'
import type { Device } from './device.ts'

/** Returns the time of the last bootstrap in the record; 0 when there is none. */
export function bootstrapOf({ cwmp }: Pick<Device, 'cwmp'>): Timestamp {
  return cwmp?.lastBootstrapAt ?? 0
}

/**
 * Returns true when the record has another bootstrap than the one that was the last at an earlier look. Times are
 * compared for equality only, because the clock may have been stepped. Undefined: the last one at that look is not
 * known.
 */
export function wasResetSince(bootstrapAt: Timestamp | undefined, device: Pick<Device, 'cwmp'>): boolean {
  const last = bootstrapOf(device)
  return bootstrapAt !== undefined && last !== 0 && last !== bootstrapAt
}
