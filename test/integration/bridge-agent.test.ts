import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Contact, deviceIdOf, type Operation, type OperationRequest } from '../../src/domain/index.ts'
import { type BridgedRouter, bridged } from '../support/bridged-router.ts'
import { HOME_ROUTER } from '../support/router-tables.ts'
import { TableRouter } from '../support/table-router.ts'
import { startController, type TestController } from '../support/usp-controller.ts'

let world: TestController
let one: BridgedRouter
let contact: Contact
let ids = 0
beforeEach(async () => {
  world = await startController()
  one = await bridged(new TableRouter(HOME_ROUTER), world.port)
  contact = await world.contact()
})
afterEach(async () => {
  await one.stop()
  await world.stop()
})

function run(request: OperationRequest) {
  const operation: Operation = {
    id: `op-${++ids}`,
    deviceId: deviceIdOf(one.identity),
    request,
    state: 'queued',
    actor: { kind: 'apiKey', id: 'test' },
    createdAt: 0,
    expiresAt: 1,
    attempts: 0,
  }
  const signal = new AbortController().signal
  return contact.execute(operation, { beforeSend: async () => undefined, signal, timeoutMs: 60_000 })
}

/** Values by path. */
async function read(...paths: string[]): Promise<Record<string, string>> {
  const got = await run({ verb: 'get', paths })
  if (got.outcome !== 'done' || got.error !== undefined) throw new Error(`the read ended with ${got.outcome}`)
  return Object.fromEntries(got.results.map(({ path, value }) => [path, value ?? '']))
}

it('a router joins our Controller as a device', async () => {
  expect(one.identity).toEqual({ oui: '48A98A', productClass: 'C53UiG+5HPaxD2HPaxD', serial: 'HF9087ABCDE' })
  expect(contact).toMatchObject({ deviceId: deviceIdOf(one.identity), protocol: 'usp' })
})

it('Get reads it by path, by wildcard and by search', async () => {
  expect(await read('Device.DeviceInfo.')).toMatchObject({
    'Device.DeviceInfo.Manufacturer': 'MikroTik',
    'Device.DeviceInfo.SoftwareVersion': '7.18.2',
    'Device.DeviceInfo.MemoryStatus.Total': '1048576',
    'Device.DeviceInfo.ProcessStatus.CPUUsage': '7',
  })
  expect(await read('Device.Ethernet.Interface.*.Status')).toEqual({
    'Device.Ethernet.Interface.1.Status': 'Up',
    'Device.Ethernet.Interface.2.Status': 'Down',
  })
  expect(await read('Device.WiFi.SSID.[SSID=="guests"].LowerLayers+.Channel')).toEqual({
    'Device.WiFi.Radio.1.Channel': '36',
  })
  expect(await read('Device.WiFi.AccessPoint.1.AssociatedDevice.')).toMatchObject({
    'Device.WiFi.AccessPoint.1.AssociatedDevice.1.MACAddress': '02:00:00:00:00:AA',
    'Device.WiFi.AccessPoint.1.AssociatedDevice.1.SignalStrength': '-61',
    'Device.WiFi.AccessPoint.1.AssociatedDevice.1.LastDataDownlinkRate': '866600',
    'Device.WiFi.AccessPoint.1.AssociatedDevice.1.LastDataUplinkRate': '432300',
    'Device.WiFi.AccessPoint.1.AssociatedDevice.1.Stats.BytesReceived': '456',
  })
})

it('secrets of the router never leave it', async () => {
  const all = await read('Device.')
  expect(all['Device.WiFi.AccessPoint.1.Security.ModeEnabled']).toBe('WPA3-Personal-Transition')
  expect(all['Device.WiFi.AccessPoint.1.Security.KeyPassphrase']).toBe('')
  expect(JSON.stringify(all)).not.toContain('correct horse')
})

it('GetInstances lists rows with those unique keys that it has', async () => {
  expect(await run({ verb: 'instances', paths: ['Device.WiFi.SSID.'] })).toMatchObject({
    outcome: 'done',
    results: [
      { path: 'Device.WiFi.SSID.1.', keys: { Name: 'wifi1', BSSID: '48:A9:8A:00:00:05' } },
      { path: 'Device.WiFi.SSID.2.', keys: { Name: 'guest', BSSID: '4A:A9:8A:00:00:05' } },
    ],
  })
})

it('GetSupportedDM lists what the router has, and nothing else', async () => {
  const found = JSON.stringify(await run({ verb: 'supported', path: 'Device.' }))
  expect(found).toContain('"Device.WiFi.AccessPoint.{i}.AssociatedDevice.{i}."')
  expect(found).toContain('"Device.LocalAgent.Subscription.{i}."')
  expect(found).not.toContain('TemperatureSensor')
  expect(found).not.toContain('.SNR"')
})
