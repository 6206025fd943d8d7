import { beforeEach, describe, expect, it } from 'vitest'
import { joinRouter } from '../../../src/desk/join-router.ts'
import {
  type Device,
  type DeviceId,
  deviceIdOf,
  type EndpointId,
  newDevice,
  type RouterIdentity,
} from '../../../src/domain/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { createMemoryStores, type MemoryStores } from '../../support/memory-stores.ts'

const identity: RouterIdentity = {
  oui: '48A98A',
  productClass: 'C53UiG+5HPaxD2HPaxD',
  serial: 'HF009',
  endpointId: 'os::48A98A-HF009',
}
const endpointId = identity.endpointId as EndpointId
const CWMP = { oui: '48A98A', productClass: 'hAP ax^3', serial: 'HF009' }
const recordId = deviceIdOf(CWMP)
const formerId = deviceIdOf(identity)
const informs = { cwmp: { lastInformAt: 1, events: [], version: '1.0' } }
const linked = { endpointId, proof: 'certificate', at: 5 } as const

let stores: MemoryStores
let issued: { issuedAt: number; notAfter: number }[]
/** Writes after which the process is killed. */
let writes: number

beforeEach(() => {
  stores = createMemoryStores(createManualClock())
  issued = [{ issuedAt: 1, notAfter: 9 }]
  writes = Number.POSITIVE_INFINITY
})

const put = (id: DeviceId, from: RouterIdentity | typeof CWMP, more: Partial<Device>) =>
  stores.devices.commit({ deviceId: id, create: { ...newDevice(id, from, 'usp', 1), ...more } })

/** Does a write, unless the process is killed before it. */
async function write<T>(work: () => Promise<T>): Promise<T> {
  if (writes-- <= 0) throw new Error('killed')
  return work()
}

function join(): Promise<void> {
  const { devices, conflicts, events, audit } = stores
  return joinRouter(
    {
      devices: {
        ...devices,
        commit: (change) => write(() => devices.commit(change)),
        delete: (id) => write(() => devices.delete(id)),
      },
      certificates: {
        ofName: async () =>
          issued.map((one) => ({
            id: 'c',
            keyId: 'k',
            commonName: '',
            owner: 'bridge:b',
            names: [],
            notBefore: 0,
            ...one,
          })),
      },
      operations: { forget: () => write(async () => 0) },
      conflicts,
      credentials: { delete: () => write(async () => undefined) },
      linkSecrets: { delete: () => write(async () => undefined) },
      events: { append: (all) => write(() => events.append(all)) },
      audit,
      clock: createManualClock(),
    },
    identity,
  )
}

const records = () => [...stores.inside.devices.values()]

describe('a router whose Agent made a record before the first Inform', () => {
  beforeEach(async () => {
    await put(formerId, identity, { binding: linked, label: 'tower 7', tags: ['north'], groups: ['g1'] })
    await put(recordId, CWMP, { ...informs, tags: ['new'] })
  })

  it('is one record, with what people have written', async () => {
    await join()
    expect(records()).toMatchObject([
      {
        id: recordId,
        label: 'tower 7',
        tags: ['new', 'north'],
        groups: ['g1'],
        binding: { endpointId, proof: 'bridge' },
      },
    ])
    const before = JSON.stringify(records())
    await join()
    expect(JSON.stringify(records())).toBe(before)
  })

  it('is one record also after a kill between any two writes', async () => {
    for (let killed = 0; ; killed++) {
      stores = createMemoryStores(createManualClock())
      await put(formerId, identity, { binding: linked, label: 'tower 7', tags: ['north'] })
      await put(recordId, CWMP, informs)
      writes = killed
      const isKilled = await join().then(
        () => false,
        () => true,
      )
      writes = Number.POSITIVE_INFINITY
      await join()
      expect(records()).toMatchObject([{ id: recordId, label: 'tower 7', tags: ['north'], binding: { endpointId } }])
      if (!isKilled) break
      expect(killed).toBeLessThan(20)
    }
  })

  it.each<[string, () => Promise<void> | void]>([
    [
      'no bridge has brought the Agent',
      () => {
        issued = []
      },
    ],
    [
      'an operator has bound it',
      () => {
        const former = stores.inside.devices.get(formerId)
        if (former !== undefined) former.binding = { ...linked, proof: 'operator' }
      },
    ],
    [
      'a plan has a claim on it',
      () => {
        const former = stores.inside.devices.get(formerId)
        if (former !== undefined) former.migration = { planId: 'p', state: 'PREPARING', at: 1 }
      },
    ],
    [
      'it has a conflict',
      () => {
        const former = stores.inside.devices.get(formerId)
        if (former !== undefined) former.conflict = 'c1'
      },
    ],
    [
      'the CWMP record is bound to another Agent by an operator',
      () => {
        const record = stores.inside.devices.get(recordId)
        if (record !== undefined)
          record.binding = { endpointId: 'os::48A98A-other' as EndpointId, proof: 'operator', at: 1 }
      },
    ],
  ])('stays as it is when %s', async (_why, happens) => {
    await happens()
    const before = JSON.stringify(records())
    await join()
    expect(JSON.stringify(records())).toBe(before)
  })
})

it('a record that is the same by its CWMP identity is bound, and none is deleted', async () => {
  await put(formerId, identity, { ...informs })
  await join()
  expect(records()).toMatchObject([{ id: formerId, binding: { proof: 'bridge' } }])
})
