import { afterEach, describe, expect, it, vi } from 'vitest'
import type { RouterProfileName } from '../../src/simulator/index.ts'
import { WritableModel } from '../support/bridge-model.ts'
import { untilPasses } from '../support/until.ts'

const models: WritableModel[] = []
afterEach(async () => {
  for (const model of models.splice(0)) await model.stop()
})

async function start(profile: RouterProfileName = 'v7.18'): Promise<WritableModel> {
  const model = await WritableModel.start({ profile })
  models.push(model)
  return model
}

interface Case {
  profile?: RouterProfileName
  /** Interface that carries the bridge; by itself the one of the default route. */
  carrier?: string
  /** Table and the row of it; none for an object that is no table. */
  table?: string
  by?: [name: string, value: string]
  /** Values by parameter below the row, or by full path; `@name` is the interface of IP with that name. */
  set: Record<string, string>
  /** Values that read otherwise than they were written. */
  reads?: Record<string, string>
  /** Menu, the row of it, and the properties that it has afterwards. */
  menu: string
  row?: Record<string, string>
  has: Record<string, string | undefined>
  commands: string[]
}

const CASES: Record<string, Case> = {
  'the name of the router': {
    set: { 'Device.DeviceInfo.HostName': 'core 1' },
    menu: '/system/identity',
    has: { name: 'core 1' },
    commands: ['/system/identity/set'],
  },
  'a port, switched off': {
    table: 'Device.Ethernet.Interface.',
    by: ['Name', 'ether4'],
    set: { Enable: 'false' },
    menu: '/interface/ethernet',
    row: { name: 'ether4' },
    has: { disabled: 'true' },
    commands: ['/interface/ethernet/set'],
  },
  'the speed of a port since 7.12': {
    table: 'Device.Ethernet.Interface.',
    by: ['Name', 'ether4'],
    set: { MaxBitRate: '100', DuplexMode: 'Half' },
    menu: '/interface/ethernet',
    row: { name: 'ether4' },
    has: { 'auto-negotiation': 'false', speed: '100M-baseT-half' },
    commands: ['/interface/ethernet/set'],
  },
  'the speed of a port before 7.12': {
    profile: 'v6.49',
    table: 'Device.Ethernet.Interface.',
    by: ['Name', 'ether4'],
    set: { MaxBitRate: '100' },
    menu: '/interface/ethernet',
    row: { name: 'ether4' },
    has: { 'auto-negotiation': 'false', speed: '100Mbps' },
    commands: ['/interface/ethernet/set'],
  },
  'an interface of IP': {
    table: 'Device.IP.Interface.',
    by: ['Name', 'bridge'],
    set: { MaxMTUSize: '1400' },
    menu: '/interface',
    row: { name: 'bridge' },
    has: { mtu: '1400' },
    commands: ['/interface/set'],
  },
  'an account of PPPoE': {
    table: 'Device.PPP.Interface.',
    by: ['Name', 'pppoe-out1'],
    set: {
      Username: 'me@isp',
      Password: 'geheim',
      'PPPoE.ServiceName': 'isp',
      'PPPoE.ACName': 'ac',
      MaxMRUSize: '1480',
    },
    reads: { Password: '' },
    menu: '/interface/pppoe-client',
    row: { name: 'pppoe-out1' },
    has: { user: 'me@isp', password: 'geheim', 'service-name': 'isp', 'ac-name': 'ac', 'max-mru': '1480' },
    commands: ['/interface/pppoe-client/set'],
  },
  'the network of a radio': {
    table: 'Device.WiFi.SSID.',
    by: ['Name', 'wifi1'],
    set: { SSID: 'Über uns' },
    menu: '/interface/wifi',
    row: { name: 'wifi1' },
    has: { 'configuration.ssid': 'Über uns' },
    commands: ['/interface/wifi/set'],
  },
  'security of an access point, in one command': {
    table: 'Device.WiFi.AccessPoint.',
    by: ['SSIDReference', 'Device.WiFi.SSID.1'],
    set: {
      'Security.ModeEnabled': 'WPA3-Personal-Transition',
      'Security.KeyPassphrase': 'sehr geheim',
      'Security.SAEPassphrase': 'sehr geheim',
      'Security.MFPConfig': 'Optional',
      SSIDAdvertisementEnabled: 'false',
      IsolationEnable: 'true',
      MaxAllowedAssociations: '20',
    },
    reads: { 'Security.KeyPassphrase': '', 'Security.SAEPassphrase': '' },
    menu: '/interface/wifi',
    row: { name: 'wifi1' },
    has: {
      'security.authentication-types': 'wpa2-psk,wpa3-psk',
      'security.passphrase': 'sehr geheim',
      'security.management-protection': 'allowed',
      'configuration.hide-ssid': 'true',
      'datapath.client-isolation': 'true',
      'configuration.max-clients': '20',
    },
    commands: ['/interface/wifi/set'],
  },
  'a channel': {
    table: 'Device.WiFi.Radio.',
    by: ['Name', 'wifi1'],
    set: { Channel: '44', OperatingChannelBandwidth: '40MHz', AutoChannelEnable: 'false' },
    menu: '/interface/wifi',
    row: { name: 'wifi1' },
    has: { 'channel.frequency': '5220', 'channel.width': '20/40mhz' },
    commands: ['/interface/wifi/set'],
  },
  'the choice of a channel by the driver': {
    table: 'Device.WiFi.Radio.',
    by: ['Name', 'wifi2'],
    set: { AutoChannelEnable: 'true', OperatingChannelBandwidth: 'Auto' },
    reads: { OperatingChannelBandwidth: 'Auto' },
    menu: '/interface/wifi',
    row: { name: 'wifi2' },
    has: { 'channel.frequency': undefined },
    commands: ['/interface/wifi/unset', '/interface/wifi/unset'],
  },
  wifiwave2: {
    profile: 'v7.12',
    table: 'Device.WiFi.SSID.',
    by: ['Name', 'wifi1'],
    set: { SSID: 'neu' },
    menu: '/interface/wifiwave2',
    row: { name: 'wifi1' },
    has: { 'configuration.ssid': 'neu' },
    commands: ['/interface/wifiwave2/set'],
  },
  'a radio of the driver wireless': {
    profile: 'v6.49',
    table: 'Device.WiFi.Radio.',
    by: ['Name', 'wlan1'],
    set: { Channel: '11' },
    menu: '/interface/wireless',
    row: { name: 'wlan1' },
    has: { frequency: '2462' },
    commands: ['/interface/wireless/set'],
  },
  'a network of the driver wireless': {
    profile: 'v6.49',
    table: 'Device.WiFi.AccessPoint.',
    by: ['SSIDReference', 'Device.WiFi.SSID.1'],
    set: { SSIDAdvertisementEnabled: 'false', IsolationEnable: 'true', MaxAllowedAssociations: '9' },
    menu: '/interface/wireless',
    row: { name: 'wlan1' },
    has: { 'hide-ssid': 'true', 'default-forwarding': 'false', 'max-station-count': '9' },
    commands: ['/interface/wireless/set'],
  },
  'a client of DHCP': {
    profile: 'chr',
    carrier: 'ether3',
    table: 'Device.DHCPv4.Client.',
    by: ['Enable', 'true'],
    set: { Interface: '@bridge' },
    menu: '/ip/dhcp-client',
    has: { interface: 'bridge' },
    commands: ['/ip/dhcp-client/set'],
  },
  'a pool': {
    table: 'Device.DHCPv4.Server.Pool.',
    by: ['Order', '1'],
    set: {
      MinAddress: '192.168.88.100',
      MaxAddress: '192.168.88.150',
      DNSServers: '192.168.88.1,9.9.9.9',
      DomainName: 'home.example',
      IPRouters: '192.168.88.1',
      LeaseTime: '7200',
    },
    menu: '/ip/dhcp-server/network',
    has: { 'dns-server': '192.168.88.1,9.9.9.9', domain: 'home.example', gateway: '192.168.88.1' },
    commands: ['/ip/dhcp-server/set', '/ip/pool/set', '/ip/dhcp-server/network/set'],
  },
  'an access point of a mobile network': {
    profile: 'lte',
    table: 'Device.Cellular.AccessPoint.',
    by: ['APN', 'internet'],
    set: { APN: 'm2m.example' },
    menu: '/interface/lte/apn',
    row: { name: 'default' },
    has: { apn: 'm2m.example' },
    commands: ['/interface/lte/apn/set'],
  },
  'translation of addresses': {
    table: 'Device.NAT.InterfaceSetting.',
    by: ['Enable', 'true'],
    set: { Enable: 'false' },
    menu: '/ip/firewall/nat',
    row: { action: 'masquerade' },
    has: { disabled: 'true' },
    commands: ['/ip/firewall/nat/set'],
  },
}

describe('a parameter that is set', () => {
  it.each(Object.entries(CASES))('%s: reads as it was set, and stands at its place on the router', async (_, one) => {
    const model = await start(one.profile)
    if (one.carrier !== undefined)
      await model.bridge.other('/ip/address/add', { address: '127.0.0.1/8', interface: one.carrier })
    const at = one.table === undefined ? '' : await model.find(one.table, ...(one.by ?? ['', '']))
    const set: Record<string, string> = {}
    for (const [name, value] of Object.entries(one.set))
      set[name] = value.startsWith('@')
        ? (await model.find('Device.IP.Interface.', 'Name', value.slice(1))).slice(0, -1)
        : value
    await model.set(Object.fromEntries(Object.entries(set).map(([name, value]) => [at + name, value])))
    expect(model.changes).toEqual(one.commands)
    for (const [name, value] of Object.entries({ ...set, ...one.reads }))
      expect(await model.get(at + name), name).toBe(value)
    const row = await model.row(one.menu, one.row ?? {})
    for (const [name, value] of Object.entries(one.has)) expect(row?.[name], name).toBe(value)
  })
})

describe('a row that is added', () => {
  it('an address of an interface, which is changed, keeps its number, and is deleted', async () => {
    const model = await start()
    const bridge = await model.find('Device.IP.Interface.', 'Name', 'bridge')
    const path = await model.add(`${bridge}IPv4Address.`, {
      IPAddress: '10.7.0.1',
      SubnetMask: '255.255.255.0',
      Enable: 'true',
    })
    expect(await model.row('/ip/address', { address: '10.7.0.1/24' })).toMatchObject({
      interface: 'bridge',
      disabled: 'false',
    })
    await model.set({ [`${path}SubnetMask`]: '255.255.0.0' })
    expect(await model.get(`${path}IPAddress`)).toBe('10.7.0.1')
    expect(await model.row('/ip/address', { address: '10.7.0.1/16' })).toBeDefined()
    await model.writes.delete([path])
    expect(await model.row('/ip/address', { address: '10.7.0.1/16' })).toBeUndefined()
    await model.writes.delete([path])
    const wrong = model.add(`${bridge}IPv4Address.`, { IPAddress: '10.7.0.1', SubnetMask: '255.0.255.0' })
    expect(await model.problems(wrong)).toMatchObject([
      { path: `${bridge}IPv4Address.{i}.SubnetMask`, code: 7012, row: 0 },
    ])
  })

  it('a static route by gateway, and by interface', async () => {
    const model = await start()
    const table = 'Device.Routing.Router.1.IPv4Forwarding.'
    const values = { DestIPAddress: '10.50.1.9', DestSubnetMask: '255.255.0.0', ForwardingMetric: '7', Enable: 'true' }
    const path = await model.add(table, { ...values, GatewayIPAddress: '192.168.88.254' })
    expect(await model.row('/ip/route', { 'dst-address': '10.50.0.0/16' })).toMatchObject({
      gateway: '192.168.88.254',
      distance: '7',
    })
    const reference = await model.find('Device.IP.Interface.', 'Name', 'bridge')
    await model.set({ [`${path}Interface`]: reference.slice(0, -1) })
    expect(await model.row('/ip/route', { 'dst-address': '10.50.0.0/16' })).toMatchObject({ gateway: 'bridge' })
    expect(await model.get(`${path}DestIPAddress`)).toBe('10.50.0.0')
    await model.writes.delete([path])
    expect(await model.row('/ip/route', { 'dst-address': '10.50.0.0/16' })).toBeUndefined()
    const dynamic = await model.find(table, 'StaticRoute', 'false')
    expect(await model.problems(model.writes.delete([dynamic]))).toMatchObject([{ code: 7024 }])
    expect(await model.problems(model.set({ [`${dynamic}Enable`]: 'false' }))).toMatchObject([{ code: 7013 }])
  })

  const MAPPING = {
    Enable: 'true',
    ExternalPort: '2222',
    InternalPort: '22',
    Protocol: 'TCP',
    InternalClient: '192.168.88.20',
    Description: 'ssh',
  }
  const MAPPINGS = 'Device.NAT.PortMapping.'

  it('a port mapping comes before the rules of others, and has the sign of the bridge', async () => {
    const model = await start()
    await model.bridge.other('/ip/firewall/nat/add', { chain: 'dstnat', action: 'accept', comment: 'theirs' })
    const path = await model.add(MAPPINGS, MAPPING)
    const rules = await model.bridge.print('/ip/firewall/nat')
    const at = rules.findIndex((rule) => rule['dst-port'] === '2222')
    expect(rules[at]).toMatchObject({
      chain: 'dstnat',
      action: 'dst-nat',
      protocol: 'tcp',
      'to-addresses': '192.168.88.20',
      'to-ports': '22',
      'in-interface-list': 'WAN',
      comment: expect.stringMatching(/^\[isthmus [0-9a-f]{16}\] ssh$/),
    })
    expect(at).toBeLessThan(rules.findIndex(({ comment }) => comment === 'theirs'))
    expect(await model.get(`${path}Origin`)).toBe('Controller')
    await model.set({
      [`${path}ExternalPortEndRange`]: '2230',
      [`${path}RemoteHost`]: '203.0.113.5',
      [`${path}Description`]: 'many',
    })
    expect(await model.row('/ip/firewall/nat', { 'dst-port': '2222-2230' })).toMatchObject({
      'to-ports': '22-30',
      'src-address': '203.0.113.5',
    })
    expect(await model.get(`${path}Description`)).toBe('many')
    await model.set({ [`${path}RemoteHost`]: '', [`${path}Enable`]: 'false' })
    const rule = await model.row('/ip/firewall/nat', { 'dst-port': '2222-2230' })
    expect([rule?.['src-address'], rule?.disabled]).toEqual([undefined, 'true'])
    await model.writes.delete([path])
    expect(await model.row('/ip/firewall/nat', { 'dst-port': '2222-2230' })).toBeUndefined()
  })

  it.each([
    [{ ExternalPort: '0' }, 'ExternalPort'],
    [{ ExternalPort: '70000' }, 'ExternalPort'],
    [{ ExternalPortEndRange: '5' }, 'ExternalPortEndRange'],
    [{ ExternalPortEndRange: '65535', InternalPort: '65000' }, 'InternalPort'],
    [{ Protocol: 'X' }, 'Protocol'],
    [{ InternalClient: '8.8.8.8' }, 'InternalClient'],
    [{ InternalClient: '192.168.88.1' }, 'InternalClient'],
    [{ InternalClient: 'a' }, 'InternalClient'],
    [{ RemoteHost: 'a' }, 'RemoteHost'],
    [{ LeaseDuration: '60' }, 'LeaseDuration'],
    [{ Interface: 'Device.IP.Interface.99' }, 'Interface'],
    [{ Description: 'a\nb' }, 'Description'],
    [{ ExternalPort: '8728' }, 'ExternalPort'],
  ])('a port mapping with %j is refused', async (values, name) => {
    const model = await start()
    const problems = await model.problems(model.add(MAPPINGS, { ...MAPPING, ...values }))
    expect(problems[0]?.path.split('.').at(-1)).toBe(name)
    expect(model.changes).toEqual([])
  })

  it('a rule of others is neither changed nor deleted', async () => {
    const model = await start()
    const rule = {
      chain: 'dstnat',
      action: 'dst-nat',
      protocol: 'tcp',
      'dst-port': '99',
      'to-addresses': '192.168.88.9',
    }
    await model.bridge.other('/ip/firewall/nat/add', rule)
    const path = await model.find(MAPPINGS, 'ExternalPort', '99')
    expect(await model.problems(model.set({ [`${path}Enable`]: 'false' }))).toMatchObject([{ code: 7013 }])
    expect(await model.problems(model.writes.delete([path]))).toMatchObject([{ code: 7024 }])
  })

  it('servers of DNS are one list: several are added, changed and deleted at once', async () => {
    const model = await start()
    const table = 'Device.DNS.Client.Server.'
    const paths = await model.writes.add(['9.9.9.9', '1.1.1.1'].map((DNSServer) => ({ table, values: { DNSServer } })))
    const servers = async () => (await model.bridge.print('/ip/dns'))[0]?.servers
    expect(await servers()).toMatch(/9\.9\.9\.9,1\.1\.1\.1$/)
    expect(model.changes).toEqual(['/ip/dns/set'])
    await model.set({ [`${paths[0]}DNSServer`]: '149.112.112.112' })
    expect(await model.get(`${paths[0]}DNSServer`)).toBe('149.112.112.112')
    await model.writes.delete(paths)
    expect(await servers()).not.toMatch(/149|1\.1\.1\.1/)
    const dynamic = await model.find(table, 'Type', 'IPCP')
    expect(await model.problems(model.writes.delete([dynamic]))).toMatchObject([{ code: 7013 }])
    expect(await model.problems(model.add(table, { DNSServer: 'x' }))).toMatchObject([{ code: 7012 }])
  })

  it('a value is read for the answer while the end of its write goes to the disk', async () => {
    const model = await start()
    const { intents, sent } = model.bridge
    const end = intents.end.bind(intents)
    vi.spyOn(intents, 'end').mockImplementation(async () => {
      await untilPasses(() => expect(sent.at(-1)?.path).toBe('/system/identity/print'))
      await end()
    })
    await model.set({ 'Device.DeviceInfo.HostName': 'core' })
    const before = sent.length
    expect(await model.get('Device.DeviceInfo.HostName')).toBe('core')
    expect(sent).toHaveLength(before)
  })

  it('rows that are added each for itself: further rows of the router together, items of a list one by one', async () => {
    const model = await start()
    const bridge = await model.find('Device.IP.Interface.', 'Name', 'bridge')
    const address = (IPAddress: string, SubnetMask = '255.255.255.0') => ({
      table: `${bridge}IPv4Address.`,
      values: { IPAddress, SubnetMask, Enable: 'true' },
    })
    const server = (DNSServer: string) => ({ table: 'Device.DNS.Client.Server.', values: { DNSServer } })
    const added = await model.writes.addEach([
      address('10.7.0.1'),
      server('9.9.9.9'),
      address('10.7.1.1', '255.0.255.0'),
      server('1.1.1.1'),
      server('x'),
      address('10.7.2.1'),
    ])
    expect(added.map((one) => (typeof one === 'string' ? 'added' : one.code))).toEqual([
      ...['added', 'added', 7012, 'added', 7012, 'added'],
    ])
    const [first, , , , , last] = added
    expect(await model.get(`${String(first)}IPAddress`)).toBe('10.7.0.1')
    expect(await model.get(`${String(last)}IPAddress`)).toBe('10.7.2.1')
    expect((await model.bridge.print('/ip/dns'))[0]?.servers).toMatch(/9\.9\.9\.9,1\.1\.1\.1$/)
    expect(model.changes).toEqual(['/ip/address/add', '/ip/address/add', '/ip/dns/set', '/ip/dns/set'])
  })

  it('a reservation of a server', async () => {
    const model = await start()
    const [pool = ''] = await model.model.instances('Device.DHCPv4.Server.Pool.')
    const path = await model.add(`${pool}StaticAddress.`, { Chaddr: '02-00-00-00-00-aa', Yiaddr: '192.168.88.77' })
    expect(await model.row('/ip/dhcp-server/lease', { address: '192.168.88.77' })).toMatchObject({
      'mac-address': '02:00:00:00:00:AA',
    })
    await model.set({ [`${path}Yiaddr`]: '192.168.88.78' })
    expect(await model.get(`${path}Yiaddr`)).toBe('192.168.88.78')
    await model.set({ [`${path}Chaddr`]: '02:00:00:00:00:bb' })
    expect(await model.get(`${path}Chaddr`)).toBe('02:00:00:00:00:BB')
    await model.writes.delete([path])
    expect(await model.row('/ip/dhcp-server/lease', { address: '192.168.88.78' })).toBeUndefined()
  })

  it('a pool with its server and network', async () => {
    const model = await start()
    await model.bridge.other('/interface/bridge/add', { name: 'guests' })
    await model.bridge.other('/ip/address/add', { address: '10.66.0.1/24', interface: 'guests' })
    const reference = await model.find('Device.IP.Interface.', 'Name', 'guests')
    const path = await model.add('Device.DHCPv4.Server.Pool.', {
      Enable: 'true',
      Interface: reference.slice(0, -1),
      MinAddress: '10.66.0.10',
      MaxAddress: '10.66.0.99',
      SubnetMask: '255.255.255.0',
      IPRouters: '10.66.0.1',
      LeaseTime: '600',
    })
    expect(model.changes).toEqual(['/ip/pool/add', '/ip/dhcp-server/network/add', '/ip/dhcp-server/add'])
    expect(await model.get(`${path}MaxAddress`)).toBe('10.66.0.99')
    expect(await model.get(`${path}SubnetMask`)).toBe('255.255.255.0')
    expect(await model.get(`${path}LeaseTime`)).toBe('600')
    await model.set({ [`${path}Enable`]: 'false', [`${path}MaxAddress`]: '10.66.0.90' })
    expect(await model.row('/ip/pool', { ranges: '10.66.0.10-10.66.0.90' })).toBeDefined()
    await model.writes.delete([path])
    expect(await model.row('/ip/dhcp-server', { interface: 'guests' })).toBeUndefined()
    expect(await model.row('/ip/pool', { ranges: '10.66.0.10-10.66.0.90' })).toBeUndefined()
  })

  it('a client of DHCP, and a VLAN on top of a port', async () => {
    const model = await start()
    const port = await model.find('Device.Ethernet.Interface.', 'Name', 'ether5')
    const vlan = await model.add('Device.Ethernet.VLANTermination.', {
      VLANID: '30',
      LowerLayers: port.slice(0, -1),
      Enable: 'true',
    })
    const name = await model.get(`${vlan}Name`)
    expect(await model.row('/interface/vlan', { 'vlan-id': '30' })).toMatchObject({
      interface: 'ether5',
      name: 'vlan30-ether5',
    })
    await model.set({ [`${vlan}VLANID`]: '31' })
    expect(await model.row('/interface/vlan', { name: name ?? '' })).toMatchObject({ 'vlan-id': '31' })
    await model.bridge.other('/ip/address/add', { address: '10.31.0.1/24', interface: name ?? '' })
    const reference = await model.find('Device.IP.Interface.', 'Name', name ?? '')
    const client = await model.add('Device.DHCPv4.Client.', { Interface: reference.slice(0, -1), Enable: 'true' })
    expect(await model.row('/ip/dhcp-client', { interface: name ?? '' })).toMatchObject({ disabled: 'false' })
    await model.writes.delete([client, vlan])
    expect(await model.row('/interface/vlan', { name: name ?? '' })).toBeUndefined()
  })

  it('a bridge with ports, VLANs and their members', async () => {
    const model = await start()
    const bridge = await model.add('Device.Bridging.Bridge.', { Enable: 'true' })
    expect(await model.row('/interface/bridge', { name: 'bridge1' })).toBeDefined()
    const ether5 = await model.find('Device.Ethernet.Interface.', 'Name', 'ether5')
    const old = await model.row('/interface/bridge/port', { interface: 'ether5' })
    if (old !== undefined) await model.bridge.other('/interface/bridge/port/remove', { '.id': old['.id'] ?? '' })
    const port = await model.add(`${bridge}Port.`, { LowerLayers: ether5.slice(0, -1), PVID: '7', Enable: 'true' })
    expect(await model.row('/interface/bridge/port', { interface: 'ether5' })).toMatchObject({
      bridge: 'bridge1',
      pvid: '7',
    })
    await model.set({ [`${port}PVID`]: '8', [`${port}AcceptableFrameTypes`]: 'AdmitOnlyVLANTagged' })
    expect(await model.row('/interface/bridge/port', { interface: 'ether5' })).toMatchObject({
      pvid: '8',
      'frame-types': 'admit-only-vlan-tagged',
    })
    const vlan = await model.add(`${bridge}VLAN.`, { VLANID: '8', Enable: 'true' })
    const member = await model.add(`${bridge}VLANPort.`, {
      VLAN: vlan.slice(0, -1),
      Port: port.slice(0, -1),
      Untagged: 'false',
    })
    expect(await model.row('/interface/bridge/vlan', { 'vlan-ids': '8' })).toMatchObject({ tagged: 'ether5' })
    await model.set({ [`${member}Untagged`]: 'true' })
    expect(await model.row('/interface/bridge/vlan', { 'vlan-ids': '8' })).toMatchObject({ untagged: 'ether5' })
    expect(await model.get(`${member}Untagged`)).toBe('true')
    await model.set({ [`${vlan}VLANID`]: '9' })
    expect(await model.get(`${vlan}VLANID`)).toBe('9')
    const [left = ''] = await model.model.instances(`${bridge}VLANPort.`)
    await model.writes.delete([left])
    expect((await model.row('/interface/bridge/vlan', { 'vlan-ids': '9' }))?.untagged ?? '').toBe('')
    await model.writes.delete([vlan, port, bridge])
    expect(await model.row('/interface/bridge', { name: 'bridge1' })).toBeUndefined()
  })
})

describe('security of the driver wireless', () => {
  it('a profile that other radios share stays as it is: the radio gets its own', async () => {
    const model = await start('v6.49')
    const users = (await model.bridge.print('/interface/wireless')).map((row) => row['security-profile'])
    expect(new Set(users)).toHaveLength(1)
    const point = await model.find('Device.WiFi.AccessPoint.', 'SSIDReference', 'Device.WiFi.SSID.1')
    const alone = model.set({ [`${point}Security.ModeEnabled`]: 'WPA2-Personal' })
    expect((await model.problems(alone))[0]?.text).toContain('needs KeyPassphrase')
    await model.set({
      [`${point}Security.ModeEnabled`]: 'WPA2-Personal',
      [`${point}Security.KeyPassphrase`]: 'sehr geheim',
    })
    expect(await model.row('/interface/wireless', { name: 'wlan1' })).toMatchObject({
      'security-profile': 'isthmus-wlan1',
    })
    expect(await model.row('/interface/wireless', { name: 'wlan2' })).toMatchObject({ 'security-profile': users[0] })
    const own = { mode: 'dynamic-keys', 'authentication-types': 'wpa2-psk', 'wpa2-pre-shared-key': 'sehr geheim' }
    expect(await model.row('/interface/wireless/security-profiles', { name: 'isthmus-wlan1' })).toMatchObject(own)
    await model.set({ [`${point}Security.ModeEnabled`]: 'WPA-WPA2-Personal' })
    expect(await model.get(`${point}Security.ModeEnabled`)).toBe('WPA-WPA2-Personal')
    const newer = model.set({ [`${point}Security.ModeEnabled`]: 'WPA3-Personal' })
    expect(await model.problems(newer)).toMatchObject([{ code: 7012 }])
    await model.set({ [`${point}Security.ModeEnabled`]: 'None' })
    expect(await model.get(`${point}Security.ModeEnabled`)).toBe('None')
  })
})

describe('radios of a manager', () => {
  it('an access point that is managed is not written', async () => {
    const model = await start('cap')
    const [ssid = ''] = await model.model.instances('Device.WiFi.SSID.')
    const problems = await model.problems(model.set({ [`${ssid}SSID`]: 'mine' }))
    expect(problems).toMatchObject([{ code: 7013, text: expect.stringContaining('CAPsMAN') }])
  })

  it('a row that provisioning made is written in its profile', async () => {
    const model = await start()
    await model.bridge.other('/interface/wifi/configuration/add', { name: 'office', ssid: 'old' })
    model.bridge.emulated.store.add('interface', {
      name: 'cap-wifi1',
      type: 'wifi',
      dynamic: 'true',
      disabled: 'false',
      configuration: 'office',
      'mac-address': '02:00:00:00:0C:01',
      'radio-mac': '02:00:00:00:0C:01',
    })
    const ssid = await model.find('Device.WiFi.SSID.', 'Name', 'cap-wifi1')
    await model.set({ [`${ssid}SSID`]: 'new' })
    expect(model.changes).toEqual(['/interface/wifi/configuration/set'])
    expect(await model.row('/interface/wifi/configuration', { name: 'office' })).toMatchObject({ ssid: 'new' })
    expect(await model.problems(model.set({ [`${ssid}Enable`]: 'false' }))).toMatchObject([{ code: 7013 }])
  })
})

describe('a request of several parts', () => {
  it('names every part that is wrong, and does none', async () => {
    const model = await start()
    const ether4 = await model.find('Device.Ethernet.Interface.', 'Name', 'ether4')
    const ssid = await model.find('Device.WiFi.SSID.', 'Name', 'wifi1')
    const problems = await model.problems(
      model.set({
        'Device.DeviceInfo.HostName': 'x',
        [`${ether4}MaxBitRate`]: '77',
        [`${ssid}SSID`]: 'x'.repeat(33),
        'Device.DeviceInfo.SerialNumber': 'x',
      }),
    )
    expect(problems.map(({ path, code }) => `${path} ${code}`).sort()).toEqual([
      'Device.DeviceInfo.SerialNumber 7013',
      `${ether4}MaxBitRate 7012`,
    ])
    expect(await model.problems(model.set({ [`${ssid}SSID`]: 'x'.repeat(33) }))).toMatchObject([
      { path: `${ssid}SSID`, code: 7012 },
    ])
    expect(model.changes).toEqual([])
  })
})

describe('commands on rows', () => {
  it('a client of DHCP asks for its lease anew', async () => {
    const model = await start('chr')
    const [client = ''] = await model.model.instances('Device.DHCPv4.Client.')
    expect(await model.run(`${client}Renew()`)).toEqual({})
    expect(model.changes).toEqual(['/ip/dhcp-client/renew'])
  })

  it('an interface of PPP, and one of IP, is switched off and on, but not the one of the bridge', async () => {
    const model = await start()
    const ppp = await model.find('Device.PPP.Interface.', 'Name', 'pppoe-out1')
    await expect(model.run(`${ppp}Reset()`)).rejects.toMatchObject({
      code: 7022,
      message: expect.stringContaining('carries'),
    })
    await model.bridge.other('/ip/address/add', { address: '127.0.0.1/8', interface: 'ether5' })
    await model.run(`${ppp}Reset()`)
    const ip = await model.find('Device.IP.Interface.', 'Name', 'bridge')
    await model.run(`${ip}Reset()`)
    const done = model.bridge.sent.filter(({ writes }) => writes).map(({ args }) => args?.disabled)
    expect(done).toEqual(['yes', 'no', 'yes', 'no'])
    for (const name of ['pppoe-out1', 'bridge'])
      expect(await model.row('/interface', { name })).toMatchObject({ disabled: 'false' })
    await model.bridge.other('/interface/set', { '.id': 'pppoe-out1', disabled: 'yes' })
    await expect(model.run(`${ppp}Reset()`)).rejects.toMatchObject({
      code: 7022,
      message: expect.stringContaining('switched off'),
    })
  })
})
