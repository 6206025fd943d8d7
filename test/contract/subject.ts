import { inject } from 'vitest'
import { createIdSource, silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { type DeviceId, deviceIdOf, type Protocol } from '../../src/domain/index.ts'
import { OperationsEngine } from '../../src/operations/index.ts'
import {
  loadPresetModels,
  type ServerAddresses,
  SimulatedDevice,
  type SimulatedKind,
} from '../../src/simulator/index.ts'
import type { Store } from '../../src/store/index.ts'
import { Codec, Controller, WebSocketMtp } from '../../src/usp/index.ts'
import { modelOf } from '../support/operations-world.ts'
import { testStore } from '../support/store.ts'
import type { ContractSubject } from './driver-contract.ts'

export const SECRET = 'enrolment secret'
export const CONTROLLER = 'proto::contract'
/** The options that every part takes. */
export const BASE = { clock: systemClock, random: systemRandom, log: silentLog }

export interface Engine {
  store: Store
  operations: OperationsEngine
}

/** The engine over a database of its own, with the real clock and short waits. */
export async function createEngine(
  releaseCredential: (deviceId: DeviceId) => Promise<void> = async () => undefined,
): Promise<Engine> {
  const store = await testStore(inject('mongodbUri'))
  const operations = new OperationsEngine({
    ...BASE,
    ...store,
    newId: createIdSource(systemClock, systemRandom),
    instance: 'contract',
    model: modelOf,
    releaseCredential,
    limits: { linkCheckMs: 50, restMs: 50, wakeRetryMs: [100, 200, 400, 800, 1600] },
  })
  await operations.start()
  return { store, operations }
}

/** A Controller of the engine that listens on a port of its own; `port` is the one for Agents. */
export async function startController({
  store,
  operations,
}: Engine): Promise<{ controller: Controller; port: number }> {
  const mtp = new WebSocketMtp({
    ...BASE,
    host: '127.0.0.1',
    port: 0,
    path: '/usp',
    endpointId: CONTROLLER,
    maxLinks: 10,
  })
  const controller = new Controller({
    ...BASE,
    mtps: [mtp],
    endpointId: CONTROLLER,
    admission: 'open',
    periodicNotifIntervalS: 300,
    instance: 'contract',
    devices: store.devices,
    conflicts: store.conflicts,
    pendingAgents: store.pendingAgents,
    linkSecrets: store.linkSecrets,
    supportedModels: store.supportedModels,
    audit: store.audit,
    upward: operations,
    nextId: createIdSource(BASE.clock, BASE.random),
  })
  await controller.start()
  operations.setDrivers([controller.driver])
  return { controller, port: mtp.port }
}

/** A simulated device that is switched on, on a fast clock. `stopServer` ends what it talks to. */
export function createSubject(
  { store, operations }: Engine,
  kind: SimulatedKind,
  servers: Partial<ServerAddresses>,
  stopServer: () => Promise<void>,
  timeScale = 50,
): ContractSubject {
  const facts = {
    manufacturer: 'Acme',
    oui: '00256D',
    productClass: 'Home Box',
    serial: 'contract-1',
    modelName: 'H1',
    hardwareVersion: '1',
    softwareVersion: '1.0',
  }
  const device = new SimulatedDevice({
    ...BASE,
    kind,
    facts,
    faults: [],
    endpointId: 'proto::contract-device',
    servers: {
      acsUrl: 'http://127.0.0.1:9/',
      enrolmentSecret: SECRET,
      usp: { endpointId: CONTROLLER, host: '127.0.0.1', port: 9, path: '/usp', tls: false },
      ...servers,
    },
    models: loadPresetModels(),
    codec: new Codec(),
    cwmpVersion: '1.4',
    listenHost: '127.0.0.1',
    timeScale,
    informIntervalS: 3600,
  })
  const protocol: Protocol = kind === 'uspOnly' ? 'usp' : 'cwmp'
  const view = device.usp ?? device.cwmp
  device.start()
  return {
    operations,
    devices: store.devices,
    parameters: store.parameters,
    deviceId: deviceIdOf(facts),
    protocol,
    device: {
      value: (path) => device.tree.raw(view.toCanonical(path)),
      rows: (table) => view.instances(table),
      change: (path, value) => device.tree.put(view.toCanonical(path), value),
      losePowerAfter: (path) => {
        const leave = device.tree.onChange((change) => {
          if (!change.path.startsWith(view.toCanonical(path))) return
          leave()
          device.powerLoss()
        })
      },
      boots: () => device.reboots,
    },
    async stop() {
      device.stop(true)
      await stopServer()
      await operations.stop()
      await store.close()
    },
  }
}
