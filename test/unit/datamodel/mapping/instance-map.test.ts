import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildInstanceMap, DeviceMapping, type InstanceMap, RawTree } from '../../../../src/datamodel/index.ts'
import { mapTree } from '../../../support/map-tree.ts'
import { compiled, mappedDevice } from '../../../support/mapping.ts'
import { type TreeValue, tr098Router, under } from '../../../support/tr098-router.ts'

const mapping = compiled()
const LAN = 'InternetGatewayDevice.LANDevice.1.'
const WAN = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.'
const build = (values: readonly TreeValue[], previous?: InstanceMap) =>
  buildInstanceMap(mapping, new RawTree(values), {}, previous)

/** Numbers of all rows by their table and key; fails where two keys have one number. */
function numbers(map: InstanceMap): Map<string, number> {
  const found = new Map<string, number>()
  for (const [table, rows] of Object.entries(map.tables)) {
    expect(new Set(rows.map(({ n }) => n)).size, table).toBe(rows.length)
    for (const { n, key } of rows) found.set(`${table} ${key}`, n)
  }
  return found
}

/** The things that can come and go on a device: networks, connections, port mappings, hosts, ports. */
type Part = { kind: 'network' | 'ppp' | 'ip' | 'mapping' | 'host' | 'port' | 'route'; n: number; bridged: boolean }

const part: fc.Arbitrary<Part> = fc.record({
  kind: fc.constantFrom('network', 'ppp', 'ip', 'mapping', 'host', 'port', 'route'),
  n: fc.integer({ min: 1, max: 6 }),
  bridged: fc.boolean(),
})

function valuesOf({ kind, n, bridged }: Part): TreeValue[] {
  const type = bridged ? 'IP_Bridged' : 'IP_Routed'
  const mac = `aa:bb:cc:00:00:0${n}`
  switch (kind) {
    case 'network':
      return under(`${LAN}WLANConfiguration.${n}.`, { SSID: `s${n}`, Channel: n > 3 ? 36 : 1 })
    case 'ppp':
      return under(`${WAN}${n}.WANPPPConnection.1.`, { ConnectionType: type, MACAddress: mac, DNSServers: '9.9.9.9' })
    case 'ip':
      return under(`${WAN}${n}.WANIPConnection.${n}.`, { ConnectionType: type, DefaultGateway: '10.0.0.1' })
    case 'mapping':
      return under(`${WAN}1.WANPPPConnection.1.PortMapping.${n}.`, { ExternalPort: n })
    case 'host':
      return under(`${LAN}Hosts.Host.${7 - n}.`, { MACAddress: mac, AddressSource: bridged ? 'DHCP' : 'Static' })
    case 'port':
      return under(`${LAN}LANEthernetInterfaceConfig.${n}.`, { Status: 'Up' })
    case 'route':
      return under(`InternetGatewayDevice.Layer3Forwarding.Forwarding.${n}.`, { DestIPAddress: '0.0.0.0' })
  }
}

describe('an instance map', () => {
  it('never gives a row another number, whatever comes, goes and changes its order', () => {
    const step = fc.array(part, { maxLength: 20 })
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 6 }), (steps) => {
        let map: InstanceMap | undefined
        let known = new Map<string, number>()
        for (const parts of steps) {
          map = build(parts.flatMap(valuesOf), map === undefined ? undefined : JSON.parse(JSON.stringify(map)))
          const now = numbers(map)
          for (const [key, n] of known) if (now.has(key)) expect(now.get(key), key).toBe(n)
          for (const [key, n] of known) if (!now.has(key)) expect(key, `${key} ${n}`).toContain('.AssociatedDevice.')
          known = now
        }
      }),
      { numRuns: 100 },
    )
  })

  it('is the same for the same tree in any order', () => {
    const values = tr098Router()
    expect(build(values.toReversed())).toEqual(build(values))
    expect(build(values, build(values))).toEqual(build(values))
  })

  it('keeps the number of a connection that is bridged for a while, and its rows are gone meanwhile', () => {
    const routed = tr098Router()
    const path = `${WAN}2.WANPPPConnection.1.ConnectionType`
    const bridged = routed.map((entry) => (entry.path === path ? { path, value: 'PPPoE_Bridged' } : entry))
    const first = build(routed)
    const second = build(bridged, first)
    const device = new DeviceMapping(mapping, second, undefined)
    expect(device.evaluate('Device.PPP.Interface.1.Username', new RawTree(bridged), { at: 0 })).toBeUndefined()
    expect(build(routed, second)).toEqual(first)
  })

  it('gives new rows the next number, stations the lowest free one', () => {
    const first = build(
      [
        { kind: 'network' as const, n: 1, bridged: false },
        { kind: 'network' as const, n: 4, bridged: false },
      ].flatMap(valuesOf),
    )
    const second = build(
      [1, 2, 4].flatMap((n) => valuesOf({ kind: 'network', n, bridged: false })),
      first,
    )
    expect(second.tables['Device.WiFi.SSID.']?.map(({ n, key }) => [n, key.at(-2)])).toEqual([
      [1, '1'],
      [2, '4'],
      [3, '2'],
    ])
    const station = (n: number, mac: string) =>
      under(`${LAN}WLANConfiguration.1.AssociatedDevice.${n}.`, { AssociatedDeviceMACAddress: mac })
    const one = build([...station(1, 'aa:bb:cc:00:00:01'), ...station(2, 'aa:bb:cc:00:00:02')])
    const two = build([...station(1, 'aa:bb:cc:00:00:02'), ...station(2, 'aa:bb:cc:00:00:03')], one)
    expect(two.tables['Device.WiFi.AccessPoint.1.AssociatedDevice.']?.map(({ n, key }) => [n, key])).toEqual([
      [1, 'aabbcc000003'],
      [2, 'aabbcc000002'],
    ])
  })

  it('stays small for trees that no device has', () => {
    const many = (table: string, leaf: string, count: number, value: (n: number) => string) =>
      Array.from({ length: count }, (_, n) => ({ path: `${table}${n + 1}.${leaf}`, value: value(n) }))
    const values = [
      ...many(`${LAN}WLANConfiguration.`, 'SSID', 10_000, String),
      ...many(`${LAN}Hosts.Host.`, 'MACAddress', 10_000, (n) => n.toString(16).padStart(12, 'f')),
      ...many(WAN, 'WANIPConnection.1.DNSServers', 10_000, () => '1.1.1.1,'.repeat(500)),
      ...many('InternetGatewayDevice.LANDevice.', 'LANEthernetInterfaceConfig.4294967295.Status', 9_999, () => 'Up'),
      { path: `${LAN}${'X.'.repeat(400)}Y`, value: '' },
      { path: `${LAN}WLANConfiguration.99999999999999999999.SSID`, value: 'x' },
    ]
    const tree = new RawTree(values)
    expect(tree.values.size).toBe(values.length - 1)
    let map: InstanceMap | undefined
    for (let round = 0; round < 3; round++) map = buildInstanceMap(mapping, tree, {}, map)
    const rows = Object.values(map?.tables ?? {})
    expect(rows.flat().length).toBeLessThan(3_000)
    expect(Math.max(...rows.map(({ length }) => length))).toBeLessThanOrEqual(640)
    expect(JSON.stringify(map).length).toBeLessThan(1_500_000)
    const device = new DeviceMapping(mapping, map ?? build([]), undefined)
    expect(mapTree(device, tree, { at: 0 }).values.length).toBeLessThan(120_000)
  })

  it('does not grow with hosts that come and go for years', () => {
    let map: InstanceMap | undefined
    for (let day = 0; day < 60; day++) {
      const hosts = Array.from({ length: 20 }, (_, n) =>
        under(`${LAN}Hosts.Host.${n + 1}.`, { MACAddress: (day * 20 + n).toString(16).padStart(12, '2') }),
      )
      map = build(hosts.flat(), map)
    }
    expect(map?.tables['Device.Hosts.Host.']?.length).toBeLessThanOrEqual(20 + 128)
  })

  it('is not led astray by references in a circle, nor by a map that was tampered with', () => {
    const circle = [
      ...tr098Router(),
      ...under('InternetGatewayDevice.Layer2Bridging.', {
        'Bridge.1.BridgeKey': 1,
        'Bridge.1.Port.1.PortInterface': 7,
        'AvailableInterface.1.AvailableInterfaceKey': 7,
        'AvailableInterface.1.InterfaceReference': 'InternetGatewayDevice.Layer2Bridging.Bridge.1.Port.1',
      }),
    ]
    const { device, tree } = mappedDevice(circle, mapping)
    expect(mapTree(device, tree, { at: 0 }).values.length).toBeGreaterThan(0)
    const odd = {
      version: 1,
      tables: {
        'Device.WiFi.SSID.': [
          { n: -1, key: 'x' },
          { n: 1, key: 'y' },
          { n: 1, key: 'z' },
        ],
      },
    }
    const map = build(tr098Router(), odd as InstanceMap)
    numbers(map)
    expect(map.tables['Device.WiFi.SSID.']?.every(({ n }) => n > 0)).toBe(true)
  })
})
