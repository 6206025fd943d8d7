import type { Clock } from '../base/index.ts'
import type { Model } from '../datamodel/index.ts'
import {
  type Device,
  type DeviceChange,
  type DeviceStore,
  type Operation,
  type OperationResult,
  type Parameter,
  type ParameterStore,
  type Protocol,
  vanishedSince,
} from '../domain/index.ts'
import { skipsEqual, withoutEqual } from './equal-values.ts'
import { changesOf, wholeObjects } from './record.ts'

/** Writes what an operation read or changed into the device's record (see record.ts), before the operation itself ends. */
export interface Recorder {
  record(operation: Operation, result: OperationResult, device: Device, source: Protocol): Promise<void>
  /** The same but for the last change, which is returned: it can go into the commit that ends the operation. */
  recordAhead(
    operation: Operation,
    result: OperationResult,
    device: Device,
    source: Protocol,
  ): Promise<DeviceChange | undefined>
}

interface RecorderDeps {
  devices: DeviceStore
  parameters: ParameterStore
  clock: Clock
  modelFor(device: Device, protocol: Protocol): Model
}

export function createRecorder({ devices, parameters, clock, modelFor }: RecorderDeps): Recorder {
  const recordAhead: Recorder['recordAhead'] = async (operation, result, device, source) => {
    const model = modelFor(device, source)
    const now = clock.now()
    let changes = changesOf(operation, result, device, source, model, now)
    const { deviceId, request } = operation
    const objects = wholeObjects(request, result)
    if (objects.length > 0) {
      const knows = (object: string) => model.object(object) !== undefined
      const read = { deviceId, objects, results: result.results, source, knows }
      const stored = new Map<string, Parameter>()
      const keep = skipsEqual(operation) ? (parameter: Parameter) => stored.set(parameter.path, parameter) : undefined
      const { subtrees, parameters: single } = await vanishedSince(read, parameters, keep)
      if (stored.size > 0) changes = changes.flatMap((change) => withoutEqual(change, stored, now) ?? [])
      if (subtrees.length + single.length > 0)
        changes.unshift({ deviceId, dropSubtrees: subtrees, dropParameters: single })
    }
    const last = changes.pop()
    for (const change of changes) await devices.commit(change)
    return last
  }
  return {
    recordAhead,
    async record(...read) {
      const last = await recordAhead(...read)
      if (last !== undefined) await devices.commit(last)
    },
  }
}
