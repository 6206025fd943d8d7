import type { Clock } from '../../base/index.ts'
import type { Model } from '../../datamodel/index.ts'
import {
  type Device,
  type DeviceStore,
  goneSince,
  type Operation,
  type OperationResult,
  type ParameterStore,
  type Protocol,
} from '../../device/index.ts'
import { changesOf, wholeObjects } from '../record.ts'

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
      const model = modelFor(device, source)
      const changes = changesOf(operation, result, device, source, model, clock.now())
      const { deviceId, request } = operation
      const objects = wholeObjects(request, result)
      if (objects.length > 0) {
        const knows = (object: string) => model.object(object) !== undefined
        const read = { deviceId, objects, results: result.results, source, knows }
        const { subtrees, parameters: single } = await goneSince(read, parameters)
        if (subtrees.length + single.length > 0)
          await devices.commit({ deviceId, dropSubtrees: subtrees, dropParameters: single })
      }
      for (const change of changes) await devices.commit(change)
    },
  }
}
