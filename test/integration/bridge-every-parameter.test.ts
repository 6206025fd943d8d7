import { describe, expect, it } from 'vitest'
import { schemaPathOf } from '../../src/datamodel/index.ts'
import type { RouterProfileName } from '../../src/simulator/index.ts'
import { ModelRefusal } from '../../src/usp/index.ts'
import { WritableModel } from '../support/bridge-model.ts'

/** Values to try for the parameters of a name; the first that differs from the present one is set. */
const SAMPLES: Record<string, string[]> = {
  Enable: ['false', 'true'],
  HostName: ['attic', 'cellar'],
  ProvisioningCode: ['a.b'],
  MaxBitRate: ['100', '-1'],
  DuplexMode: ['Auto', 'Full'],
  MaxMTUSize: ['1400'],
  VLANID: ['77'],
  PVID: ['5'],
  AcceptableFrameTypes: ['AdmitOnlyVLANTagged'],
  Untagged: ['true', 'false'],
  IPAddress: ['10.99.0.1'],
  SubnetMask: ['255.255.255.0', '255.255.254.0'],
  DestIPAddress: ['10.98.0.0'],
  DestSubnetMask: ['255.255.255.0', '255.255.0.0'],
  GatewayIPAddress: ['192.168.88.253'],
  ForwardingMetric: ['9'],
  MinAddress: ['192.168.88.30'],
  MaxAddress: ['192.168.88.220'],
  DNSServers: ['192.168.88.1,9.9.9.9'],
  DomainName: ['lan.example'],
  IPRouters: ['192.168.88.1', '192.168.88.2'],
  LeaseTime: ['4242'],
  Chaddr: ['02:00:00:00:00:99'],
  Yiaddr: ['192.168.88.98'],
  DNSServer: ['9.9.9.10'],
  ExternalPort: ['4001'],
  ExternalPortEndRange: ['4010'],
  InternalPort: ['5001'],
  Protocol: ['UDP', 'TCP'],
  InternalClient: ['192.168.88.66'],
  RemoteHost: ['203.0.113.44'],
  Description: ['door'],
  LeaseDuration: ['0'],
  AllInterfaces: ['true', 'false'],
  Username: ['me@isp'],
  Password: ['geheim'],
  MaxMRUSize: ['1400'],
  ACName: ['ac1'],
  ServiceName: ['service1'],
  APN: ['m2m.example'],
  SSID: ['neu'],
  SSIDAdvertisementEnabled: ['false', 'true'],
  IsolationEnable: ['true', 'false'],
  MaxAllowedAssociations: ['12'],
  ModeEnabled: ['WPA2-Personal', 'WPA-WPA2-Personal'],
  KeyPassphrase: ['sehr geheim'],
  SAEPassphrase: ['sehr geheim'],
  MFPConfig: ['Optional', 'Required'],
  Channel: ['40', '6'],
  AutoChannelEnable: ['true', 'false'],
  OperatingChannelBandwidth: ['20MHz', '40MHz'],
}
/** Values of parameters that differ from others of their name. */
const OWN_SAMPLES: Record<string, string[]> = {
  'Device.DNS.Client.Server.{i}.Enable': ['true'],
  'Device.NAT.PortMapping.{i}.AllInterfaces': ['true'],
}
/** Parameters that refer to rows of a table, whose rows are tried. */
const REFERENCES: Record<string, string> = {
  'Device.Ethernet.VLANTermination.{i}.LowerLayers': 'Device.Ethernet.Interface.',
  'Device.PPP.Interface.{i}.LowerLayers': 'Device.Ethernet.Interface.',
  'Device.DHCPv4.Client.{i}.Interface': 'Device.IP.Interface.',
  'Device.DHCPv4.Server.Pool.{i}.Interface': 'Device.IP.Interface.',
  'Device.NAT.PortMapping.{i}.Interface': 'Device.IP.Interface.',
  'Device.Routing.Router.{i}.IPv4Forwarding.{i}.Interface': 'Device.IP.Interface.',
}
/** Values that read otherwise than they were set. */
const EMPTY = /(Password|Passphrase)$/

/** Adds a row to each table that has none of the bridge in the configuration of delivery. */
async function fill(model: WritableModel, carrier: string): Promise<void> {
  await model.bridge.other('/ip/address/add', { address: '127.0.0.1/8', interface: carrier })
  const bridge = await model.find('Device.IP.Interface.', 'Name', 'bridge')
  const port = (await model.find('Device.Ethernet.Interface.', 'Name', 'ether1')).slice(0, -1)
  await model.add(`${bridge}IPv4Address.`, { IPAddress: '10.97.0.1', SubnetMask: '255.255.0.0', Enable: 'true' })
  await model.add('Device.Routing.Router.1.IPv4Forwarding.', {
    DestIPAddress: '10.96.0.0',
    DestSubnetMask: '255.255.0.0',
    GatewayIPAddress: '192.168.88.254',
    Enable: 'true',
  })
  await model.add('Device.NAT.PortMapping.', {
    Enable: 'true',
    ExternalPort: '4000',
    InternalPort: '5000',
    Protocol: 'TCP',
    InternalClient: '192.168.88.65',
  })
  await model.add('Device.DNS.Client.Server.', { DNSServer: '9.9.9.9' })
  const [pool = ''] = await model.model.instances('Device.DHCPv4.Server.Pool.')
  await model.add(`${pool}StaticAddress.`, { Chaddr: '02:00:00:00:00:98', Yiaddr: '192.168.88.97' })
  await model.add('Device.Ethernet.VLANTermination.', { VLANID: '76', LowerLayers: port, Enable: 'true' })
  for (const point of await model.model.instances('Device.WiFi.AccessPoint.'))
    await model.set({
      [`${point}Security.ModeEnabled`]: 'WPA2-Personal',
      [`${point}Security.KeyPassphrase`]: 'sehr geheim',
    })
  const [own = ''] = await model.model.instances('Device.Bridging.Bridge.')
  const vlan = await model.add(`${own}VLAN.`, { VLANID: '75', Enable: 'true' })
  const ports = await model.model.instances(`${own}Port.`)
  await model.add(`${own}VLANPort.`, {
    VLAN: vlan.slice(0, -1),
    Port: (ports[1] ?? '').slice(0, -1),
    Untagged: 'false',
  })
}

/** Sets a parameter of one row to a value that it does not have, and resolves with the reason why it could not be. */
async function trySet(model: WritableModel, path: string, value: string, isOnly: boolean): Promise<string | undefined> {
  const before = await model.get(path)
  if (before === undefined) return 'it is not there'
  if (before === value && !isOnly) return `${value}: it has this value`
  try {
    await model.set({ [path]: value })
  } catch (error) {
    if (error instanceof ModelRefusal) return `${value}: ${error.message}`
    throw error
  }
  const now = await model.get(path)
  return now === (EMPTY.test(path) ? '' : value) ? undefined : `${value} was set, and ${now} is read`
}

async function pathsOf(model: WritableModel, schema: string): Promise<string[]> {
  const [head = '', ...rest] = schema.split('{i}.')
  let paths = [head]
  for (const tail of rest)
    paths = (await Promise.all(paths.map((path) => model.model.instances(path)))).flat().map((path) => path + tail)
  return paths
}

describe('every parameter that the model of a router shows as writable', () => {
  it.each([
    ['v7.18', 'ether5'],
    ['v6.49', 'ether5'],
    ['lte', 'ether2'],
    ['chr', 'ether3'],
  ] as const)(
    '%s: is written, and reads as it was set',
    async (profile: RouterProfileName, carrier) => {
      const model = await WritableModel.start({ profile })
      try {
        await fill(model, carrier)
        const supported = await model.model.supported()
        const failed: string[] = []
        let count = 0
        for (const schema of supported.objects()) {
          const names = supported
            .parameters(schema)
            .filter((name) => supported.parameter(schema + name)?.access === 'w')
          if (names.length === 0) continue
          // The last rows are those that were added here.
          const rows = (await pathsOf(model, schema)).reverse()
          for (const name of names) {
            const table = REFERENCES[schema + name]
            const values =
              table === undefined
                ? (OWN_SAMPLES[schema + name] ?? SAMPLES[name] ?? [])
                : (await model.model.instances(table)).map((row) => row.slice(0, -1)).reverse()
            const reasons: string[] = []
            let isDone = false
            for (const row of rows)
              for (const value of values)
                if (!isDone) {
                  const reason = await trySet(model, row + name, value, values.length === 1)
                  if (reason === undefined) isDone = true
                  else reasons.push(`${row}${name}: ${reason}`)
                }
            count++
            if (!isDone && rows.length > 0) failed.push(`${schemaPathOf(schema + name)}: ${reasons.join('; ')}`)
          }
        }
        expect(failed).toEqual([])
        expect(count).toBeGreaterThan(30)
      } finally {
        await model.stop()
      }
    },
    120_000,
  )
})
