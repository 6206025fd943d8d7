import { hosts, ROOT, wifi } from './device.ts'
import {
  counter64,
  type DeviceFamily,
  type FamilyContent,
  type Identity,
  identityOf,
  moving,
  type ObjectContent,
  r,
  w,
} from './family.ts'
import type { Home } from './home.ts'

/**
 * MikroTik routers with the TR-069 client of RouterOS: TR-181 without NAT, Bridging, Users and Time; port forwards are
 * rows of `Firewall.X_MIKROTIK_NAT`.
 */

const V6 = {
  manufacturer: 'MikroTik',
  oui: 'E48D8C',
  productClass: 'hAP ac^2',
  model: 'hAP ac^2',
  hardwareVersion: 'r2',
  softwareVersions: ['6.49.17', '6.49.10'],
} as const

const V7 = {
  manufacturer: 'MikroTik',
  oui: '48A98A',
  productClass: 'hAP ax^3',
  model: 'hAP ax^3',
  hardwareVersion: '',
  softwareVersions: ['7.18.2', '7.16.1'],
} as const

const PORTS = ['ether1', 'ether2', 'ether3', 'ether4', 'ether5']
const RULES = 'Firewall.X_MIKROTIK_NAT.Chain.{i}.Rule.{i}.'

/** Beginnings of serial numbers by the version and hardware of a router. */
const SERIALS: Readonly<Record<string, string>> = { 'v6.49': 'B8', 'v7.12': 'HD', 'v7.16': 'HE', 'v7.18': 'HF' }

/**
 * Returns the serial number of the n-th router of a profile, by which it is the same router to a server of TR-069 and to
 * a client of its API.
 */
export function mikrotikSerial(profile: string, index: number): string {
  const begin = SERIALS[profile] ?? `H${profile.slice(0, 2).toUpperCase()}`
  return `${begin}${(0x9000 + index * 7919).toString(16).toUpperCase().padStart(6, '0')}${String(index).padStart(3, '0')}`
}

const SHARED = {
  root: ROOT,
  version: '1.0',
  lanPrefix: '192.168.88.',
  habits: ['routerosSoap', 'dynamicRows', 'newConnections'],
  ownTables: ['Firewall.X_MIKROTIK_NAT.Chain.{i}.Rule.{i}.', 'Firewall.X_MIKROTIK_Filter.Chain.{i}.Rule.{i}.'],
} as const satisfies Partial<DeviceFamily>

/** RouterOS 6.49 with radios of the legacy driver, which its TR-069 client shows. */
export const MIKROTIK_V6: DeviceFamily = {
  ...V6,
  ...SHARED,
  sentence: 'MikroTik hAP ac^2, RouterOS 6.49: no SOAP header, rows that cannot be written, firmware by a descriptor',
  serial: (_, index) => mikrotikSerial('v6.49', index),
  routerProfile: 'v6.49',
  packages: { architecture: 'arm', names: ['routeros', 'tr069-client'] },
  tree: (home) => ({ ...router(V6, home, 'ARM'), ...legacyRadios(home) }),
}

/** RouterOS 7, whose radios of the newer driver its TR-069 client does not show. */
export const MIKROTIK_V7: DeviceFamily = {
  ...V7,
  ...SHARED,
  sentence: 'MikroTik hAP ax^3, RouterOS 7: as mikrotikV6, without Device.WiFi',
  serial: (_, index) => mikrotikSerial('v7.18', index),
  routerProfile: 'v7.18',
  packages: { architecture: 'arm64', names: ['routeros', 'tr069-client', 'wifi-qcom'] },
  tree: (home) => ({
    ...router(V7, home, 'ARM64'),
    'X_MIKROTIK_Monitor.': {
      Voltage: r('23.8'),
      Temperature: moving(home, 47, 2, (level) => String(Math.round(level))),
    },
  }),
}

function router(facts: Identity, home: Home, architecture: string): FamilyContent {
  return {
    '': { RootDataModelVersion: '2.11' },
    'DeviceInfo.': {
      ...identityOf(facts, home),
      Description: facts.model,
      X_MIKROTIK_SystemIdentity: w('MikroTik'),
      X_MIKROTIK_ArchName: r(architecture),
      X_MIKROTIK_AutosupoutTime: r('0001-01-01T00:00:00Z', 'dateTime'),
      X_MIKROTIK_BrandingPckgBuildTime: r('0001-01-01T00:00:00Z', 'dateTime'),
    },
    'DeviceInfo.VendorConfigFile.1.': { Name: 'config', Version: '', Date: '0001-01-01T00:00:00Z', Description: '' },
    'DeviceInfo.MemoryStatus.': { Total: '262144', Free: '161792' },
    'DeviceInfo.ProcessStatus.': { CPUUsage: '6' },
    'ManagementServer.': {
      URL: '',
      Username: '',
      Password: '',
      PeriodicInformEnable: 'true',
      PeriodicInformInterval: '300',
      PeriodicInformTime: '0001-01-01T00:00:00Z',
      ParameterKey: '',
      ConnectionRequestURL: '',
      ConnectionRequestUsername: '',
      ConnectionRequestPassword: '',
    },
    'InterfaceStack.1.': { HigherLayer: `${ROOT}PPP.Interface.1.`, LowerLayer: `${ROOT}Ethernet.Link.1.` },
    ...ports(home),
    ...line(home),
    ...lan(home),
    ...firewall(),
    ...hosts(home, ({ band }) => (band === undefined ? 'Ethernet.Interface.2.' : 'X_MIKROTIK_Interface.Generic.1.')),
    ...diagnostics(),
  }
}

function ports(home: Home): FamilyContent {
  const content: FamilyContent = { 'Ethernet.': { InterfaceNumberOfEntries: '0' } }
  for (const [n, name] of PORTS.entries()) {
    content[`Ethernet.Interface.${n + 1}.`] = {
      Enable: 'true',
      Status: n < 3 ? 'Up' : 'Down',
      Name: name,
      LowerLayers: '',
      MACAddress: home.mac(n),
      CurrentBitRate: r(n < 3 ? 1000 : 0, 'unsignedInt'),
      X_MIKROTIK_Name: w(name),
      X_MIKROTIK_Comment: w(n === 0 ? 'uplink' : ''),
      X_MIKROTIK_LinkDowns: r(n, 'unsignedInt'),
    }
    content[`Ethernet.Interface.${n + 1}.Stats.`] = {
      BytesSent: counter64(home, 9_000 + n),
      BytesReceived: counter64(home, 80_000 + n),
    }
  }
  content['Ethernet.Link.1.'] = {
    Enable: 'true',
    Status: 'Up',
    Name: 'ether1',
    MACAddress: home.mac(0),
    LowerLayers: `${ROOT}Ethernet.Interface.1.`,
  }
  return content
}

function line(home: Home): FamilyContent {
  const isUp = home.loginAccepted
  return {
    'PPP.': { InterfaceNumberOfEntries: '0' },
    'PPP.Interface.1.': {
      Enable: 'true',
      Status: isUp ? 'Up' : 'Down',
      Name: 'pppoe-out1',
      LowerLayers: `${ROOT}Ethernet.Link.1.`,
      ConnectionStatus: isUp ? 'Connected' : 'Disconnected',
      LastConnectionError: isUp ? 'ERROR_NONE' : 'ERROR_AUTHENTICATION_FAILURE',
      Username: home.pppUser,
      Password: '',
    },
    'PPP.Interface.1.IPCP.': { LocalIPAddress: home.wanIp, RemoteIPAddress: '100.64.0.1' },
    'PPP.Interface.1.PPPoE.': { ACName: 'bras-01', ServiceName: '' },
    'Routing.': { RouterNumberOfEntries: '1' },
    'Routing.Router.1.': { Enable: 'true' },
    'Routing.Router.1.IPv4Forwarding.1.': {
      Enable: 'true',
      DestIPAddress: '',
      DestSubnetMask: '',
      GatewayIPAddress: '100.64.0.1',
      Interface: `${ROOT}IP.Interface.1.`,
      ForwardingMetric: '1',
    },
    'DNS.Client.': { Enable: 'true' },
    'DNS.Client.Server.1.': { Enable: 'true', DNSServer: '203.0.113.53', Type: 'IPCP', Interface: '' },
    'DNS.Client.Server.2.': { Enable: 'true', DNSServer: '203.0.113.54', Type: 'Static', Interface: '' },
  }
}

function lan(home: Home): FamilyContent {
  return {
    'IP.': { InterfaceNumberOfEntries: '0' },
    'IP.Interface.1.': interfaceOn('pppoe-out1', 'PPP.Interface.1.'),
    'IP.Interface.1.IPv4Address.1.': address(home.wanIp, '255.255.255.255', 'X_MIKROTIK_Dynamic'),
    'IP.Interface.2.': interfaceOn('bridge', 'X_MIKROTIK_Interface.Generic.1.'),
    'IP.Interface.2.IPv4Address.1.': address('192.168.88.1', '255.255.255.0', 'Static'),
    'X_MIKROTIK_Interface.Generic.1.': {
      Enable: r('true', 'boolean'),
      Status: r('Up'),
      Name: r('bridge'),
      LowerLayers: r(
        PORTS.slice(1)
          .map((_, n) => `${ROOT}Ethernet.Interface.${n + 2}.`)
          .join(','),
      ),
    },
    'DHCPv4.Server.': { Enable: 'true', PoolNumberOfEntries: '0' },
    'DHCPv4.Server.Pool.1.': {
      Enable: 'true',
      Interface: `${ROOT}IP.Interface.2.`,
      MinAddress: '192.168.88.10',
      MaxAddress: '192.168.88.254',
      SubnetMask: '255.255.255.0',
      DNSServers: '192.168.88.1',
      IPRouters: '192.168.88.1',
      LeaseTime: '1800',
    },
    'DHCPv4.Server.Pool.1.StaticAddress.{i}.': { Enable: 'true', Chaddr: '', Yiaddr: '' },
  }
}

function interfaceOn(name: string, lower: string): ObjectContent {
  return { Enable: 'true', Status: 'Up', Name: name, Type: 'Normal', LowerLayers: `${ROOT}${lower}` }
}

function address(ip: string, mask: string, type: string): ObjectContent {
  return { Enable: 'true', Status: 'Enabled', IPAddress: ip, SubnetMask: mask, AddressingType: type }
}

function rule(target: string, more: Record<string, string>): ObjectContent {
  const values = {
    Description: '',
    SourceIPRange: '',
    DestIPRange: '',
    SourcePortList: '',
    DestPortList: '',
    ToAddresses: '',
    ToPorts: '',
    DestInterface: '',
    SourceInterface: '',
    ...more,
  }
  return {
    Enable: w('true', 'boolean'),
    Order: w('1', 'unsignedInt'),
    Target: w(target),
    Protocol: w(more.Protocol ?? '-1', 'int'),
    ...Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) => (name === 'Protocol' ? [] : [[name, w(value)]])),
    ),
  }
}

function firewall(): FamilyContent {
  const chains = 'Firewall.X_MIKROTIK_NAT.Chain.'
  return {
    'Firewall.': { Enable: 'true' },
    'Firewall.X_MIKROTIK_NAT.': {},
    [`${chains}1.`]: { Enable: r('true', 'boolean'), Name: r('srcnat') },
    [`${chains}2.`]: { Enable: r('true', 'boolean'), Name: r('dstnat') },
    [RULES]: rule('', {}),
    [`${chains}1.Rule.1.`]: rule('Masquerade', { DestInterface: `${ROOT}PPP.Interface.1.`, Description: 'defconf' }),
    [`${chains}2.Rule.1.`]: rule('DestNAT', {
      Protocol: '6',
      DestPortList: '8443',
      ToAddresses: '192.168.88.22',
      ToPorts: '443',
      Description: 'camera',
    }),
    'Firewall.X_MIKROTIK_Filter.': {},
    'Firewall.X_MIKROTIK_Filter.Chain.1.': { Enable: r('true', 'boolean'), Name: r('input') },
    'Firewall.X_MIKROTIK_Filter.Chain.{i}.Rule.{i}.': rule('', {}),
    'Firewall.X_MIKROTIK_ConnTrack.': { Enable: w('true', 'boolean') },
  }
}

function diagnostics(): FamilyContent {
  const counts = {
    SuccessCount: '0',
    FailureCount: '0',
    AverageResponseTime: '0',
    MinimumResponseTime: '0',
    MaximumResponseTime: '0',
  }
  return {
    'IP.Diagnostics.': {},
    'IP.Diagnostics.IPPing.': { DiagnosticsState: 'None', Host: '', NumberOfRepetitions: '4', ...counts },
    'IP.Diagnostics.TraceRoute.': { DiagnosticsState: 'None', Host: '', ResponseTime: '0' },
    'IP.Diagnostics.TraceRoute.RouteHops.{i}.': { Host: '', HostAddress: '', RTTimes: '' },
  }
}

/** Radios of `/interface/wireless`. */
function legacyRadios(home: Home): FamilyContent {
  const content: FamilyContent = {
    ...wifi(home, 1, 1, home.ssid, '2.4GHz'),
    ...wifi(home, 2, 2, home.ssid5, '5GHz'),
  }
  for (const row of [1, 2]) {
    const station = `WiFi.AccessPoint.${row}.AssociatedDevice.`
    for (const path of Object.keys(content))
      if (path.startsWith(station) && path.endsWith('.'))
        content[`${path}X_MIKROTIK_Stats.`] = { SNR: r(44, 'int'), CCQ: r(84, 'unsignedInt') }
  }
  return content
}
