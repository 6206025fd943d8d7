import { afterEach, describe, expect, it } from 'vitest'
import { checkValue, readsEmpty } from '../../src/datamodel/index.ts'
import { ROUTER_PROFILES, type RouterOptions } from '../../src/simulator/index.ts'
import { type EmulatedModel, emulatedModel, reconnected } from '../support/emulated-model.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { MemoryInstanceNumbers } from '../support/memory-instance-numbers.ts'
import { readEverything } from '../support/read-everything.ts'

const open: EmulatedModel[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.stop()))
})
async function start(options: RouterOptions = {}): Promise<EmulatedModel> {
  const one = await emulatedModel(options)
  open.push(one)
  return one
}

describe.each(ROUTER_PROFILES)('all of a router %s', (profile) => {
  it('has values that TR-181 allows, and references to rows that are there', async () => {
    const { model } = await start({ profile })
    const supported = await model.supported()
    const { values, rows } = await readEverything(model)
    const wrong = [...values].flatMap(([path, value]) => {
      const parameter = supported.parameter(path)
      if (parameter === undefined) return [`${path} is not supported`]
      if (value === '' && readsEmpty(parameter)) return []
      const problem = checkValue(parameter, value)
      return problem === undefined ? [] : [`${path}: ${value} ${problem.text}`]
    })
    expect(wrong).toEqual([])
    const known = new Set(rows.map((row) => row.slice(0, -1)))
    const dangling = [...values].filter(
      ([path, value]) => /^Device\..*\.\d+$/.test(value) && !known.has(value) && !path.endsWith('Description'),
    )
    expect(dangling).toEqual([])
    expect(values.size).toBeGreaterThan(150)
  })
})

/** Values below an object, by their paths relative to it. */
async function below({ model }: EmulatedModel, object: string, ...names: string[]): Promise<Record<string, string>> {
  const found = await model.get(names.map((name) => object + name))
  return Object.fromEntries([...found].map(([path, value]) => [path.slice(object.length), value]))
}

describe('Wi-Fi of a router', () => {
  const NAMES = ['Channel', 'OperatingFrequencyBand', 'OperatingStandards', 'CurrentOperatingChannelBandwidth']

  it.each([
    ['v6.49', 'Device.WiFi.Radio.2.', ['44', '5GHz', 'a,n,ac', '80MHz']],
    ['v7.12', 'Device.WiFi.Radio.1.', ['36', '5GHz', 'a,n,ac,ax', '80MHz']],
    ['v7.18', 'Device.WiFi.Radio.2.', ['6', '2.4GHz', 'g,n,ax', '40MHz']],
  ] as const)('%s has radios with channel, band, standards and width', async (profile, radio, expected) => {
    const one = await start({ profile })
    expect(await one.model.instances('Device.WiFi.Radio.')).toHaveLength(2)
    expect(Object.values(await below(one, radio, ...NAMES))).toEqual(expected)
  })

  it.each([
    ['v6.49', 'WPA2-Personal', '38'],
    ['v7.12', 'WPA3-Personal-Transition', undefined],
    ['v7.16', 'WPA3-Personal-Transition', undefined],
  ] as const)('%s has the security that holds, and stations with their signal', async (profile, mode, snr) => {
    const one = await start({ profile, clock: createManualClock() })
    const [point = ''] = await one.model.instances('Device.WiFi.AccessPoint.')
    expect(await below(one, point, 'Security.ModeEnabled', 'Security.KeyPassphrase', 'SSIDReference')).toEqual({
      'Security.ModeEnabled': mode,
      'Security.KeyPassphrase': '',
      SSIDReference: 'Device.WiFi.SSID.1',
    })
    const [station = ''] = await one.model.instances(`${point}AssociatedDevice.`)
    const values = await below(one, station, 'SignalStrength', 'LastDataDownlinkRate', 'SNR', 'Active')
    expect(Number(values.SignalStrength)).toBeLessThan(-20)
    expect(Number(values.LastDataDownlinkRate)).toBeGreaterThan(1000)
    expect(values.Active).toBe('true')
    if (snr === undefined) expect(values).not.toHaveProperty('SNR')
    else expect(Number(values.SNR)).toBeGreaterThan(10)
  })

  it('of an access point that a manager controls is not said to be open', async () => {
    const one = await start({ profile: 'cap' })
    expect(await below(one, 'Device.WiFi.AccessPoint.1.', 'Security.ModeEnabled', 'Enable')).toEqual({ Enable: 'true' })
  })
})

describe('a router at home', () => {
  it('has the way of its packets in references, from a host to the line', async () => {
    const one = await start()
    expect(await below(one, 'Device.IP.Interface.3.', 'Name', 'LowerLayers', 'IPv4Address.1.AddressingType')).toEqual({
      Name: 'pppoe-out1',
      LowerLayers: 'Device.PPP.Interface.1',
      'IPv4Address.1.AddressingType': 'IPCP',
    })
    expect(await below(one, 'Device.PPP.Interface.1.', 'ConnectionStatus', 'LowerLayers', 'Password')).toEqual({
      ConnectionStatus: 'Connected',
      LowerLayers: 'Device.Ethernet.Interface.1',
      Password: '',
    })
    expect(await below(one, 'Device.IP.Interface.2.', 'LowerLayers')).toEqual({
      LowerLayers: 'Device.Bridging.Bridge.1.Port.1',
    })
    expect(await below(one, 'Device.Bridging.Bridge.1.Port.', '1.ManagementPort', '6.LowerLayers')).toEqual({
      '1.ManagementPort': 'true',
      '6.LowerLayers': 'Device.WiFi.SSID.1',
    })
    expect(await below(one, 'Device.Hosts.Host.1.', 'InterfaceType', 'AssociatedDevice', 'Layer3Interface')).toEqual({
      InterfaceType: 'Wi-Fi',
      AssociatedDevice: 'Device.WiFi.AccessPoint.1.AssociatedDevice.1',
      Layer3Interface: 'Device.IP.Interface.2',
    })
  })

  it('has the same way in the stack of interfaces', async () => {
    const one = await start()
    const rows = await one.model.instances('Device.InterfaceStack.')
    const values = await one.model.get(rows.flatMap((row) => [`${row}HigherLayer`, `${row}LowerLayer`]))
    const stack = rows.map((row) => `${values.get(`${row}HigherLayer`)} > ${values.get(`${row}LowerLayer`)}`)
    expect(stack).toEqual(
      expect.arrayContaining([
        'Device.IP.Interface.3 > Device.PPP.Interface.1',
        'Device.PPP.Interface.1 > Device.Ethernet.Interface.1',
        'Device.IP.Interface.2 > Device.Bridging.Bridge.1.Port.1',
        'Device.Bridging.Bridge.1.Port.1 > Device.Bridging.Bridge.1.Port.6',
        'Device.Bridging.Bridge.1.Port.6 > Device.WiFi.SSID.1',
        'Device.WiFi.SSID.1 > Device.WiFi.Radio.1',
      ]),
    )
    expect(new Set(stack).size).toBe(stack.length)
    expect(stack.filter((pair) => pair.startsWith(' ') || pair.endsWith(' '))).toEqual([])
  })

  it('has its pool, reservations, leases, servers of names, routes and port forwards', async () => {
    const one = await start()
    const pool = 'Device.DHCPv4.Server.Pool.1.'
    expect(await below(one, pool, 'MinAddress', 'MaxAddress', 'SubnetMask', 'IPRouters', 'LeaseTime')).toEqual({
      MinAddress: '192.168.88.10',
      MaxAddress: '192.168.88.254',
      SubnetMask: '255.255.255.0',
      IPRouters: '192.168.88.1',
      LeaseTime: '1800',
    })
    expect(await one.model.instances(`${pool}StaticAddress.`)).toHaveLength(1)
    expect(await one.model.instances(`${pool}Client.3.IPv4Address.`)).toEqual([`${pool}Client.3.IPv4Address.1.`])
    expect(await below(one, 'Device.DNS.Client.Server.', '1.Type', '2.Type')).toEqual({
      '1.Type': 'Static',
      '2.Type': 'IPCP',
    })
    const route = 'Device.Routing.Router.1.IPv4Forwarding.2.'
    expect(await below(one, route, 'DestIPAddress', 'Interface', 'Origin', 'StaticRoute')).toEqual({
      DestIPAddress: '',
      Interface: 'Device.IP.Interface.3',
      Origin: 'IPCP',
      StaticRoute: 'false',
    })
    expect(
      await below(one, 'Device.NAT.PortMapping.1.', 'ExternalPort', 'InternalPort', 'InternalClient', 'Origin'),
    ).toEqual({ ExternalPort: '8443', InternalPort: '443', InternalClient: '192.168.88.22', Origin: 'User' })
  })

  it('has its line by DHCP as a client with a lease', async () => {
    const one = await start({ profile: 'v7.12' })
    const client = await below(one, 'Device.DHCPv4.Client.1.', 'DHCPStatus', 'IPAddress', 'SubnetMask', 'DNSServers')
    expect(client).toMatchObject({
      DHCPStatus: 'Bound',
      SubnetMask: '255.255.255.0',
      DNSServers: expect.stringMatching(/^203/),
    })
  })

  it('has its modem, and without a board the serial number of its license', async () => {
    const lte = await start({ profile: 'lte' })
    expect(
      await below(lte, 'Device.Cellular.', 'Interface.1.CurrentAccessTechnology', 'AccessPoint.1.Interface'),
    ).toEqual({
      'Interface.1.CurrentAccessTechnology': 'LTE',
      'AccessPoint.1.Interface': 'Device.Cellular.Interface.1',
    })
    const chr = await start({ profile: 'chr' })
    expect((await below(chr, 'Device.DeviceInfo.', 'SerialNumber')).SerialNumber).toMatch(/^\w{6,}$/)
    expect((await chr.model.supported()).object('Device.WiFi.')).toBeUndefined()
  })

  it('keeps its rows where they are when it starts anew', async () => {
    const numbers = new MemoryInstanceNumbers()
    const one = await emulatedModel({}, numbers)
    open.push(one)
    const before = await readEverything(one.model)
    one.router.faults.bootMs = 1
    one.router.powerCut()
    const again = await reconnected(one.router, numbers)
    open.push(again)
    const { rows } = await readEverything(again.model)
    const lasting = (paths: readonly string[]) =>
      paths.filter((path) => !/X_MIKROTIK|\.(Client|AssociatedDevice|Host)\./.test(path))
    expect(lasting(rows)).toEqual(lasting(before.rows))
  })
})

describe('commands of a request', () => {
  const count = (one: EmulatedModel) => {
    const paths = one.sent.splice(0).map(({ path }) => path)
    return paths.sort()
  }

  it('are one for each menu that it needs, whatever it asks of their rows', async () => {
    const one = await start({ clock: createManualClock() })
    await one.model.supported()
    one.sent.length = 0
    const rows = await one.model.instances('Device.IP.Interface.')
    await Promise.all(rows.map((row) => one.model.instances(`${row}IPv4Address.`)))
    await one.model.get(rows.flatMap((row) => [`${row}Name`, `${row}Stats.BytesSent`, `${row}IPv4Address.1.IPAddress`]))
    expect(count(one)).toEqual([
      '/interface/pppoe-client/print',
      '/interface/print',
      '/ip/address/print',
      '/ip/dhcp-client/print',
    ])
  })

  it('are one for each menu for a whole subtree, tables in tables included', async () => {
    const one = await start({ clock: createManualClock() })
    for (const object of ['Device.DHCPv4.', 'Device.Bridging.', 'Device.Hosts.', 'Device.NAT.', 'Device.DeviceInfo.']) {
      await one.model.supported()
      ;(await one.model.found()).menus.forget()
      one.sent.length = 0
      await readEverything(one.model, object)
      const paths = count(one)
      expect(paths.filter((path, i) => paths.indexOf(path) !== i)).toEqual([])
      expect(paths.length).toBeLessThan(20)
    }
  })

  it('monitor those rows alone that are asked for', async () => {
    const one = await start({ clock: createManualClock() })
    await one.model.supported()
    one.sent.length = 0
    await one.model.get(['Device.Ethernet.Interface.2.CurrentBitRate', 'Device.Ethernet.Interface.2.CurrentDuplexMode'])
    expect(count(one)).toEqual(['/interface/ethernet/monitor', '/interface/ethernet/print'])
  })

  it('ask for no secret, and for properties by name', async () => {
    const one = await start()
    await readEverything(one.model)
    const reads = one.sent.filter(({ args }) => args?.['count-only'] === undefined)
    expect(reads.filter(({ proplist = [] }) => proplist.length === 0)).toEqual([])
    const names = new Set(reads.flatMap(({ proplist = [] }) => proplist))
    expect([...names].filter((name) => /passphrase|password|secret|key$|pin$/.test(name))).toEqual([])
  })
})
