import { describe, expect, it } from 'vitest'
import { silentLog, systemRandom } from '../../../src/base/index.ts'
import {
  defaultMix,
  describeFamilies,
  FAMILY_NAMES,
  type FamilyName,
  Fleet,
  type SimulatedDevice,
} from '../../../src/simulator/index.ts'
import { factsOf } from '../../support/device-facts.ts'
import type { DeviceTree } from '../../support/device-trees.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { mappedTree, viewOf } from '../../support/mapped-tree.ts'
import { ScriptedAcs, valuesOf } from '../../support/scripted-acs.ts'
import { until } from '../../support/until.ts'

const MINUTE = 60_000

function fleetOf(mix: Partial<Record<FamilyName, number>>, acsUrl = 'http://127.0.0.1:9/') {
  const clock = createManualClock()
  const fleet = new Fleet({
    mix,
    faultEvery: 0,
    seed: 1,
    servers: {
      acsUrl,
      enrolmentSecret: 's',
      usp: { endpointId: 'proto::c', host: '127.0.0.1', port: 9, path: '/usp', tls: false },
    },
    timeScale: 1,
    informIntervalS: 300,
    staggerMs: 0,
    clock,
    random: { bytes: systemRandom.bytes, fraction: () => 0.5 },
    log: silentLog,
  })
  return { fleet, clock }
}

/** Returns the tree as the device shows it over CWMP. */
function shownBy({ cwmp }: SimulatedDevice): DeviceTree {
  return new Map(
    cwmp.parametersBelow('').map((path) => {
      const { type = '', access = 'r' } = cwmp.parameter(path) ?? {}
      return [path, { value: cwmp.get(path) ?? '', type, writable: access !== 'r' }]
    }),
  )
}

/** Returns the facts of a device under the paths of TR-181. */
function facts(device: SimulatedDevice) {
  return factsOf(viewOf(mappedTree(shownBy(device))))
}

describe('a family of simulated devices', () => {
  it.each(FAMILY_NAMES)('%s: every value of its tree is one of the type that it shows', (name) => {
    const [device] = fleetOf({ [name]: 1 }).fleet.devices
    const tree = shownBy(device!)
    expect(tree.size).toBeGreaterThan(45)
    for (const [path, { type, value }] of tree) {
      if (/^(unsignedInt|unsignedLong)$/.test(type)) expect(value, path).toMatch(/^\d+$/)
      if (/^(int|long)$/.test(type)) expect(value, path).toMatch(/^-?\d+$/)
      if (type === 'boolean') expect(value, path).toMatch(/^(true|false)$/)
    }
    // Nothing of the tree is hidden from its CPE by a missing name in the model.
    expect([...device!.tree.paths()].filter((path) => !tree.has(path))).toEqual([])
  })

  it('tplinkRouter: shows the levels of stations in dBm, and is described by what it has', () => {
    const [device] = fleetOf({ tplinkRouter: 1 }).fleet.devices
    const levels = [...shownBy(device!)].filter(([path]) => /\.AssociatedDevice\.\d+\.SignalStrength$/.test(path))
    expect(levels.length).toBeGreaterThan(0)
    for (const [path, { value }] of levels) expect(Number(value), path).toBeLessThan(0)
    expect(describeFamilies()).not.toMatch(/RCPI/)
  })

  const ONTS: FamilyName[] = ['huaweiOnt', 'zteOnt', 'fiberhomeOnt', 'ctcomEpon', 'nokiaOnt', 'vsolOnt']
  it.each(ONTS)('%s: power, user, VLAN and networks are what the home has, in its own encoding', (name) => {
    for (const device of fleetOf({ [name]: 6 }).fleet.devices) {
      const { home } = device.field!
      const shown = facts(device)
      expect(Math.abs((shown.optics?.rxDbm ?? 0) - home.rxDbm)).toBeLessThan(1.5)
      expect(Math.abs((shown.optics?.txDbm ?? 0) - home.txDbm)).toBeLessThan(0.6)
      expect(Math.abs((shown.optics?.temperatureC ?? 0) - home.temperatureC)).toBeLessThan(3)
      expect(shown.pppoe).toMatchObject({ user: home.pppUser, vlan: home.vlan })
      expect(shown.pppoe?.status).toBe(home.loginAccepted ? 'Connected' : 'Disconnected')
      expect(shown.ssids).toEqual({ '2.4GHz': [home.ssid], '5GHz': [home.ssid5] })
      const wireless = home.devices.filter(({ band }) => band !== undefined)
      if (name !== 'vsolOnt')
        expect(shown.stations?.map(({ mac }) => mac.toUpperCase()).sort()).toEqual(
          wireless.map(({ mac }) => mac).sort(),
        )
    }
  })

  it.each(['avmDsl', 'tplinkRouter'] as const)('%s: user and networks are what the home has', (name) => {
    const [device] = fleetOf({ [name]: 1 }).fleet.devices
    const { home } = device!.field!
    const shown = facts(device!)
    expect(shown.pppoe?.user).toBe(home.pppUser)
    expect(shown.ssids).toEqual({ '2.4GHz': [home.ssid], '5GHz': [home.ssid5] })
    expect(shown.optics).toBeUndefined()
  })

  it.each(['mikrotikV6', 'mikrotikV7'] as const)('%s: user, networks and hosts are what the home has', (name) => {
    const [device] = fleetOf({ [name]: 1 }).fleet.devices
    const { home } = device!.field!
    const shown = facts(device!)
    expect(shown.pppoe).toMatchObject({ user: home.pppUser, status: 'Connected' })
    expect(shown.hosts?.map(({ mac }) => mac.toUpperCase()).sort()).toEqual(home.devices.map(({ mac }) => mac).sort())
    // The TR-069 client of RouterOS shows radios of the legacy driver alone.
    expect(shown.ssids).toEqual(name === 'mikrotikV6' ? { '2.4GHz': [home.ssid], '5GHz': [home.ssid5] } : {})
    const tree = shownBy(device!)
    for (const object of ['NAT', 'Bridging', 'Users', 'Time'])
      expect([...tree.keys()].filter((path) => path.startsWith(`Device.${object}.`))).toEqual([])
    expect(tree.get('Device.Firewall.X_MIKROTIK_NAT.Chain.2.Rule.1.ToAddresses')).toMatchObject({ writable: true })
  })

  it('is mostly TR-098 in the mix of a fleet, of five families and more, beside dual-stack devices', () => {
    const mix = defaultMix(200)
    const count = (names: readonly string[]) =>
      names.reduce((sum, name) => sum + (Object.entries(mix).find(([item]) => item === name)?.[1] ?? 0), 0)
    expect(count([...ONTS, 'avmDsl'])).toBeGreaterThan(100)
    for (const name of [...ONTS, 'avmDsl', 'meshAp', 'stb', 'camera', 'tplinkRouter', 'uspOnly', 'dualStack'])
      expect(count([name])).toBeGreaterThan(0)
  })
})

describe('a device of the field lives', () => {
  const WLAN = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.5.'
  const PPP = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.'

  it('its counters grow and wrap at 32 bits, and its level moves', () => {
    const { fleet, clock } = fleetOf({ huaweiOnt: 1 })
    const [device] = fleet.devices
    device!.start()
    const read = (path: string) => Number(device!.cwmp.get(path))
    const bytes = `${PPP}Stats.EthernetBytesReceived`
    const level = 'InternetGatewayDevice.WANDevice.1.X_GponInterafceConfig.RXPower'
    const levels = new Set<number>()
    let wraps = 0
    for (let last = read(bytes), minute = 0; minute < 60 * 24; minute++) {
      clock.advance(MINUTE)
      levels.add(read(level))
      const now = read(bytes)
      if (now < last) wraps++
      expect(now).toBeLessThan(2 ** 32)
      last = now
    }
    expect(wraps).toBeGreaterThan(0)
    expect(levels.size).toBeGreaterThan(1)
    fleet.stop(false)
  })

  it('stations go and come again, and are counted', () => {
    const { fleet, clock } = fleetOf({ huaweiOnt: 1 })
    const [device] = fleet.devices
    device!.start()
    const stations = () => device!.tree.instances(`${WLAN}AssociatedDevice.`).length
    const begin = stations()
    const seen = new Set<number>()
    for (let minute = 0; minute < 240; minute++) {
      clock.advance(MINUTE)
      seen.add(stations())
      expect(device!.cwmp.get(`${WLAN}TotalAssociations`)).toBe(String(stations()))
    }
    expect([...seen].sort()).toEqual([begin - 1, begin])
    fleet.stop(false)
  })

  it('its connection is lost with a reason and comes again with another address', () => {
    const { fleet, clock } = fleetOf({ huaweiOnt: 1 })
    const [device] = fleet.devices
    device!.start()
    const read = (name: string) => device!.cwmp.get(PPP + name)
    const address = read('ExternalIPAddress')
    for (let second = 0; read('ConnectionStatus') === 'Connected' && second < 8 * 3600; second++) clock.advance(1000)
    expect([read('ConnectionStatus'), read('LastConnectionError'), read('Uptime')]).toEqual([
      'Connecting',
      'ERROR_ISP_TIME_OUT',
      '0',
    ])
    clock.advance(60_000)
    expect([read('ConnectionStatus'), read('LastConnectionError')]).toEqual(['Connected', 'ERROR_NONE'])
    expect(read('ExternalIPAddress')).not.toBe(address)
    fleet.stop(false)
  })

  it.each([
    ['IPPingDiagnostics', { Host: '192.0.2.9' }, 'Complete', { SuccessCount: '4', AverageResponseTime: '12' }],
    ['TraceRouteDiagnostics', { Host: '192.0.2.9' }, 'Complete', { RouteHopsNumberOfEntries: '3' }],
    ['DownloadDiagnostics', { DownloadURL: 'http://t.example/f' }, 'Completed', { TestBytesReceived: '10000000' }],
    ['UploadDiagnostics', { UploadURL: 'http://t.example/f' }, 'Completed', { TotalBytesSent: '2000' }],
    ['NSLookupDiagnostics', { HostName: 'a.example' }, 'Complete', { SuccessCount: '1', ResultNumberOfEntries: '1' }],
    ['TraceRouteDiagnostics', { Host: 'no.invalid' }, 'Error_CannotResolveHostName', { RouteHopsNumberOfEntries: '0' }],
    ['UploadDiagnostics', { UploadURL: 'http://no.invalid/' }, 'Error_InitConnectionFailed', {}],
  ])('runs %s of TR-098 with %j, which ends as %s', async (object, inputs, state, results) => {
    const acs = await ScriptedAcs.start()
    const { fleet, clock } = fleetOf({ huaweiOnt: 1 }, acs.url)
    const path = `InternetGatewayDevice.${object}.`
    const values = Object.entries({ ...inputs, DiagnosticsState: 'Requested' })
    acs.queue.push(
      `<c:SetParameterValues><ParameterList>${values
        .map(
          ([name, value]) =>
            `<ParameterValueStruct><Name>${path}${name}</Name><Value i:type="d:string">${value}</Value></ParameterValueStruct>`,
        )
        .join('')}</ParameterList><ParameterKey/></c:SetParameterValues>`,
    )
    await fleet.start()
    await acs.post('SetParameterValuesResponse')
    acs.queue.push(
      `<c:GetParameterValues><ParameterNames><string>${path}</string></ParameterNames></c:GetParameterValues>`,
    )
    await until(() => {
      clock.advance(500)
      return acs.posts.some(({ name }) => name === 'GetParameterValuesResponse')
    })
    const shown = valuesOf(acs.posts.find(({ name }) => name === 'GetParameterValuesResponse')!)
    for (const [name, value] of Object.entries({ ...results, DiagnosticsState: state }))
      expect(shown[path + name]).toBe(value)
    expect(acs.posts.some(({ body }) => body.includes('8 DIAGNOSTICS COMPLETE'))).toBe(true)
    fleet.stop(false)
    await acs.stop()
  })
})
