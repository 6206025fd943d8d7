import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type DeviceId, deviceIdOf, newDevice } from '../../src/domain/index.ts'
import { readTree } from '../support/device-trees.ts'
import { type MappedWorld, startMappedWorld } from '../support/mapped-world.ts'
import { type ServerWithStore, startServerWithStore } from '../support/test-server.ts'
import { until } from '../support/until.ts'

let world: ServerWithStore
beforeAll(async () => {
  world = await startServerWithStore(inject('mongodbUri'))
})
afterAll(() => world?.stop())

interface Trial {
  source: string
  raw: string
  target?: string
  value?: string
  reason?: string
  instead?: string
}
interface Answer {
  id: string
  revision: number
  devices: number
  items: { id: string }[]
  errors: { path: string }[]
  detail: string
  family?: string
  inScope: boolean
  rows: { found: number; failed: number; trials: Trial[] }[]
}

const LOAD = {
  from: 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Load',
  to: 'Device.DeviceInfo.ProcessStatus.CPUUsage',
  transform: 'percent',
}
const setOf = (name: string, more: object = {}) => ({
  name,
  reason: 'it shows its load elsewhere',
  scope: { model: 'HG8145V5' },
  rows: [LOAD],
  ...more,
})
const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  world.call<Answer>(method, path, body, headers)

async function deviceWith(fixture: string, more: Record<string, string>): Promise<DeviceId> {
  const identity = { oui: '00259E', productClass: 'HG8145V5', serial: fixture }
  const deviceId = deviceIdOf(identity)
  const create = { ...newDevice(deviceId, identity, 'cwmp', 1), model: 'HG8145V5' }
  await world.store.devices.commit({ deviceId, create })
  const own = [...readTree(fixture)].map(([path, { value }]) => [path, value] as const)
  const parameters = [...own, ...Object.entries(more)].map(([path, value]) => ({
    path,
    value,
    type: 'string' as const,
    source: 'cwmp' as const,
    collectedAt: 1,
  }))
  for (let at = 0; at < parameters.length; at += 500)
    await world.store.devices.commit({ deviceId, parameters: parameters.slice(at, at + 500) })
  return deviceId
}

describe('mapping rows of the API', () => {
  it('are added, read with the number of their devices, replaced under their revision, and deleted', async () => {
    const made = await call('POST', '/mapping-rows', setOf('one'))
    expect(made).toMatchObject({ status: 201, body: { ...setOf('one'), revision: 1, devices: 0 } })
    const path = `/mapping-rows/${made.body.id}`
    expect(made.headers.get('location')).toBe(`/api/v1${path}`)
    const etag = { 'if-match': '"1"' }
    expect((await call('PUT', path, setOf('one', { scope: {} }), etag)).body).toMatchObject({ revision: 2, scope: {} })
    expect((await call('PUT', path, setOf('one'), etag)).status).toBe(412)
    expect((await call('GET', '/mapping-rows')).body.items.map(({ id }) => id)).toEqual([made.body.id])
    expect((await call('POST', '/mapping-rows', setOf('one'))).status).toBe(409)
    expect((await call('DELETE', path, undefined, etag)).status).toBe(412)
    expect((await call('DELETE', path, undefined, { 'if-match': '"2"' })).status).toBe(204)
    expect([(await call('GET', path)).status, (await call('DELETE', path)).status]).toEqual([404, 404])
  })

  it('leave an audit entry and an event for each change', async () => {
    const { id } = (await call('POST', '/mapping-rows', setOf('audited'))).body
    await call('DELETE', `/mapping-rows/${id}`)
    const audit = await world.call<{ items: { action: string }[] }>('GET', `/audit?target=${id}`)
    expect(audit.body.items.map(({ action }) => action)).toEqual(['mappingRows.delete', 'mappingRows.create'])
    const events = await world.store.events.ofTypes(['mappingRows.changed'], '', 100)
    expect(events.filter(({ data }) => data.id === id).map(({ data }) => data.deed)).toEqual(['created', 'deleted'])
  })

  it.each<[string, object, string]>([
    ['a row without source', { rows: [LOAD, { to: LOAD.to }] }, 'body.rows.1.from'],
    ['a target that there is not', { rows: [{ ...LOAD, to: 'Device.DeviceInfo.Colour' }] }, 'body.rows.0.to'],
    ['an unknown transform', { rows: [{ ...LOAD, transform: 'magic' }] }, 'body.rows.0.transform'],
    ['a scope that has no version', { scope: { firmware: { from: '2', before: '1' } } }, 'body.scope.firmware.before'],
  ])('with %s are refused with the place', async (_name, more, path) => {
    const answer = await call('POST', '/mapping-rows', setOf('bad', more))
    expect(answer.status).toBe(400)
    expect(answer.body.errors.map((error) => error.path)).toContain(path)
  })
})

describe('a check of mapping rows', () => {
  let deviceId: DeviceId
  beforeAll(async () => {
    const ssid = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.'
    deviceId = await deviceWith('huawei-hg8145v5', {
      [LOAD.from]: '37 %',
      'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Odd': 'n/a',
      [`${ssid}X_EXAMPLE_Passphrase`]: 'do not show',
    })
  })
  const check = (rows: object[], more: object = {}) => call('POST', '/mapping-rows/check', { deviceId, rows, ...more })

  it('shows what each row finds on the device, the value of each parameter, and what did not decode', async () => {
    const odd = { ...LOAD, from: 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Odd', rank: 9 }
    const absent = { ...LOAD, from: 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Absent', rank: 9 }
    const { status, body } = await check([LOAD, odd, absent])
    expect(status).toBe(200)
    expect(body).toMatchObject({ family: 'huawei', inScope: true })
    expect(body.rows).toEqual([
      { found: 1, failed: 0, trials: [{ source: LOAD.from, raw: '37 %', target: LOAD.to, value: '37' }] },
      { found: 1, failed: 1, trials: [{ source: odd.from, raw: 'n/a', target: LOAD.to, reason: 'value' }] },
      { found: 0, failed: 0, trials: [] },
    ])
  })

  it('shows which parameter goes first, and that the scope leaves the device out', async () => {
    const { body } = await check([{ ...LOAD, rank: 90 }], { scope: { model: 'R-1' } })
    expect(body.inScope).toBe(false)
    expect(body.rows[0]?.trials[0]).toMatchObject({ value: '37', instead: expect.stringContaining('X_HW_') })
  })

  it('shows no secret', async () => {
    const network = 'InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.'
    const to = 'Device.WiFi.AccessPoint.{i}.Security.KeyPassphrase'
    const { body } = await check([{ from: `${network}X_EXAMPLE_Passphrase`, to, rank: 0 }])
    expect(body.rows[0]?.found).toBe(1)
    expect(JSON.stringify(body)).not.toContain('do not show')
  })

  it('is 404 for a device that there is not, and 409 for one without a tree', async () => {
    const missing = await call('POST', '/mapping-rows/check', { deviceId: '00259E-HG-9', rows: [LOAD] })
    expect(missing.status).toBe(404)
    const identity = { oui: '00259E', productClass: 'HG', serial: 'empty' }
    const id = deviceIdOf(identity)
    await world.store.devices.commit({ deviceId: id, create: newDevice(id, identity, 'cwmp', 1) })
    expect((await call('POST', '/mapping-rows/check', { deviceId: id, rows: [LOAD] })).status).toBe(409)
  })
})

describe('a change of mapping rows', () => {
  let mapped: MappedWorld
  beforeAll(async () => {
    mapped = await startMappedWorld(inject('mongodbUri'), { serial: 'remapped-1' })
    await mapped.discovered()
  })
  afterAll(() => mapped?.stop())

  it('maps the stored trees of its devices again, without a word to them', async () => {
    const from = 'InternetGatewayDevice.DeviceInfo.SoftwareVersion'
    const to = 'Device.DeviceInfo.X_EXAMPLE_Firmware'
    const { softwareVersion = '' } = (await mapped.store.devices.get(mapped.deviceId)) ?? {}
    const scope = { firmware: { from: softwareVersion } }
    const { body } = await mapped.world.call<Answer>(
      'POST',
      '/mapping-rows',
      setOf('firmware', { scope, rows: [{ from, to }] }),
    )
    await until(async () => (await mapped.stored(to))?.value === softwareVersion)
    expect(await mapped.stored(to)).toMatchObject({ from: { path: from, value: softwareVersion } })
    const progress = () => mapped.world.call<Record<string, unknown>>('GET', '/mapping-rows/remapping')
    await until(async () => (await progress()).body.state === 'idle')
    expect((await progress()).body).toMatchObject({ looked: 1, mapped: 1, failed: 0, total: 1 })
    await mapped.world.call('DELETE', `/mapping-rows/${body.id}`)
    await until(async () => (await mapped.stored(to)) === undefined)
  })
})
