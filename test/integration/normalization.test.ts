import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type MappedWorld, startMappedWorld } from '../support/mapped-world.ts'
import { until } from '../support/until.ts'

const SSID = 'Device.WiFi.SSID.1.SSID'
const NETWORK = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.'

let home: MappedWorld
beforeAll(async () => {
  home = await startMappedWorld(inject('mongodbUri'))
  await home.discovered()
})
afterAll(() => home?.stop())

describe('a TR-098 device', () => {
  it('has the values of TR-181 in its record, with the parameters that they come from', async () => {
    const own = await home.stored(`${NETWORK}SSID`)
    expect(own?.value).toBeTruthy()
    expect(await home.stored(SSID)).toMatchObject({ value: own?.value, from: { path: own?.path, value: own?.value } })
    const path = `/devices/${encodeURIComponent(home.deviceId)}/parameters?path=Device.WiFi.SSID.`
    const { body } = await home.world.call<{ items: { path: string; from?: unknown }[] }>('GET', path)
    expect(body.items.find((item) => item.path === SSID)).toMatchObject({ from: { path: `${NETWORK}SSID` } })
  })

  it('answers to paths of TR-181', async () => {
    const value = (await home.stored(`${NETWORK}SSID`))?.value
    const read = await home.run({ verb: 'get', paths: [SSID] })
    expect(read).toMatchObject({
      state: 'done',
      result: { results: [{ path: SSID, value, from: { path: `${NETWORK}SSID`, value } }] },
    })
    expect((await home.store.devices.get(home.deviceId))?.root).toBe('InternetGatewayDevice.')
  })

  it('answers to objects and search paths of TR-181, and to both roots in one request', async () => {
    const object = await home.run({ verb: 'get', paths: ['Device.WiFi.SSID.'] })
    expect(object.state).toBe('done')
    expect(object.result?.results.map(({ path }) => path)).toContain(SSID)
    expect(object.result?.results.every(({ path }) => path.startsWith('Device.WiFi.SSID.'))).toBe(true)
    const found = await home.run({ verb: 'get', paths: ['Device.WiFi.SSID.[Enable==true].SSID', `${NETWORK}Channel`] })
    expect(found.result?.results.map(({ path }) => path)).toEqual([SSID, `${NETWORK}Channel`])
    const none = await home.run({ verb: 'get', paths: ['Device.Cellular.Interface.1.IMEI'] })
    expect(none).toMatchObject({ state: 'failed', result: { error: { code: '9005' } } })
  })

  it('takes writes of TR-181, and does not send what it shows already', async () => {
    const set = await home.run({ verb: 'set', values: [{ path: SSID, value: 'Kitchen' }] })
    const from = { path: `${NETWORK}SSID`, value: 'Kitchen' }
    expect(set).toMatchObject({ state: 'done', result: { results: [{ path: SSID, value: 'Kitchen', from }] } })
    expect(home.device.tree.raw(`${NETWORK}SSID`)).toBe('Kitchen')
    expect(await home.stored(SSID)).toMatchObject({ value: 'Kitchen', from })
    expect(await home.stored(`${NETWORK}SSID`)).toMatchObject({ value: 'Kitchen' })
    const again = await home.run({ verb: 'set', values: [{ path: SSID, value: 'Kitchen' }] })
    expect(again).toMatchObject({ state: 'done', result: { results: [{ path: SSID, value: 'Kitchen' }] } })
    const search = await home.run({ verb: 'set', values: [{ path: 'Device.WiFi.SSID.*.SSID', value: 'Attic' }] })
    expect(search).toMatchObject({ state: 'done', result: { results: [{ path: SSID, value: 'Attic' }] } })
    expect(home.device.tree.raw(`${NETWORK}SSID`)).toBe('Attic')
  })

  it('refuses a write that has no form on it, with the reason', async () => {
    const refused = await home.run({
      verb: 'set',
      values: [{ path: 'Device.WiFi.SSID.1.LowerLayers', value: 'Device.WiFi.Radio.2.' }],
    })
    expect(refused).toMatchObject({ state: 'failed', result: { error: { code: 'notMapped' } } })
  })

  it('adds a row, finds it in lists and deletes it, by the number that TR-181 gives it', async () => {
    const table = 'Device.NAT.PortMapping.'
    const values = { ExternalPort: '8080', InternalPort: '80', Protocol: 'TCP', InternalClient: '192.168.1.20' }
    const added = await home.run({ verb: 'add', object: table, values })
    expect(added).toMatchObject({
      state: 'done',
      result: { results: [{ path: table, created: `${table}1.` }, {}, {}, {}, {}] },
    })
    const own = added.result?.results[0]?.from?.path ?? ''
    expect(home.device.tree.raw(`${own}ExternalPort`)).toBe('8080')
    expect(await home.stored(`${table}1.ExternalPort`)).toMatchObject({
      value: '8080',
      from: { path: `${own}ExternalPort` },
    })
    const listed = await home.run({ verb: 'instances', paths: [table] })
    expect(listed.result?.results).toMatchObject([{ path: `${table}1.`, from: { path: own } }])
    const second = await home.run({ verb: 'add', object: table, values: { ...values, ExternalPort: '8081' } })
    expect(second.result?.results[0]).toMatchObject({ created: `${table}2.` })
    const gone = await home.run({ verb: 'delete', paths: [`${table}1.`] })
    expect(gone).toMatchObject({ state: 'done', result: { results: [{ path: `${table}1.`, from: { path: own } }] } })
    expect(home.device.tree.raw(`${own}ExternalPort`)).toBeUndefined()
    expect(await home.stored(`${table}1.ExternalPort`)).toBeUndefined()
    expect(await home.stored(`${table}2.ExternalPort`)).toMatchObject({ value: '8081' })
    const again = await home.run({ verb: 'delete', paths: [`${table}1.`] })
    expect(again).toMatchObject({ state: 'failed', result: { error: { code: '9005' } } })
    const virtual = await home.run({ verb: 'delete', paths: ['Device.IP.Interface.1.'] })
    expect(virtual).toMatchObject({ state: 'failed', result: { error: { code: 'notMapped' } } })
  })

  it('lists what it has below an object of TR-181, and what can be written', async () => {
    const listed = await home.run({ verb: 'supported', path: 'Device.WiFi.' })
    expect(listed.result?.results.find(({ path }) => path === SSID)).toMatchObject({ writable: true })
    const read = await home.run({ verb: 'discover', path: 'Device.WiFi.' })
    expect(read.state).toBe('done')
  })

  it('reports a change under both paths', async () => {
    const on = await home.run({ verb: 'subscribe', id: 's1', notifType: 'ValueChange', paths: [SSID], enable: true })
    expect(on).toMatchObject({ state: 'done', result: { results: [{ path: SSID, from: { path: `${NETWORK}SSID` } }] } })
    home.device.tree.put(`${NETWORK}SSID`, 'By hand')
    await until(async () => (await home.stored(SSID))?.value === 'By hand')
    const events = await home.store.events.ofDevice(home.deviceId, undefined, 500)
    const changed = events.filter(({ type, data }) => type === 'parameter.changed' && data.path === `${NETWORK}SSID`)
    expect(changed.at(-1)?.data).toMatchObject({ value: 'By hand', mapped: [{ path: SSID, value: 'By hand' }] })
  })

  it('runs a diagnostic, whose results have the names of TR-181', async () => {
    const input = { Host: 'example.com', Interface: 'Device.IP.Interface.1' }
    const run = await home.run({ verb: 'operate', command: 'Device.IP.Diagnostics.IPPing()', input })
    await until(
      async () => !['queued', 'sent', 'unknown'].includes((await home.store.operations.get(run.id))?.state ?? ''),
    )
    const ended = await home.store.operations.get(run.id)
    expect(ended).toMatchObject({ state: 'done' })
    expect(home.device.tree.raw('InternetGatewayDevice.IPPingDiagnostics.Interface')).toMatch(
      /^InternetGatewayDevice\.LANDevice\.1/,
    )
    expect(ended?.result?.output).toMatchObject({ Status: 'Complete', SuccessCount: '3' })
  })
})
