import { isDeepStrictEqual } from 'node:util'
import type { Timestamp } from '../timestamp.ts'
import { applyPatch, withoutFields } from './apply-patch.ts'
import type { DeviceChange, DevicePatch, UnsettableField } from './change.ts'
import type { Device } from './device.ts'
import { bearsOnFacts, FACTS_VERSION, type FactsChange } from './facts-of-change.ts'
import { bearsOnSearch, searchKeys } from './search-keys.ts'

/** Returns true when fields of the record that are derived from others may change with this change. */
export function bearsOnDerived(change: DeviceChange): boolean {
  return bearsOnFacts(change) || bearsOnSearch(change)
}

/** The address of a device is that of its internet connection, as long as one is known; an Inform may name another one. */
function takeAddress(device: Device, set: DevicePatch, unset: readonly UnsettableField[]): void {
  const known = unset.includes('wan.ipAddress') ? undefined : device.wan?.ipAddress
  const address = set['wan.ipAddress'] ?? known
  if (address === undefined) return
  if (address === device.ipAddress) delete set.ipAddress
  else set.ipAddress = address
}

/**
 * Returns the change with its live facts and the texts by which the device is found; `device` is the record before it,
 * of a new device the new record.
 */
export function withDerivedFields(
  device: Device,
  change: DeviceChange,
  facts: FactsChange,
  now: Timestamp,
): DeviceChange {
  const set: DevicePatch = { ...change.set, ...facts.set }
  if (bearsOnFacts(change) && device.factsVersion !== FACTS_VERSION) set.factsVersion = FACTS_VERSION
  const unset: UnsettableField[] = [...(change.unset ?? []), ...facts.unset]
  takeAddress(device, set, unset)
  if (bearsOnSearch({ ...change, set, unset })) {
    const search = searchKeys(withoutFields(applyPatch(device, set, now), unset))
    if (!isDeepStrictEqual(search, device.search)) set.search = search
  }
  if (change.create !== undefined) return { ...change, create: applyPatch(change.create, set, change.create.updatedAt) }
  return {
    ...change,
    ...(change.set === undefined && Object.keys(set).length === 0 ? {} : { set }),
    ...(unset.length === 0 ? {} : { unset }),
  }
}
