import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { versionKey } from '../../src/datamodel/index.ts'
import {
  DEVICE_SORT_FIELDS,
  type Device,
  type DeviceIdentity,
  deviceIdOf,
  type EndpointId,
  FACTS_VERSION,
  newDevice,
  SELECTOR_FIELDS,
} from '../../src/domain/index.ts'
import { type Answer, type ServerWithStore, startServerWithStore } from '../support/test-server.ts'

interface Thing {
  id: string
  [name: string]: unknown
}
interface List {
  items: Thing[]
}
interface Problem {
  detail: string
  errors?: { path: string; message: string }[]
}

let world: ServerWithStore
beforeAll(async () => {
  world = await startServerWithStore(inject('mongodbUri'))
})
afterAll(() => world?.stop())

async function stored(identity: Partial<DeviceIdentity>, changes: Partial<Device> = {}): Promise<Device> {
  const full = { oui: '0C96BF', productClass: 'NB-7', serial: '', ...identity }
  const id = deviceIdOf(full)
  const device = { ...newDevice(id, full, 'cwmp', 1_700_000_000_000), ...changes }
  await world.store.devices.commit({ deviceId: id, create: device })
  return device
}
const get = <T>(path: string): Promise<Answer<T>> => world.call<T>('GET', path)
const found = async (filter: string): Promise<string[]> => {
  const { status, body } = await get<List & Problem>(`/devices?limit=1000&filter=${encodeURIComponent(filter)}`)
  expect(status, `${filter} ${body.detail}`).toBe(200)
  return body.items.map(({ id }) => id)
}

describe('the fields of a device', () => {
  let full: Device
  beforeAll(async () => {
    full = await stored(
      { serial: 'full' },
      {
        manufacturer: 'Northbridge',
        model: 'NB-7',
        root: 'Device.',
        softwareVersion: '1.10.1',
        softwareVersionKey: versionKey('1.10.1'),
        hardwareVersion: 'A2',
        provisioningCode: 'north',
        ipAddress: '198.51.100.30',
        owner: 'usp',
        binding: { endpointId: 'ops::0C96BF-NB%2D7-full' as EndpointId, proof: 'bound', at: 2 },
        cwmp: { lastInformAt: 1_700_000_100_000, events: [], version: '1.4' },
        usp: { linked: false, answering: true, weakLink: true, lastSeenAt: 1_700_000_200_000 },
        deviceClass: 'ont',
        factsVersion: FACTS_VERSION,
        wan: {
          state: 'Connected',
          lastError: 'ERROR_ISP_TIME_OUT',
          ipAddress: '100.64.3.9',
          macAddress: '0C:96:BF:00:01:02',
          pppUser: 'ana@isp.example',
          vlanId: 100,
          upSince: 1_700_000_000_000,
        },
        optical: { rxPowerDbm: -19.87, txPowerDbm: 2.3, health: 'good', temperatureC: 47 },
        wifi: { ssids: ['Casa'], ssids2g: ['Casa'], ssids5g: ['Casa'], ssids6g: ['Casa'], stations: 3 },
        lan: { activeHosts: 4 },
        system: { upSince: 1_700_000_000_000, cpuPercent: 7, memoryUsedPercent: 50 },
        tags: ['gold'],
        label: 'hall 3',
        groups: ['by-hand'],
        readiness: { class: 'READY_STANDARD', reasons: [], evidence: {}, at: 3 },
        migration: { planId: 'p1', state: 'MIGRATED', at: 4 },
      },
    )
    await world.store.groups.put({ id: 'by-hand', name: 'by hand', revision: 1, createdAt: 1, updatedAt: 1 })
    await stored({ serial: 'bare' })
  })

  const valueAt = (record: Thing, name: string): unknown =>
    name.split('.').reduce<unknown>((value, part) => (value as Thing | undefined)?.[part], record)

  // The texts by which a device is found are no field of the record.
  it.each(Object.keys(SELECTOR_FIELDS).filter((name) => name !== 'search'))(
    'have one name in the record, in `fields` and in `filter`: %s',
    async (name) => {
      const { status, body } = await get<List>(`/devices?fields=${name}&filter=serial==full`)
      expect(status).toBe(200)
      const [record] = body.items
      const shown = [valueAt(record ?? { id: '' }, name)].flat()[0]
      expect(shown, name).toBeDefined()
      expect(await found(`${name}=="${shown}"`)).toContain(full.id)
      expect(await found(`${name}!="${shown}"`)).not.toContain(full.id)
    },
  )

  it.each(DEVICE_SORT_FIELDS)('have that name in `sort`: %s', async (name) => {
    expect(Object.keys(SELECTOR_FIELDS)).toContain(name)
    const { body } = await get<List>(`/devices?limit=1000&sort=-${name}&fields=${name}`)
    expect(body.items.map(({ id }) => id)).toContain(full.id)
  })

  it('can all be asked for by the name that the record shows', async () => {
    const { body } = await get<Thing>(`/devices/${encodeURIComponent(full.id)}`)
    expect((await get(`/devices?fields=${Object.keys(body).join(',')}`)).status).toBe(200)
  })

  it('are named in the answer to a filter that names none of them', async () => {
    const { status, body } = await get<Problem>('/devices?filter=lastInformAt==1')
    expect(status).toBe(400)
    expect(body.detail).toMatch(/unknown field "lastInformAt"; fields are id, .*, ipAddress, .*cwmp\.lastInformAt/)
  })
})

describe('groups', () => {
  const ids: Record<string, string> = {}
  let hand: Device
  let chosen: Device
  beforeAll(async () => {
    hand = await stored({ serial: 'hand' }, { manufacturer: 'Oldham' })
    chosen = await stored({ serial: 'chosen' }, { manufacturer: 'Kestrel', tags: ['pilot'] })
    const make = async (name: string, selector?: string) => {
      const { body } = await world.call<Thing>('POST', '/groups', {
        name,
        ...(selector === undefined ? {} : { selector }),
      })
      ids[name] = body.id
    }
    await make('static')
    await make('kestrels', 'manufacturer==Kestrel')
    await make('pilots', 'tags==pilot')
    await world.call('POST', `/groups/${ids.static}/members`, { add: [hand.id] })
  })

  it('are in the record of a device that was added to them or matches their selector', async () => {
    const shown = async (device: Device) => (await get<Thing>(`/devices/${encodeURIComponent(device.id)}`)).body.groups
    expect(await shown(hand)).toEqual([ids.static])
    expect(await shown(chosen)).toEqual([ids.kestrels, ids.pilots].sort())
    const { body } = await get<List>('/devices?filter=manufacturer==Kestrel&fields=groups')
    expect(body.items).toEqual([{ id: chosen.id, groups: [ids.kestrels, ids.pilots].sort() }])
    const inGroup = await get<List>(`/groups/${ids.kestrels}/devices`)
    expect(inGroup.body.items.map(({ id, groups }) => [id, groups])).toEqual([
      [chosen.id, [ids.kestrels, ids.pilots].sort()],
    ])
  })

  it('are found in a filter by the devices that fit their selector as well', async () => {
    expect(await found(`groups==${ids.kestrels}`)).toEqual([chosen.id])
    expect(await found(`group==${ids.kestrels}`)).toEqual([chosen.id])
    expect(await found(`groups==${ids.static}`)).toEqual([hand.id])
    expect((await found(`groups=in=(${ids.static},${ids.pilots})`)).sort()).toEqual([chosen.id, hand.id].sort())
    expect(await found(`groups!=${ids.kestrels};serial=in=(hand,chosen)`)).toEqual([hand.id])
    const refused = await get<Problem>('/devices?filter=groups==nosuch')
    expect(refused.status).toBe(400)
    expect(refused.body.detail).toBe('selector: there is no group "nosuch"')
  })

  it('do not name groups with a selector in their own, and say what to write instead', async () => {
    const nested = await world.call<Problem>('POST', '/groups', { name: 'n', selector: `groups==${ids.kestrels}` })
    expect(nested.status).toBe(400)
    expect(nested.body.detail).toContain('has a selector of its own; write that instead: manufacturer==Kestrel')
    const made = await world.call<Thing>('POST', '/groups', { name: 'of static', selector: `groups==${ids.static}` })
    expect(made.status).toBe(201)
    expect((await get<List>(`/groups/${made.body.id}/devices`)).body.items.map(({ id }) => id)).toEqual([hand.id])
    const late = await world.call<Problem>('PATCH', `/groups/${ids.static}`, { selector: 'serial==hand' })
    expect(late.status).toBe(409)
    expect(late.body.detail).toContain('names this group in its selector')
    expect((await world.call('PATCH', `/groups/${ids.static}`, { description: 'still static' })).status).toBe(200)
  })

  it('add the members that exist, and name those that do not', async () => {
    const unknown = deviceIdOf({ oui: '0C96BF', productClass: 'NB-7', serial: 'unknown' })
    const { status, body } = await world.call('POST', `/groups/${ids.static}/members`, {
      add: [chosen.id, unknown],
      remove: [hand.id],
    })
    expect(status).toBe(200)
    expect(body).toEqual({ changed: 2, unknown: [unknown] })
    const refused = await world.call<Problem>('POST', `/groups/${ids.static}/members`, { add: ['0C96BF-NB-7-S1'] })
    expect(refused.status).toBe(400)
    expect(refused.body.detail).toBe(
      '0C96BF-NB-7-S1 can be 0C96BF-NB-7%2DS1 or 0C96BF-NB%2D7-S1: percent-encode the id, as in 0C96BF-NB-7%252DS1',
    )
  })
})

describe('ids of devices', () => {
  it.each([
    ['a hyphen in the class', { productClass: 'NB-7', serial: 'S1' }],
    ['spaces and percent signs', { oui: '001349', productClass: 'VX 200', serial: 'VX 1é%1' }],
    ['nothing to encode', { productClass: 'Box', serial: 'S1' }],
  ])('are taken as they were shown, encoded once or not: %s', async (_, identity) => {
    const { id } = await stored(identity)
    await world.call('PATCH', `/devices/${encodeURIComponent(id)}`, { tags: ['found'] })
    await world.store.events.append([{ type: 'device.booted', at: 1, deviceId: id, data: {} }])
    for (const written of [id, encodeURIComponent(id)]) {
      expect((await get<Thing>(`/devices/${written}`)).body.id, written).toBe(id)
      expect((await get<List>(`/devices/${written}/parameters`)).status, written).toBe(200)
      expect((await get<List>(`/devices?filter=id==${written}`)).body.items.map((item) => item.id)).toEqual([id])
      const audit = await get<List>(`/audit?target=${written}`)
      expect(audit.body.items.map(({ target, action }) => [target, action])).toEqual([[id, 'device.tags']])
      const events = await get<List>(`/events?after=0&limit=1000&deviceId=${written}`)
      expect(events.body.items.map(({ deviceId }) => deviceId)).toEqual([id])
    }
  })

  it('that a proxy has decoded are taken when they can mean one device only', async () => {
    const { id } = await stored({ productClass: 'VX 200', serial: 'S2' })
    expect((await get<Thing>('/devices/0C96BF-VX%20200-S2')).body.id).toBe(id)
    expect((await get<Thing>('/devices/0c96bf-VX%20200-S2')).body.id).toBe(id)
    const refused = await get<Problem>('/devices/0C96BF-NB-7-S2')
    expect(refused.status).toBe(400)
    expect(refused.body.detail).toMatch(/can be 0C96BF-NB-7%2DS2 or 0C96BF-NB%2D7-S2: percent-encode the id/)
  })

  it('are refused when they are no ids', async () => {
    const refused = await get<Problem>('/events?deviceId=nonsense')
    expect(refused.status).toBe(400)
    expect(refused.body.detail).toBe('query.deviceId: is not the id of a device')
    expect((await get<List>('/audit?target=some-other-thing')).body.items).toEqual([])
  })
})

describe('events of a device', () => {
  it('are found among all events, not among the newest of all devices', async () => {
    const [quiet, loud] = [await stored({ serial: 'quiet' }), await stored({ serial: 'loud' })]
    const told = (deviceId: Device['id'], at: number) => ({ type: 'device.booted', at, deviceId, data: {} }) as const
    await world.store.events.append([1, 2, 3].map((at) => told(quiet.id, at)))
    await world.store.events.append(Array.from({ length: 1200 }, (_, at) => told(loud.id, at)))
    const { body } = await get<List & { next: string }>(`/events?deviceId=${encodeURIComponent(quiet.id)}&limit=2`)
    expect(body.items.map(({ at }) => Date.parse(String(at)))).toEqual([2, 3])
    const rest = await get<List>(`/events?deviceId=${encodeURIComponent(quiet.id)}&after=${body.next}`)
    expect(rest.body.items).toEqual([])
  })
})

describe('query parameters', () => {
  it('that a route does not have are refused on every route, with those that it has', async () => {
    const { body } = await get<{
      paths: Record<string, Record<string, { parameters?: { name: string; in: string }[] }>>
    }>('/openapi.json')
    let looked = 0
    for (const [path, methods] of Object.entries(body.paths)) {
      if (!path.startsWith('/api/v1/') || path === '/api/v1/openapi.json') continue
      for (const [method, { parameters = [] }] of Object.entries(methods)) {
        const url = path
          .replace('/api/v1', '')
          .replace('{action}', 'start')
          .replace(/\{\w+\}/g, '0C96BF-Box-S1')
        const known = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name)
        const { status, body: problem } = await world.call<Problem>(method.toUpperCase(), `${url}?colour=blue`)
        if (/^\/api\/v1\/bridge(\/|$)/.test(path)) {
          // A bridge proves itself first.
          expect(status, `${method} ${path}`).toBe(401)
          continue
        }
        expect(status, `${method} ${path}`).toBe(400)
        const message =
          known.length === 0
            ? 'is not known; this route has no query parameters'
            : `is not known; this route has ${known.join(', ')}`
        expect(problem.errors, `${method} ${path}`).toEqual([{ path: 'query.colour', message }])
        looked++
      }
    }
    expect(looked).toBeGreaterThan(35)
  })
})
