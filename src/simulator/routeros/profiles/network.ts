import { networkOf } from '../menus/ip.ts'
import { isFrom } from '../menus/life.ts'
import type { Filling } from './fill.ts'

/** Ports of the board: the first is towards the provider and stands alone, the others are in a bridge. */
export function fillPorts(filling: Filling): void {
  const { facts, home } = filling
  const { ports, radios } = facts.profile.board
  const hasLinkModes = isFrom(facts.profile.version, 7, 12)
  ports.forEach((name, n) => {
    const isFast = name.startsWith('sfp') || facts.profile.board.model.startsWith('RB5009')
    filling.interface(
      'ether',
      name,
      {
        'default-name': name,
        mtu: '1500',
        l2mtu: '1568',
        'max-l2mtu': '9214',
        'mac-address': home.mac(n),
        'orig-mac-address': home.mac(n),
        arp: 'enabled',
        'auto-negotiation': 'true',
        advertise: hasLinkModes
          ? '10M-baseT-half,10M-baseT-full,100M-baseT-half,100M-baseT-full,1G-baseT-half,1G-baseT-full'
          : '10M-half,10M-full,100M-half,100M-full,1000M-half,1000M-full',
        ...(hasLinkModes ? {} : { 'full-duplex': 'true' }),
        speed: hasLinkModes ? '1G-baseT-full' : '1Gbps',
        '~downs': String(Math.floor(filling.part(`downs${n}`) * 4)),
        '~rate': name.startsWith('sfp') && isFast ? '10Gbps' : '1Gbps',
        // Two ports have a cable, beside that of the provider.
        ...(n > 2 && !name.startsWith('sfp') ? { '~link': 'down' } : {}),
        ...(name.startsWith('sfp') ? { '~sfp': 'optics' } : {}),
        ...(facts.profile.parts.includes('poe') && n === ports.length - 1
          ? { 'poe-out': 'auto-on', 'poe-priority': '10', 'poe-voltage': 'auto', '~poe': '180' }
          : {}),
      },
      n === 0 ? [420_000, 61_000] : n < 3 ? [9_000, 80_000] : [0, 0],
    )
  })
  filling.interface(
    'bridge',
    'bridge',
    {
      mtu: 'auto',
      l2mtu: '1568',
      arp: 'enabled',
      'mac-address': home.mac(1),
      'admin-mac': home.mac(1),
      'auto-mac': 'false',
      'protocol-mode': 'rstp',
      'vlan-filtering': 'false',
      pvid: '1',
      'frame-types': 'admit-all',
      priority: '0x8000',
      comment: 'defconf',
    },
    [60_000, 400_000],
  )
  const members = [...ports.slice(1), ...radios.map((_, n) => radioName(filling, n))]
  for (const name of members)
    filling.add('/interface/bridge/port', {
      interface: name,
      bridge: 'bridge',
      pvid: '1',
      'frame-types': 'admit-all',
      priority: '0x80',
      edge: 'auto',
      hw: 'true',
      disabled: 'false',
      comment: 'defconf',
    })
}

/** Name of a radio of the board. */
export function radioName({ facts: { profile } }: Filling, n: number): string {
  return `${profile.parts.includes('wireless') ? 'wlan' : 'wifi'}${n + 1}`
}

/** The network at home: address, DHCP server, stations, names. */
export function fillLan(filling: Filling): void {
  const { home, facts } = filling
  for (const name of ['WAN', 'LAN'])
    filling.add('/interface/list', { name, include: '', exclude: '', comment: 'defconf' })
  filling.add('/interface/list/member', { list: 'LAN', interface: 'bridge', disabled: 'false', comment: 'defconf' })
  filling.add('/ip/address', {
    address: '192.168.88.1/24',
    network: '192.168.88.0',
    interface: 'bridge',
    disabled: 'false',
    comment: 'defconf',
  })
  filling.add('/ip/route', {
    'dst-address': '192.168.88.0/24',
    gateway: 'bridge',
    distance: '0',
    scope: '10',
    'target-scope': '5',
    connect: 'true',
    dynamic: 'true',
    disabled: 'false',
    ...(filling.isV7 ? { 'routing-table': 'main' } : {}),
  })
  filling.add('/ip/pool', { name: 'default-dhcp', ranges: '192.168.88.10-192.168.88.254' })
  filling.add('/ip/dhcp-server', {
    name: 'defconf',
    interface: 'bridge',
    'address-pool': 'default-dhcp',
    'lease-time': filling.isV7 ? '30m' : '10m',
    authoritative: 'yes',
    disabled: 'false',
  })
  filling.add('/ip/dhcp-server/network', {
    address: '192.168.88.0/24',
    gateway: '192.168.88.1',
    'dns-server': '192.168.88.1',
    comment: 'defconf',
  })
  filling.add('/ip/dns/static', {
    name: 'router.lan',
    ...(filling.isV7 ? { type: 'A' } : {}),
    address: '192.168.88.1',
    ttl: '1d',
    disabled: 'false',
    comment: 'defconf',
  })
  const radios = facts.profile.board.radios
  for (const [n, device] of home.devices.entries()) {
    const radio = radios.findIndex(({ frequency }) => device.band === (frequency > 5000 ? '5GHz' : '2.4GHz'))
    const port =
      device.band === undefined ? facts.profile.board.ports[1] : radio === -1 ? undefined : radioName(filling, radio)
    if (port === undefined) continue
    filling.add('/ip/dhcp-server/lease', {
      address: device.ip,
      'mac-address': device.mac,
      'client-id': `1:${device.mac.toLowerCase()}`,
      server: 'defconf',
      'host-name': device.name,
      'address-lists': '',
      'dhcp-option': '',
      '~bound': 'true',
      disabled: 'false',
      ...(n === 2 ? { comment: 'printer' } : { dynamic: 'true' }),
    })
    filling.add('/ip/arp', {
      address: device.ip,
      'mac-address': device.mac,
      interface: 'bridge',
      dynamic: 'true',
      disabled: 'false',
      ...(filling.isV7 ? { status: n === 3 ? 'stale' : 'reachable' } : {}),
    })
    filling.add('/interface/bridge/host', {
      'mac-address': device.mac,
      'on-interface': port,
      bridge: 'bridge',
      dynamic: 'true',
    })
  }
}

/** The line: PPPoE, DHCP, or the modem; `refused` where the access server takes no login. */
export function fillWan(filling: Filling, kind: 'pppoe' | 'dhcp' | 'lte'): void {
  const { home, facts } = filling
  const port = facts.profile.board.ports[0] ?? 'ether1'
  const name = kind === 'pppoe' ? 'pppoe-out1' : kind === 'lte' ? 'lte1' : port
  const local = kind === 'lte' ? home.managementIp : home.loginAccepted ? home.wanIp : '203.0.113.77'
  const gateway = `${local.slice(0, local.lastIndexOf('.'))}.1`
  filling.add('/interface/list/member', { list: 'WAN', interface: name, disabled: 'false', comment: 'defconf' })
  filling.add('/ip/dhcp-client', {
    interface: port,
    'add-default-route': 'yes',
    'use-peer-dns': 'yes',
    'use-peer-ntp': 'true',
    disabled: String(kind !== 'dhcp'),
    comment: 'defconf',
    ...(filling.isV7 ? { 'default-route-distance': '1' } : {}),
    ...(kind === 'dhcp'
      ? {
          '~address': `${local}/24`,
          '~gateway': gateway,
          '~server': gateway,
          '~dns1': '203.0.113.53',
          '~dns2': '203.0.113.54',
        }
      : {}),
  })
  filling.add('/ip/dns', {
    servers: kind === 'dhcp' ? '' : '203.0.113.53',
    'use-doh-server': '',
    'verify-doh-cert': 'false',
    'allow-remote-requests': 'true',
    'max-udp-packet-size': '4096',
    'cache-size': '2048',
    'cache-max-ttl': '1w',
    '~dynamic': '203.0.113.53,203.0.113.54',
  })
  if (kind === 'pppoe') {
    filling.interface(
      'pppoe-out',
      name,
      {
        mtu: 'auto',
        'max-mtu': 'auto',
        'max-mru': 'auto',
        mrru: 'disabled',
        interface: port,
        user: home.pppUser,
        password: `pw-${home.wifiKey}`,
        profile: 'default',
        'keepalive-timeout': '10',
        'service-name': '',
        'ac-name': '',
        'add-default-route': 'yes',
        'default-route-distance': '1',
        'dial-on-demand': 'no',
        'use-peer-dns': 'yes',
        allow: 'pap,chap,mschap1,mschap2',
        '~local': local,
        '~remote': '100.64.0.1',
        '~since': String(facts.now),
        ...(home.loginAccepted ? {} : { '~refused': 'true' }),
      },
      [410_000, 58_000],
    )
    if (home.loginAccepted)
      filling.add('/ip/address', {
        address: `${local}/32`,
        network: '100.64.0.1',
        interface: name,
        dynamic: 'true',
        disabled: 'false',
      })
  } else
    filling.add('/ip/address', {
      address: `${local}/24`,
      network: networkOf(`${local}/24`),
      interface: name,
      dynamic: 'true',
      disabled: 'false',
    })
  filling.add('/ip/route', {
    'dst-address': '0.0.0.0/0',
    gateway: kind === 'dhcp' ? gateway : name,
    distance: '1',
    scope: '30',
    'target-scope': '10',
    dynamic: 'true',
    [kind === 'dhcp' ? 'dhcp' : 'vpn']: 'true',
    disabled: 'false',
    ...(filling.isV7 ? { 'routing-table': 'main' } : {}),
  })
  if (kind === 'dhcp')
    filling.add('/ip/arp', {
      address: gateway,
      'mac-address': '00:1B:21:3C:9D:F8',
      interface: port,
      dynamic: 'true',
      disabled: 'false',
      ...(filling.isV7 ? { status: 'reachable' } : {}),
    })
}
