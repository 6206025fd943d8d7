import {
  type Device,
  type DeviceChange,
  type FleetStore,
  fulfils,
  type ReadinessRow,
  type Selector,
} from '../../src/domain/index.ts'
import { copyOf } from './copy.ts'

/** Counts over device records in memory. */
export function fleetStore(devices: Map<string, Device>, listeners: Set<(change: DeviceChange) => void>): FleetStore {
  const matching = (selector: Selector | undefined) =>
    [...devices.values()].filter((device) => selector === undefined || fulfils(device, selector))
  return {
    async presence(selector) {
      const found = matching(selector)
      const owned = (owner: Device['owner']) => found.filter((device) => device.owner === owner).length
      return { cwmp: owned('cwmp'), usp: owned('usp'), uspLinked: found.filter(({ usp }) => usp?.linked).length }
    },
    async readiness(selector, limit) {
      const rows = new Map<string, ReadinessRow>()
      for (const { readiness, owner, manufacturer, model, softwareVersion } of matching(selector)) {
        const row: ReadinessRow = copyOf({
          ...(readiness === undefined ? {} : { class: readiness.class }),
          reasons: readiness?.reasons ?? [],
          owner,
          ...(manufacturer === undefined ? {} : { manufacturer }),
          ...(model === undefined ? {} : { model }),
          ...(softwareVersion === undefined ? {} : { softwareVersion }),
          devices: 0,
        })
        const key = JSON.stringify(row)
        const known = rows.get(key) ?? row
        known.devices++
        rows.set(key, known)
      }
      return [...rows.values()].sort((a, b) => b.devices - a.devices).slice(0, limit)
    },
    async *withoutReadiness(batchSize) {
      const ids = matching(undefined).flatMap(({ id, readiness }) => (readiness === undefined ? [id] : []))
      for (let i = 0; i < ids.length; i += batchSize) yield ids.slice(i, i + batchSize)
    },
    onChanged(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
