import { parseMac } from '../../routeros/index.ts'
import { isTrue, oneOf, truth } from './conversions.ts'
import type { DerivedRows, ObjectMapping, SourceRow } from './declaration.ts'
import { firstOf, orElse, reference, shown } from './parameters.ts'
import { ETHERNET, IP_INTERFACE, LINKS, SSID, STATION } from './tables.ts'

const STATIONS = ['interface', 'mac-address']

/** Everything known of one hardware address, from leases, ARP, the hosts of bridges and the stations of radios. */
const HOSTS: DerivedRows = {
  readings: {
    leases: {
      menu: '/ip/dhcp-server/lease',
      properties: ['mac-address', 'active-mac-address', 'address', 'active-address', 'host-name', 'status'],
    },
    arp: { menu: '/ip/arp', properties: ['address', 'mac-address', 'interface', 'complete', 'status'] },
    bridged: { menu: '/interface/bridge/host', properties: ['mac-address', 'on-interface', 'local'] },
    wifi: { menu: '/interface/wifi/registration-table', properties: STATIONS },
    wifiwave2: { menu: '/interface/wifiwave2/registration-table', properties: STATIONS },
    wireless: { menu: '/interface/wireless/registration-table', properties: [...STATIONS, 'ap'] },
  },
  rows({ leases = [], arp = [], bridged = [], wifi = [], wifiwave2 = [], wireless = [] }) {
    const hosts = new Map<string, Record<string, string>>()
    const note = (address: string | undefined, facts: Readonly<Record<string, string | undefined>>) => {
      const mac = parseMac(address ?? '')
      if (mac === undefined) return
      const host = hosts.get(mac) ?? { mac, active: 'false' }
      hosts.set(mac, host)
      for (const [name, value] of Object.entries(facts)) if (value !== undefined && value !== '') host[name] = value
    }
    for (const row of leases)
      note(row['active-mac-address'] ?? row['mac-address'], {
        ip: row['active-address'] ?? row.address,
        name: row['host-name'],
      })
    for (const row of arp)
      if (row.complete === undefined || isTrue(row.complete))
        note(row['mac-address'], {
          ip: row.address,
          layer3: row.interface,
          ...(row.status === undefined || /^(reachable|permanent|delay|probe)$/.test(row.status)
            ? { active: 'true' }
            : {}),
        })
    for (const row of bridged)
      if (!isTrue(row.local) && hosts.has(parseMac(row['mac-address'] ?? '') ?? ''))
        note(row['mac-address'], { layer1: row['on-interface'], medium: 'Ethernet' })
    for (const row of [...wifi, ...wifiwave2, ...wireless.filter(({ ap }) => !isTrue(ap))])
      note(row['mac-address'], { layer1: row.interface, medium: 'Wi-Fi', station: row['mac-address'], active: 'true' })
    return [...hosts.values()] as SourceRow[]
  },
}

const HOST: ObjectMapping = {
  object: 'Device.Hosts.Host.{i}.',
  needs: ['/ip/arp'],
  source: HOSTS,
  table: { key: firstOf('mac') },
  parameters: {
    PhysAddress: shown('mac'),
    IPAddress: shown('ip', { read: (text) => text ?? '' }),
    HostName: shown('name', { read: (text) => (text ?? '').slice(0, 64) }),
    Active: shown('active', truth),
    InterfaceType: orElse('Other', shown('medium', oneOf('Ethernet', 'Wi-Fi'))),
    Layer1Interface: reference('layer1', [SSID, ETHERNET, ...LINKS]),
    Layer3Interface: reference('layer3', [IP_INTERFACE]),
    AssociatedDevice: reference('station', [STATION]),
  },
}

export const HOSTS_OBJECTS = [HOST]
