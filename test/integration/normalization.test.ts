import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type MappedWorld, startMappedWorld } from '../support/mapped-world.ts'

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
})
