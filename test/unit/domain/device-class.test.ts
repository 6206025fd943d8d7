import { describe, expect, it } from 'vitest'
import { silentLog, systemClock, systemRandom } from '../../../src/base/index.ts'
import type { Device } from '../../../src/domain/index.ts'
import { factsFrom, factsPatch } from '../../../src/domain/index.ts'
import { FAMILY_NAMES, Fleet, type FleetItem } from '../../../src/simulator/index.ts'
import { readTree, TREE_NAMES } from '../../support/device-trees.ts'

const device = (over: Partial<Device>) => over as Device
/** Returns the class of a device after parameters were read from it. */
function classAfter(before: Partial<Device>, parameters: Record<string, string>): string | undefined {
  const facts = factsFrom(Object.entries(parameters).map(([name, value]) => ({ name, value })))
  return factsPatch(device(before), { manufacturer: 'Acme', ...facts }).deviceClass ?? before.deviceClass
}

describe('the class of a device', () => {
  it.each([
    ['an optical interface', { 'Device.Optical.Interface.1.Status': 'Up' }, 'ont'],
    ['a container of a vendor', { 'InternetGatewayDevice.WANDevice.1.X_FH_GponInterfaceConfig.RXPower': '-20' }, 'ont'],
    ['one at the root', { 'InternetGatewayDevice.X_ALU_OntOpticalParam.RXPower': '-20.1' }, 'ont'],
    ['its access', { 'InternetGatewayDevice.WANDevice.1.WANCommonInterfaceConfig.WANAccessType': 'EPON' }, 'ont'],
    ['a DSL line', { 'Device.DSL.Line.1.Status': 'Up' }, 'dsl'],
    ['a set-top service', { 'Device.Services.STBService.1.Enable': 'true' }, 'stb'],
    [
      'a wireless backhaul',
      { 'Device.WiFi.DataElements.Network.Device.1.MultiAPDevice.Backhaul.LinkType': 'Wi-Fi' },
      'meshAp',
    ],
    ['its connection', { 'Device.PPP.Interface.1.ConnectionStatus': 'Connected' }, 'router'],
    ['nothing', { 'Device.DeviceInfo.UpTime': '1' }, 'other'],
  ])('follows from %s', (_evidence, parameters, expected) => {
    expect(classAfter({}, parameters)).toBe(expected)
  })

  it('follows from words only where no object says more', () => {
    const nat = { 'Device.NAT.PortMappingNumberOfEntries': '0' }
    expect(classAfter({ productClass: 'IP-Camera' }, {})).toBe('camera')
    expect(classAfter({ productClass: 'Mesh_AP' }, nat)).toBe('meshAp')
    expect(classAfter({ productClass: 'Mesh_AP' }, { 'Device.XPON.ONU.1.Enable': '1' })).toBe('ont')
    expect(classAfter({ productClass: 'Captain' }, nat)).toBe('router')
  })

  it('stays when a message shows less than was known', () => {
    const inform = {
      'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.ExternalIPAddress': '1.2.3.4',
    }
    expect(classAfter({ deviceClass: 'ont' }, inform)).toBe('ont')
    expect(classAfter({ deviceClass: 'stb' }, { 'Device.DeviceInfo.UpTime': '1' })).toBe('stb')
    expect(classAfter({ deviceClass: 'router' }, { 'Device.DSL.Line.1.Status': 'Up' })).toBe('dsl')
  })

  it('is not guessed from a message that says nothing of it', () => {
    const facts = factsFrom([{ name: 'Device.ManagementServer.PeriodicInformInterval', value: '300' }])
    expect(factsPatch(device({ productClass: 'VX' }), facts).deviceClass).toBeUndefined()
  })

  it('of a record with optical facts is ont, without another look at its tree', () => {
    expect(classAfter({ optical: { rxPowerDbm: -20 }, productClass: 'HG8145V5' }, {})).toBe('ont')
  })

  it('of a MikroTik router with an optical module is router', () => {
    const shown = { 'Device.DeviceInfo.Manufacturer': 'MikroTik', 'Device.Optical.Interface.1.Status': 'Up' }
    expect(classAfter({ manufacturer: 'MikroTik', optical: { rxPowerDbm: -8 } }, shown)).toBe('router')
  })

  const NO_ONT: Record<string, string> = { 'mikrotik-ltap': 'router', 'tr098-router': 'router' }
  it.each(TREE_NAMES)('of %s is what it is', (name) => {
    const tree = Object.fromEntries([...readTree(name)].map(([path, { value }]) => [path, value]))
    expect(classAfter({}, tree)).toBe(NO_ONT[name] ?? 'ont')
  })

  const SIMULATED: Partial<Record<FleetItem, string>> = {
    avmDsl: 'dsl',
    tplinkRouter: 'router',
    meshAp: 'meshAp',
    stb: 'stb',
    camera: 'camera',
    mikrotikV6: 'router',
    mikrotikV7: 'router',
  }
  it.each(FAMILY_NAMES)('of a simulated %s is what it is', (family) => {
    const fleet = new Fleet({
      mix: { [family]: 1 },
      faultEvery: 0,
      seed: 1,
      servers: {
        acsUrl: 'http://127.0.0.1:9/',
        enrolmentSecret: 's',
        usp: { endpointId: 'proto::c', host: '127.0.0.1', port: 9, path: '/usp', tls: false },
      },
      timeScale: 1,
      informIntervalS: 300,
      staggerMs: 0,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    })
    const [{ cwmp, identity } = fleet.devices[0]!] = fleet.devices
    const shown = Object.fromEntries(cwmp.parametersBelow('').map((path) => [path, cwmp.get(path) ?? '']))
    expect(classAfter({ productClass: identity.productClass }, shown)).toBe(SIMULATED[family] ?? 'ont')
  })
})
