import { type Clock, createIdSource, defined, silentLog } from '../../src/base/index.ts'
import { loadModel, type Model, type ModelName } from '../../src/datamodel/index.ts'
import {
  type Device,
  deviceIdOf,
  type NewOperation,
  newDevice,
  type Operation,
  type OperationRequest,
} from '../../src/domain/index.ts'
import { type OperationsDeps, OperationsEngine } from '../../src/operations/index.ts'
import type { OperationLimits } from '../../src/operations/limits.ts'
import { FakePeer } from './fake-peer.ts'
import { createManualClock, type ManualClock, until } from './manual-clock.ts'
import { createMemoryStores, type MemoryStores } from './memory-stores.ts'
import type { EnginePorts } from './mortal.ts'

const models = new Map<ModelName, Model>()
/** A model, loaded once per test file. */
export function modelOf(name: ModelName): Model {
  const model = models.get(name) ?? loadModel(name)
  models.set(name, model)
  return model
}

export const ACTOR = { kind: 'apiKey', id: 'k1' } as const
export const IDENTITY = { oui: '00256D', productClass: 'Box', serial: '1' }

/** An engine over stores in memory, one device, and a clock that tests move. */
export interface World {
  clock: ManualClock
  stores: MemoryStores
  peer: FakePeer
  room: OperationsEngine
  /** Returns the present record of the device. */
  device(): Device
  submit(request: OperationRequest, more?: Partial<NewOperation>): Promise<Operation>
  /** Returns the present operation. */
  operation(id: string): Operation
  until(condition: () => boolean, maxMs?: number): Promise<void>
  /** Runs until the operation has ended. Resolves with it. */
  ended(operation: Operation): Promise<Operation>
}

/** Another engine over the same stores: a second instance, or the process after a crash. */
export function createRoom(
  stores: EnginePorts,
  clock: Clock,
  options: Pick<OperationsDeps, 'limits' | 'releaseCredential' | 'routerPackagePlaces'> & { instance?: string } = {},
): OperationsEngine {
  // Each engine has ids of its own, as each process has.
  const bytes = {
    bytes: (n: number) => new Uint8Array(n).fill((options.instance ?? 'a').charCodeAt(0)),
    fraction: () => 0.5,
  }
  return new OperationsEngine({
    ...stores,
    clock,
    newId: createIdSource(clock, bytes),
    log: silentLog,
    instance: options.instance ?? 'a',
    model: modelOf,
    limits: options.limits ?? {},
    ...defined({ releaseCredential: options.releaseCredential, routerPackagePlaces: options.routerPackagePlaces }),
  })
}

export function createWorld(
  options: { limits?: Partial<OperationLimits>; device?: Partial<Device>; routerPackagePlaces?: string[] } = {},
): World {
  const clock = createManualClock()
  const stores = createMemoryStores(clock)
  const id = deviceIdOf(IDENTITY)
  const device: Device = { ...newDevice(id, IDENTITY, 'cwmp', clock.now()), root: 'Device.', ...options.device }
  stores.inside.devices.set(id, device)
  const peer = new FakePeer(id)
  const room = createRoom(stores, clock, options)
  const operation = (operationId: string) => {
    const found = stores.inside.operations.get(operationId)
    if (found === undefined) throw new Error('no such operation')
    return found
  }
  const world: World = {
    clock,
    stores,
    peer,
    room,
    operation,
    device: () => stores.inside.devices.get(id) as Device,
    submit: (request, more = {}) => room.submit({ deviceId: id, request, actor: ACTOR, ...more }),
    until: (condition, maxMs) => until(clock, condition, maxMs),
    async ended({ id: operationId }) {
      await until(clock, () => operation(operationId).finishedAt !== undefined)
      return structuredClone(operation(operationId))
    },
  }
  return world
}

export const set = (path: string, value: string): OperationRequest => ({ verb: 'set', values: [{ path, value }] })
