import {
  applyPatch,
  type Device,
  type DeviceChange,
  deviceIdOf,
  factsOfChange,
  factsOfTree,
  newDevice,
  type ParameterWrite,
  type Reading,
  withDerivedFields,
  withoutFields,
} from '../../src/domain/index.ts'

const IDENTITY = { oui: '0C96BF', productClass: 'Gateway', serial: '1' }

/** Parameters of TR-181 as a device reports them. */
export function reports(values: Record<string, string>, at: number): ParameterWrite[] {
  return Object.entries(values).map(([path, value]) => ({
    path,
    value,
    type: 'string',
    source: 'cwmp',
    collectedAt: at,
  }))
}

/** A record and the parameters beside it, as a store changes them; `reads` counts changes that needed the tree. */
export class RecordOnly {
  device: Device = newDevice(deviceIdOf(IDENTITY), IDENTITY, 'cwmp', 1)
  reads = 0
  readonly #stored = new Map<string, Reading>()

  change(more: Omit<DeviceChange, 'deviceId'>, now = 1): Device {
    const change = { deviceId: this.device.id, ...more }
    const { groups, ...own } = factsOfChange(this.device, change, this.#stored)
    if (groups.length > 0) this.reads++
    const derived = factsOfTree(this.device, change, groups, this.#stored)
    const facts = { set: { ...own.set, ...derived.set }, unset: [...own.unset, ...derived.unset] }
    const { set = {}, unset = [] } = withDerivedFields(this.device, change, facts, now)
    for (const prefix of change.dropSubtrees ?? [])
      for (const path of [...this.#stored.keys()]) if (path.startsWith(prefix)) this.#stored.delete(path)
    for (const path of change.dropParameters ?? []) this.#stored.delete(path)
    for (const { path, value, collectedAt } of change.parameters ?? [])
      this.#stored.set(path, { value, at: collectedAt })
    this.device = withoutFields(applyPatch(this.device, set, now), unset)
    return this.device
  }

  report(values: Record<string, string>, at = 1_000_000): Device {
    return this.change({ parameters: reports(values, at) }, at)
  }
}
