import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { type DeviceId, deviceIdOf, type OperationRequest, type Parameter } from '../../src/domain/index.ts'
import { DEVICE_FAMILIES, type DeviceFamily, type FamilyName, homeOf } from '../../src/simulator/families/index.ts'
import { loadPresetModels, SimulatedDevice, type SimulatedDeviceOptions } from '../../src/simulator/index.ts'
import type { Store } from '../../src/store/index.ts'
import { Codec } from '../../src/usp/index.ts'
import { FACTS } from './simulated-device.ts'
import { type ServerWithStore, startServerWithStore } from './test-server.ts'
import { until } from './until.ts'

/** The answer for one path, as the API shows it. */
export interface ShownOutcome {
  path: string
  value?: string
  created?: string
  writable?: boolean
  from?: { path?: string; value?: string }
  error?: { code: string; text: string }
}

/** An operation as the API shows it. */
export interface ShownOperation {
  id: string
  state: string
  warnings?: string[]
  result?: { results: ShownOutcome[]; output?: Record<string, string>; error?: { code: string; text: string } }
}

/** A server with one simulated TR-098 device, over real sockets and the REST API. */
export interface MappedWorld {
  world: ServerWithStore
  device: SimulatedDevice
  deviceId: DeviceId
  store: Store
  /** Submits a request and resolves with its end. */
  run(request: OperationRequest): Promise<ShownOperation>
  stored(path: string): Promise<Parameter | undefined>
  /** Resolves when the tree was discovered and the commit that ends the discovery has landed. */
  discovered(): Promise<void>
  stop(): Promise<void>
}

const models = loadPresetModels()
const codec = new Codec()

export async function startMappedWorld(
  uri: string,
  options: Partial<Pick<SimulatedDeviceOptions, 'kind' | 'faults'>> & { serial?: string; family?: FamilyName } = {},
): Promise<MappedWorld> {
  const world = await startServerWithStore(uri)
  const { family, ...more } = options
  const field = family === undefined ? undefined : fieldOf(family)
  const { serial = field?.serial ?? 'mapped-1', ...rest } = more
  const facts = { ...FACTS, ...field?.facts, serial }
  const deviceId = deviceIdOf(facts)
  const device = new SimulatedDevice({
    kind: 'legacyTr098',
    facts,
    faults: [],
    endpointId: 'proto::mapped-device',
    servers: {
      acsUrl: `http://127.0.0.1:${world.server.cwmpPort}/`,
      enrolmentSecret: world.server.enrolmentSecret,
      usp: { endpointId: 'proto::controller', host: '127.0.0.1', port: 9, path: '/usp', tls: false },
    },
    models,
    codec,
    cwmpVersion: '1.2',
    listenHost: '127.0.0.1',
    timeScale: 50,
    informIntervalS: 3600,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ...(field === undefined ? {} : { field: field.field, kind: field.kind }),
    ...rest,
  })
  device.start()
  const { store } = world
  return {
    world,
    device,
    deviceId,
    store,
    async run(request) {
      const path = `/devices/${encodeURIComponent(deviceId)}/operations?wait=20s`
      return (await world.call<ShownOperation>('POST', path, request)).body
    },
    stored: async (path) => (await store.parameters.getMany(deviceId, [path]))[0],
    discovered: () => until(async () => (await store.devices.get(deviceId))?.cwmp?.discovery !== undefined),
    async stop() {
      device.stop(true)
      await world.stop()
    },
  }
}

/** The parts of a device of the field. */
function fieldOf(name: FamilyName) {
  const family: DeviceFamily = DEVICE_FAMILIES[name]
  const serial = family.serial(1, 0)
  return {
    serial,
    kind: family.root === 'Device.' ? ('tr181NoAgent' as const) : ('legacyTr098' as const),
    field: { name, family, home: homeOf(serial, family.oui, 0, family.lanPrefix) },
    facts: { ...family, modelName: family.model, softwareVersion: family.softwareVersions[0] },
  }
}
