import type { Clock } from '../../base/index.ts'
import type { Model } from '../../datamodel/index.ts'
import type { Device, DeviceStore, Operation, OperationResult, ParameterStore, Protocol } from '../../device/index.ts'
import { changesOf, staleRows } from '../record.ts'

/** Writes what an operation read or changed into the device's record (see record.ts), before the operation itself ends. */
export interface Recorder {
  record(operation: Operation, result: OperationResult, device: Device, source: Protocol): Promise<void>
}

export interface RecorderDeps {
  devices: DeviceStore
  parameters: ParameterStore
  clock: Clock
  modelFor(device: Device, protocol: Protocol): Model
}

export function createRecorder({ devices, parameters, clock, modelFor }: RecorderDeps): Recorder {
  return {
    async record(operation, result, device, source) {
      const changes = changesOf(operation, result, device, source, modelFor(device, source), clock.now())
      const stale = await staleRows(operation, result, source, parameters)
      if (stale.length > 0) await devices.commit({ deviceId: operation.deviceId, dropSubtrees: stale })
      for (const change of changes) await devices.commit(change)
    },
  }
}
