import { silentLog } from '../../src/base/index.ts'
import { loadModel } from '../../src/datamodel/index.ts'
import {
  type BridgeRouter,
  type Device,
  type DeviceId,
  deviceIdOf,
  type EndpointId,
  type EventType,
  nameOfEndpoint,
  newDevice,
  placeOf,
} from '../../src/domain/index.ts'
import type { IssuedCertificate } from '../../src/pki/index.ts'
import { TelemetryIntake } from '../../src/telemetry/intake.ts'
import { Publishers } from '../../src/telemetry/publishers.ts'
import { RecordWriter } from '../../src/telemetry/record-writer.ts'
import { TelemetryTopics } from '../../src/telemetry/topics.ts'
import { createManualClock, settled } from './manual-clock.ts'
import { createMemoryStores } from './memory-stores.ts'

const ENDPOINT = 'os::48A98A-S1' as EndpointId
const IDENTITY = { oui: '48A98A', productClass: 'hAP', serial: 'S1', endpointId: ENDPOINT }

/** The intake of telemetry over stores in memory: bridge `b1` has the router `r1`, which is the device. */
export async function telemetryWorld(device: Partial<Device> = {}) {
  const clock = createManualClock()
  const stores = createMemoryStores(clock)
  const rows = new Map<string, BridgeRouter>()
  const certificates: Pick<IssuedCertificate, 'owner' | 'names' | 'notAfter' | 'revokedAt'>[] = []
  const outcomes: string[] = []
  const values: Record<string, number> = {}
  const row = (bridgeId: string, id: string, more: Partial<BridgeRouter> = {}) => {
    const settings = { address: `${id}.example`, transport: 'api', policy: 'L1', tags: [], mqtt: true } as const
    const state = { reachable: true, identity: IDENTITY, missingRights: [], revision: 1, reportedAt: 1 }
    const facts = { revision: 1, createdAt: 1, updatedAt: 1 }
    const login = { sealed: 'x', sealingKey: 'y' }
    rows.set(`${bridgeId}/${id}`, {
      id,
      bridgeId,
      ...settings,
      tags: [],
      place: placeOf(settings),
      login,
      state,
      ...facts,
      ...more,
    })
  }
  const certify = (bridgeId: string, more: object = {}) =>
    certificates.push({
      owner: `bridge:${bridgeId}`,
      names: [nameOfEndpoint(ENDPOINT)],
      notAfter: clock.now() + 86_400_000,
      ...more,
    })
  const identity = { oui: '48A98A', productClass: 'hAP', serial: 'S1' }
  const binding = { endpointId: ENDPOINT, proof: 'certificate' as const, at: 1 }
  const create: Device = { ...newDevice(deviceIdOf(identity), identity, 'usp', 1), binding, ...device }
  await stores.devices.commit({ deviceId: create.id, create })
  row('b1', 'r1')
  certify('b1')

  const publisherDeps = {
    clock,
    devices: stores.devices,
    bridges: {
      router: async (bridgeId: string, id: string) => rows.get(`${bridgeId}/${id}`),
      routersOfEndpoints: async (endpoints: readonly string[]) =>
        [...rows.values()].filter(({ state }) => endpoints.includes(state?.identity?.endpointId ?? '')),
    },
    certificates: {
      ofName: async (name: string) =>
        certificates.filter(({ names }) => names.includes(name)).map((one) => one as IssuedCertificate),
    },
  }
  const writer = new RecordWriter({
    devices: stores.devices,
    parameters: stores.parameters,
    model: loadModel('tr181-usp'),
    clock,
    log: silentLog,
    onValues: (outcome, count) => {
      values[outcome] = (values[outcome] ?? 0) + count
    },
  })
  let publishers = new Publishers(publisherDeps)
  const newIntake = () =>
    new TelemetryIntake({
      topics: new TelemetryTopics('network/mikrotik'),
      publishers,
      writer,
      devices: stores.devices,
      events: stores.events,
      clock,
      log: silentLog,
      onMessage: (kind, outcome) => outcomes.push(`${kind} ${outcome}`),
    })
  let intake = newIntake()
  const ts = (agoMs = 0) => new Date(clock.now() - agoMs).toISOString()
  return {
    clock,
    stores,
    deviceId: create.id,
    rows,
    certificates,
    row,
    certify,
    outcomes,
    values,
    ts,
    /** The process starts anew: what is in memory alone is gone. */
    restart: () => {
      publishers = new Publishers(publisherDeps)
      intake = newIntake()
      intake.connected()
    },
    /** An event of the feed is heard. */
    heed: (type: EventType, data: Record<string, unknown> = {}, deviceId: DeviceId = create.id) =>
      publishers.heed({ type, deviceId, data }),
    /** A message arrives, and all that waits is stored. Resolves with what became of it. */
    async hear(topic: string, payload: object | string | Buffer, more: object = {}): Promise<string> {
      const body = Buffer.isBuffer(payload)
        ? payload
        : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
      const path = topic.startsWith('/') ? topic.slice(1) : `network/mikrotik/b1/r1/${topic}`
      await intake.take({ topic: path, payload: body, isRetained: false, isRepeated: false, ...more })
      await settled()
      await writer.flush()
      return outcomes.at(-1) ?? ''
    },
    async value(path: string) {
      const [found] = await stores.parameters.getMany(create.id, [path])
      return found === undefined ? undefined : ([found.value, found.source, found.collectedAt] as const)
    },
    put: (path: string, value: string, source: 'cwmp' | 'usp', collectedAt: number) =>
      stores.devices.commit({
        deviceId: create.id,
        parameters: [{ path, value, type: 'string', source, collectedAt }],
      }),
    change: (set: Partial<Device>) => stores.devices.commit({ deviceId: create.id, set }),
    events: () => stores.inside.events.filter(({ type }) => type === 'device.notified').map(({ data }) => data),
  }
}

/** The id of another device. */
export function otherDevice(serial: string): DeviceId {
  return deviceIdOf({ oui: '48A98A', productClass: 'hAP', serial })
}
