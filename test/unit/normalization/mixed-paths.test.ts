import { describe, expect, it } from 'vitest'
import type { OperationResult } from '../../../src/domain/index.ts'
import { startOwnTreeDevice } from '../../support/own-tree-device.ts'

const OPTICAL = 'Device.Optical.Interface.'
const LEVEL = `${OPTICAL}1.OpticalSignalLevel`
const OWN_LEVEL = `${OPTICAL}1.X_TP_GPON_Config.RXPower`
const WAN_MODE = 'Device.XPON.ONU.'

const start = () => startOwnTreeDevice('tplink-xc220')
const outcome = ({ results }: OperationResult, path: string) => results.find((result) => result.path === path)

describe('a path of all that a TR-181 device and rows of its vendor show', () => {
  it('is read as one object', async () => {
    const device = await start()
    const own = [...device.values.keys()].filter((path) => path.startsWith(OPTICAL))
    const result = await device.run({ verb: 'get', paths: [OPTICAL] })
    for (const path of own) expect(outcome(result, path)).toMatchObject({ value: device.values.get(path) })
    expect(outcome(result, OWN_LEVEL)?.from).toBeUndefined()
    expect(outcome(result, LEVEL)).toMatchObject({ value: '-22146', from: { path: OWN_LEVEL, value: '61' } })
    expect(new Set(result.results.map(({ path }) => path)).size).toBe(result.results.length)
  })

  it('has nothing of the device itself where that has no such object', async () => {
    const device = await start()
    const result = await device.run({ verb: 'get', paths: [WAN_MODE] })
    expect(result).toMatchObject({ outcome: 'done' })
    expect(result.results.length).toBeGreaterThan(0)
    expect(result.results.every(({ from }) => from !== undefined)).toBe(true)
    expect(device.asked.flatMap((request) => (request.verb === 'get' ? request.paths : []))).not.toContain(WAN_MODE)
  })

  it('is searched by values of both', async () => {
    const device = await start()
    const low = await device.run({ verb: 'get', paths: [`${OPTICAL}[OpticalSignalLevel<-20000].OpticalSignalLevel`] })
    expect(low.results.map(({ path }) => path)).toEqual([LEVEL])
    const all = await device.run({ verb: 'get', paths: [`${OPTICAL}*.X_TP_GPON_Config.RXPower`] })
    expect(all.results.map(({ path }) => path)).toEqual([OWN_LEVEL])
    const high = await device.run({ verb: 'get', paths: [`${OPTICAL}[OpticalSignalLevel>-20000].OpticalSignalLevel`] })
    expect(high.results).toEqual([])
  })

  it('keeps a value that the device shows itself', async () => {
    const device = await start()
    device.values.set(LEVEL, '-21000')
    const result = await device.run({ verb: 'get', paths: [OPTICAL] })
    expect(outcome(result, LEVEL)).toMatchObject({ value: '-21000' })
    expect(outcome(result, LEVEL)?.from).toBeUndefined()
  })

  it('lists the rows of both', async () => {
    const device = await start()
    const { results } = await device.run({ verb: 'instances', paths: [OPTICAL, WAN_MODE], firstLevelOnly: true })
    expect(results.map(({ path }) => path)).toEqual([`${OPTICAL}1.`, `${WAN_MODE}1.`])
  })
})

it('is notified of by the sources of the mapped ones, each once', async () => {
  const device = await start()
  const paths = [OPTICAL, WAN_MODE]
  const result = await device.run({ verb: 'subscribe', id: 's', notifType: 'ValueChange', paths, enable: true })
  expect(result).toMatchObject({ outcome: 'done', results: [{ path: OPTICAL }, { path: WAN_MODE }] })
  const [request] = device.asked
  expect(request?.verb === 'subscribe' && request.paths).toContain(OPTICAL)
  expect(request?.verb === 'subscribe' && request.paths.some((path) => path.startsWith(WAN_MODE))).toBe(false)
})

describe('a write to a TR-181 device whose model has rules for it', () => {
  const TABLE = 'Device.NAT.PortMapping.'

  it('names beside a new row what the model needs, and is answered in the paths of the device', async () => {
    const device = await startOwnTreeDevice('tplink-xc220', { [`${TABLE}1.Interface`]: 'Device.IP.Interface.3' })
    device.template = { ExternalPort: '0', Interface: '' }
    const result = await device.run({ verb: 'add', object: TABLE, values: { ExternalPort: '8443' } })
    expect(result).toMatchObject({
      outcome: 'done',
      results: [
        { path: TABLE, created: `${TABLE}2.` },
        { path: `${TABLE}2.ExternalPort`, value: '8443' },
      ],
    })
    expect(result.results.every(({ from }) => from === undefined)).toBe(true)
    expect(device.values.get(`${TABLE}2.Interface`)).toBe('Device.IP.Interface.3')
  })

  it('is refused before it is sent where the model takes no value', async () => {
    const device = await startOwnTreeDevice('tplink-xc220', { [`${TABLE}1.RemoteHost`]: '' })
    const values = [{ path: `${TABLE}1.RemoteHost`, value: '198.51.100.7' }]
    expect(await device.run({ verb: 'set', values })).toMatchObject({ outcome: 'failed', error: { code: 'notMapped' } })
    expect(device.asked).toEqual([])
  })

  it('goes through as it is where there is no rule', async () => {
    const device = await start()
    const values = [{ path: 'Device.WiFi.SSID.1.SSID', value: 'Attic', required: false }]
    expect(await device.run({ verb: 'set', values })).toMatchObject({ outcome: 'done' })
    expect(device.asked).toEqual([{ verb: 'set', values }])
  })
})

describe('a search path that a write goes to', () => {
  it('is written where the device shows the parameter itself', async () => {
    const device = await startOwnTreeDevice('tplink-xc220', { [`${OPTICAL}1.Enable`]: '1' })
    const path = `${OPTICAL}[OpticalSignalLevel<-20000].Enable`
    const result = await device.run({ verb: 'set', values: [{ path, value: '0' }] })
    expect(result).toMatchObject({ outcome: 'done', results: [{ path: `${OPTICAL}1.Enable`, value: '0' }] })
    expect(device.values.get(`${OPTICAL}1.Enable`)).toBe('0')
  })

  it('is refused where it is mapped and cannot be written', async () => {
    const device = await start()
    const result = await device.run({
      verb: 'set',
      values: [{ path: `${OPTICAL}*.OpticalSignalLevel`, value: '-1000' }],
    })
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'notMapped' } })
    expect(device.asked.map(({ verb }) => verb)).not.toContain('set')
  })
})
