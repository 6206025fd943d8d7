import { expect, it } from 'vitest'
import { RouterModel } from '../../../../src/bridge/model/router-model.ts'
import { createManualClock } from '../../../support/manual-clock.ts'
import { MemoryInstanceNumbers } from '../../../support/memory-instance-numbers.ts'
import { type RouterTables, TableRouter } from '../../../support/table-router.ts'

const PORTS: RouterTables = {
  '/system/resource': [
    { version: '7.18.2 (stable)', uptime: '1w2d3h4m5s', 'board-name': 'hAP ax^3', 'total-memory': '1073741824' },
  ],
  '/system/identity': [{ name: 'attic' }],
  '/interface/ethernet': [
    { '.id': '*1', name: 'wan', 'default-name': 'ether1', 'mac-address': '48:a9:8a:00:00:01', running: 'true' },
    { '.id': '*2', name: 'ether2', 'default-name': 'ether2', 'mac-address': '48:A9:8A:00:00:02', disabled: 'true' },
  ],
  '/interface/ethernet/monitor': [
    { '.id': '*1', rate: '2.5Gbps', 'full-duplex': 'true' },
    { '.id': '*2', status: 'no-link' },
  ],
  '/interface': [
    { '.id': '*1', name: 'wan', 'tx-byte': '18446744073709551615', 'rx-error': '4294967299' },
    { '.id': '*2', name: 'ether2', 'tx-byte': '5', 'rx-error': '0' },
  ],
}

async function opened(tables: RouterTables) {
  const router = new TableRouter(tables)
  const clock = createManualClock()
  const served = { commands: () => [], events: (schema: string) => (schema === 'Device.' ? ['Boot!'] : []) }
  const model = new RouterModel({ router, numbers: new MemoryInstanceNumbers(), clock, served })
  await model.supported()
  router.taken()
  return { router, clock, model }
}

const P1 = 'Device.Ethernet.Interface.1.'
const P2 = 'Device.Ethernet.Interface.2.'

it('reads rows, joined rows and singletons', async () => {
  const { model } = await opened(PORTS)
  expect(await model.instances('Device.Ethernet.Interface.')).toEqual([P1, P2])
  const wanted = {
    [`${P1}Name`]: 'wan',
    [`${P1}Enable`]: 'true',
    [`${P1}Status`]: 'Up',
    [`${P1}MACAddress`]: '48:A9:8A:00:00:01',
    [`${P1}CurrentBitRate`]: '2500',
    [`${P1}Stats.BytesSent`]: '18446744073709551615',
    [`${P1}Stats.ErrorsReceived`]: '3',
    [`${P2}Status`]: 'Down',
    [`${P2}CurrentBitRate`]: '0',
    'Device.Ethernet.InterfaceNumberOfEntries': '2',
    'Device.DeviceInfo.SoftwareVersion': '7.18.2',
    'Device.DeviceInfo.UpTime': '788645',
    'Device.DeviceInfo.HostName': 'attic',
    'Device.DeviceInfo.ModelName': 'hAP ax^3',
    'Device.DeviceInfo.ManufacturerOUI': '48A98A',
    'Device.DeviceInfo.MemoryStatus.Total': '1048576',
  }
  expect(
    Object.fromEntries(await model.get([...Object.keys(wanted), `${P1}Nothing`, 'Device.Ethernet.Interface.3.Name'])),
  ).toEqual(wanted)
})

it('asks for each menu once in a request, and only for the menus that it needs', async () => {
  const { model, router } = await opened(PORTS)
  const rows = await model.instances('Device.Ethernet.Interface.')
  await model.get(rows.flatMap((row) => [`${row}Name`, `${row}Stats.BytesSent`, `${row}MaxBitRate`]))
  expect(router.taken()).toEqual(['/interface/ethernet/print', '/interface/print'])
})

it('asks for the properties that it needs of a menu with one row, in one command', async () => {
  const { model, router } = await opened(PORTS)
  await Promise.all([
    model.get(['Device.DeviceInfo.UpTime']),
    model.get(['Device.DeviceInfo.SoftwareVersion', 'Device.DeviceInfo.UpTime']),
  ])
  expect(router.commands.map(({ command }) => command)).toEqual([
    { path: '/system/resource/print', proplist: ['uptime', 'version'] },
  ])
})

it('asks again after a while, and after a change', async () => {
  const { model, router, clock } = await opened(PORTS)
  const read = () => model.get(['Device.DeviceInfo.HostName'])
  await read()
  await read()
  expect(router.taken()).toHaveLength(1)
  clock.advance(1001)
  await read()
  expect(router.taken()).toHaveLength(1)
  ;(await model.found()).menus.forget()
  await read()
  expect(router.taken()).toHaveLength(1)
})

it('shows nothing of what a router lacks, until it is looked at again', async () => {
  const { model, router } = await opened(PORTS)
  const objects = async () =>
    [...(await model.supported()).objects()].filter((path) => !path.includes('X_MIKROTIK')).sort()
  expect(await objects()).toEqual([
    'Device.',
    'Device.DeviceInfo.',
    'Device.DeviceInfo.MemoryStatus.',
    'Device.DeviceInfo.ProcessStatus.',
    'Device.DeviceInfo.VendorConfigFile.{i}.',
    'Device.Ethernet.',
    'Device.Ethernet.Interface.{i}.',
    'Device.Ethernet.Interface.{i}.Stats.',
    'Device.InterfaceStack.{i}.',
  ])
  expect((await model.supported()).parameters('Device.DeviceInfo.')).not.toContain('ProvisioningCode')
  router.tables['/tr069-client'] = [{ 'provisioning-code': 'A1' }]
  model.renew()
  expect((await model.supported()).parameters('Device.DeviceInfo.')).toContain('ProvisioningCode')
  expect(await model.get(['Device.DeviceInfo.ProvisioningCode'])).toEqual(
    new Map([['Device.DeviceInfo.ProvisioningCode', 'A1']]),
  )
})

it('has optical interfaces where the router has ports for modules, with their levels in thousandths of a dBm', async () => {
  const { model } = await opened({
    ...PORTS,
    '/interface/ethernet': [
      ...(PORTS['/interface/ethernet'] ?? []),
      { '.id': '*7', name: 'fibre', 'default-name': 'sfp-sfpplus1', running: 'true' },
      { '.id': '*8', name: 'copper', 'default-name': 'sfp2' },
    ],
    '/interface/ethernet/monitor': [
      { '.id': '*7', 'sfp-module-present': 'true', 'sfp-rx-power': '-12.501', 'sfp-tx-power': '-2064' },
      { '.id': '*8', 'sfp-module-present': 'true', 'sfp-type': 'DAC' },
    ],
  })
  const [row, ...more] = await model.instances('Device.Optical.Interface.')
  expect(more).toEqual([])
  expect(
    Object.fromEntries(
      await model.get(['Name', 'OpticalSignalLevel', 'TransmitOpticalLevel'].map((name) => row + name)),
    ),
  ).toEqual({
    [`${row}Name`]: 'fibre',
    [`${row}OpticalSignalLevel`]: '-12502',
    [`${row}TransmitOpticalLevel`]: '-2064',
  })
})

it('keeps its supported model while the router does not answer, and reads it anew when it does', async () => {
  const { model, router } = await opened(PORTS)
  router.isClosed = true
  model.renew()
  expect((await model.supported()).object('Device.Ethernet.Interface.{i}.')).toBeDefined()
  await expect(model.get(['Device.DeviceInfo.UpTime'])).rejects.toMatchObject({ code: 7003 })
  router.isClosed = false
  expect(await model.get(['Device.DeviceInfo.UpTime'])).toEqual(new Map([['Device.DeviceInfo.UpTime', '788645']]))
})

it('tells the same date of a station however long an answer takes, and a new one when it has come again', async () => {
  const station = { '.id': '*9', interface: 'wifi1', 'mac-address': '02:00:00:00:00:AA', uptime: '1h', signal: '-50' }
  const { model, router, clock } = await opened({
    ...PORTS,
    '/interface/wifi': [{ '.id': '*3', name: 'wifi1', 'mac-address': '48:A9:8A:00:00:05' }],
    '/interface/wifi/registration-table': [station],
  })
  const path = 'Device.WiFi.AccessPoint.1.AssociatedDevice.1.AssociationTime'
  const read = async (uptime: string) => {
    router.tables['/interface/wifi/registration-table'] = [{ ...station, uptime }]
    return (await model.get([path])).get(path)
  }
  const first = await read('1h')
  clock.advance(61_900)
  expect(await read('1h1m')).toBe(first)
  clock.advance(58_000)
  expect(await read('1h2m')).toBe(first)
  clock.advance(60_000)
  expect(Date.parse((await read('10s')) ?? '')).toBe(Math.round(clock.now() / 1000 - 10) * 1000)
})
