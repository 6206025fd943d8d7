import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type MappedWorld, startMappedWorld } from '../support/mapped-world.ts'

const TABLE = 'Device.NAT.PortMapping.'
const OWN_TABLE = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.PortMapping.'
const SSID = 'Device.WiFi.SSID.1.SSID'
const OWN_SSID = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.SSID'

let home: MappedWorld
beforeAll(async () => {
  home = await startMappedWorld(inject('mongodbUri'), { serial: 'lost-1' })
  await home.discovered()
})
afterAll(() => home?.stop())

/** Takes the power from the device when something at or below a path changes: it has done it, and gives no answer. */
function losePowerAfter(path: string): void {
  const leave = home.device.tree.onChange((change) => {
    if (!change.path.startsWith(path)) return
    leave()
    home.device.powerLoss()
  })
}

describe('a request by TR-181 paths whose answer is lost', () => {
  it('is found to be done, for a write', async () => {
    losePowerAfter(OWN_SSID)
    const set = await home.run({ verb: 'set', values: [{ path: SSID, value: 'After' }] })
    expect(set).toMatchObject({ state: 'done', result: { results: [{ path: SSID, value: 'After' }] } })
    expect(await home.stored(SSID)).toMatchObject({ value: 'After', from: { path: OWN_SSID } })
  })

  it('is found to be done, for a new row beside others, and names its number', async () => {
    await home.run({ verb: 'add', object: TABLE, values: {} })
    losePowerAfter(OWN_TABLE)
    const added = await home.run({ verb: 'add', object: TABLE, values: {} })
    expect(added).toMatchObject({ state: 'done', result: { results: [{ path: TABLE, created: `${TABLE}2.` }] } })
    expect(home.device.tree.instances(OWN_TABLE)).toHaveLength(2)
    expect((await home.store.operations.get(added.id))?.attempts).toBe(1)
  })

  it('is found to be done, for a deleted row, which leaves the record under both paths', async () => {
    const row = (await home.stored(`${TABLE}1.Enable`))?.from?.path?.replace('PortMappingEnabled', '') ?? ''
    expect(row).toMatch(/^InternetGatewayDevice\./)
    losePowerAfter(OWN_TABLE)
    const gone = await home.run({ verb: 'delete', paths: [`${TABLE}1.`] })
    expect(gone).toMatchObject({ state: 'done', result: { results: [{ path: `${TABLE}1.` }] } })
    expect(await home.stored(`${TABLE}1.Enable`)).toBeUndefined()
    expect(await home.stored(`${row}PortMappingEnabled`)).toBeUndefined()
    expect(await home.stored(`${TABLE}2.Enable`)).toBeDefined()
  })
})
