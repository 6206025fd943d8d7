import {
  connectedSeconds,
  counter32,
  type FamilyContent,
  type Identity,
  identityOf,
  type LivingConnection,
  MANAGEMENT,
  type ObjectContent,
  r,
  w,
} from './family.ts'
import type { Home, HomeDevice } from './home.ts'

/** The objects that devices with the root InternetGatewayDevice have in common (TR-098). Vendors add to them. */

export const ROOT = 'InternetGatewayDevice.'
export const LAN = 'LANDevice.1.'
export const WAN = 'WANDevice.1.'

/** Identity, management, time, and the diagnostics. */
export function base(facts: Identity, home: Home, info: ObjectContent = {}): FamilyContent {
  return {
    '': { DeviceSummary: 'InternetGatewayDevice:1.4[](Baseline:1, EthernetLAN:1, WiFiLAN:1, IPPing:1)' },
    'DeviceInfo.': {
      ...identityOf(facts, home),
      SpecVersion: '1.0',
      ...info,
    },
    'ManagementServer.': {
      ...MANAGEMENT,
      UpgradesManaged: 'true',
    },
    'Time.': { Enable: 'true', NTPServer1: 'ntp.example.com', CurrentLocalTime: '2026-01-01T00:00:00Z' },
    'IPPingDiagnostics.': {
      DiagnosticsState: 'None',
      Interface: '',
      Host: '',
      NumberOfRepetitions: '4',
      Timeout: '5000',
      DataBlockSize: '64',
      DSCP: '0',
      SuccessCount: '0',
      FailureCount: '0',
      AverageResponseTime: '0',
      MinimumResponseTime: '0',
      MaximumResponseTime: '0',
    },
    'TraceRouteDiagnostics.': {
      DiagnosticsState: 'None',
      Interface: '',
      Host: '',
      NumberOfTries: '3',
      Timeout: '5000',
      DataBlockSize: '38',
      DSCP: '0',
      MaxHopCount: '30',
      ResponseTime: '0',
      RouteHopsNumberOfEntries: '0',
    },
    'TraceRouteDiagnostics.RouteHops.{i}.': { HopHost: '', HopHostAddress: '', HopErrorCode: '0', HopRTTimes: '' },
    'NSLookupDiagnostics.': {
      DiagnosticsState: 'None',
      Interface: '',
      HostName: '',
      DNSServer: '',
      Timeout: '5000',
      NumberOfRepetitions: '1',
      SuccessCount: '0',
      ResultNumberOfEntries: '0',
    },
    'NSLookupDiagnostics.Result.{i}.': {
      Status: 'Success',
      AnswerType: 'NonAuthoritative',
      HostNameReturned: '',
      IPAddresses: '',
      DNSServerIP: '',
      ResponseTime: '0',
    },
    'DownloadDiagnostics.': { ...TRANSFER, DownloadURL: '', TestBytesReceived: '0', TotalBytesReceived: '0' },
    'UploadDiagnostics.': { ...TRANSFER, UploadURL: '', TestFileLength: '0', TotalBytesSent: '0' },
  }
}

const NEVER = '0001-01-01T00:00:00Z'
const TRANSFER: ObjectContent = {
  DiagnosticsState: 'None',
  Interface: '',
  DSCP: '0',
  EthernetPriority: '0',
  ROMTime: NEVER,
  BOMTime: NEVER,
  EOMTime: NEVER,
  TCPOpenRequestTime: NEVER,
  TCPOpenResponseTime: NEVER,
}

/** Ports, DHCP and the hosts of a home. `prefix` of its addresses ends in a dot. */
export function lan(home: Home, ports: number, prefix: string, port: ObjectContent = {}): FamilyContent {
  const content: FamilyContent = {
    [LAN]: { LANEthernetInterfaceNumberOfEntries: '0', LANWLANConfigurationNumberOfEntries: '0' },
    [`${LAN}LANHostConfigManagement.`]: {
      DHCPServerConfigurable: 'true',
      DHCPServerEnable: 'true',
      MinAddress: `${prefix}2`,
      MaxAddress: `${prefix}254`,
      SubnetMask: '255.255.255.0',
      DNSServers: `${prefix}1`,
      IPRouters: `${prefix}1`,
      DHCPLeaseTime: '86400',
      IPInterfaceNumberOfEntries: '0',
    },
    [`${LAN}LANHostConfigManagement.IPInterface.1.`]: {
      Enable: 'true',
      IPInterfaceIPAddress: `${prefix}1`,
      IPInterfaceSubnetMask: '255.255.255.0',
      IPInterfaceAddressingType: 'Static',
    },
    [`${LAN}Hosts.`]: { HostNumberOfEntries: '0' },
  }
  for (let n = 1; n <= ports; n++) {
    const row = `${LAN}LANEthernetInterfaceConfig.${n}.`
    content[row] = {
      Enable: 'true',
      Status: n === 1 ? 'Up' : 'NoLink',
      MACAddress: home.mac(0),
      MaxBitRate: n === 1 ? '1000' : 'Auto',
      DuplexMode: n === 1 ? 'Full' : 'Auto',
      ...port,
    }
    content[`${row}Stats.`] = {
      BytesSent: counter32(home, n === 1 ? 80_000 : 0),
      BytesReceived: counter32(home, 9_000),
    }
  }
  return content
}

/** The rows of the table of hosts; `layer2` names the interface of each, '' where the device does not. */
export function hosts(home: Home, layer2: (device: HomeDevice) => string): FamilyContent {
  return Object.fromEntries(
    home.devices.map((device, n) => [
      `${LAN}Hosts.Host.${n + 1}.`,
      {
        MACAddress: device.mac,
        IPAddress: device.ip,
        HostName: device.name,
        Active: 'true',
        InterfaceType: device.band === undefined ? 'Ethernet' : '802.11',
        AddressSource: 'DHCP',
        LeaseTimeRemaining: '81234',
        Layer2Interface: layer2(device),
      },
    ]),
  )
}

/** The interface of a host, where 2.4 GHz is one row and 5 GHz another one. */
export function layer2Of(row24: number, row5: number): (device: HomeDevice) => string {
  return ({ band }) =>
    band === undefined
      ? `${ROOT}${LAN}LANEthernetInterfaceConfig.1`
      : `${ROOT}${LAN}WLANConfiguration.${band === '5GHz' ? row5 : row24}`
}

interface Network {
  row: number
  ssid: string
  band: '2.4GHz' | '5GHz'
  channel: number
  standard: string
  /** Parameters that its vendor adds, or shows otherwise. */
  more?: ObjectContent
  /** Rows of the table of keys; default: one. */
  keys?: ObjectContent
  /** Of a station, what its vendor adds; undefined: the device has no table of stations. */
  station?: ((device: HomeDevice) => ObjectContent) | undefined
  off?: boolean
}

/** One radio network with its keys and stations. */
export function network(home: Home, given: Network): FamilyContent {
  const { row, ssid, band, channel, standard, more = {}, keys = { PreSharedKey: '', KeyPassphrase: '' } } = given
  const path = `${LAN}WLANConfiguration.${row}.`
  const stations = given.off === true ? [] : home.devices.filter((device) => device.band === band)
  const content: FamilyContent = {
    [path]: {
      Enable: String(given.off !== true),
      Status: given.off === true ? 'Disabled' : 'Up',
      Name: `wlan${row}`,
      BSSID: home.mac(0x10 + row),
      Channel: String(channel),
      AutoChannelEnable: 'true',
      Standard: w(standard),
      SSID: ssid,
      BeaconType: w('WPAand11i'),
      WPAEncryptionModes: 'TKIPandAESEncryption',
      WPAAuthenticationMode: 'PSKAuthentication',
      IEEE11iEncryptionModes: 'AESEncryption',
      IEEE11iAuthenticationMode: 'PSKAuthentication',
      BasicEncryptionModes: 'None',
      BasicAuthenticationMode: 'None',
      KeyPassphrase: '',
      SSIDAdvertisementEnabled: 'true',
      RadioEnabled: 'true',
      TransmitPower: '100',
      TotalAssociations: String(stations.length),
      TotalBytesSent: counter32(home, given.off === true ? 0 : 60_000),
      TotalBytesReceived: counter32(home, given.off === true ? 0 : 7_000),
      ...more,
    },
    [`${path}PreSharedKey.1.`]: keys,
  }
  const { station } = given
  if (station === undefined) return content
  content[`${LAN}WLANConfiguration.{i}.AssociatedDevice.{i}.`] = stationRow(home.devices[0], station)
  for (const [n, device] of stations.entries())
    content[`${path}AssociatedDevice.${n + 1}.`] = stationRow(device, station)
  return content
}

function stationRow(device: HomeDevice | undefined, station: (device: HomeDevice) => ObjectContent): ObjectContent {
  if (device === undefined) return {}
  return {
    AssociatedDeviceMACAddress: device.mac,
    AssociatedDeviceIPAddress: device.ip,
    AssociatedDeviceAuthenticationState: 'true',
    ...station(device),
  }
}

interface Connection {
  /** Below the WAN device: `WANConnectionDevice.2.WANPPPConnection.1.` */
  at: string
  name: string
  more?: ObjectContent
}

/** A connection over PPPoE: the internet connection of the home. */
export function pppoe(home: Home, { at, name, more = {} }: Connection): FamilyContent {
  const path = WAN + at
  const up = home.loginAccepted
  return {
    [path]: {
      Enable: 'true',
      Reset: 'false',
      ConnectionStatus: up ? 'Connected' : 'Disconnected',
      PossibleConnectionTypes: 'IP_Routed,PPPoE_Bridged',
      ConnectionType: w('IP_Routed'),
      Name: name,
      Uptime: connectedSeconds,
      LastConnectionError: up ? 'ERROR_NONE' : 'ERROR_AUTHENTICATION_FAILURE',
      NATEnabled: 'true',
      Username: home.pppUser,
      Password: '',
      ExternalIPAddress: home.wanIp,
      RemoteIPAddress: up ? '203.0.113.1' : '0.0.0.0',
      DefaultGateway: up ? '203.0.113.1' : '0.0.0.0',
      DNSEnabled: 'true',
      DNSServers: '192.0.2.53,192.0.2.54',
      MaxMRUSize: '1492',
      MACAddress: home.mac(1),
      ConnectionTrigger: 'AlwaysOn',
      TransportType: 'PPPoE',
      PortMappingNumberOfEntries: '0',
      ...more,
    },
    [`${path}Stats.`]: { EthernetBytesSent: counter32(home, 9_500), EthernetBytesReceived: counter32(home, 85_000) },
    [`${WAN}WANConnectionDevice.{i}.WANPPPConnection.{i}.PortMapping.{i}.`]: {
      PortMappingEnabled: 'false',
      PortMappingLeaseDuration: '0',
      RemoteHost: '',
      ExternalPort: '0',
      InternalPort: '0',
      PortMappingProtocol: 'TCP',
      InternalClient: '',
      PortMappingDescription: '',
    },
  }
}

/** A connection with an address: by DHCP, for the management of the device. */
export function ipoe(home: Home, { at, name, more = {} }: Connection): FamilyContent {
  return {
    [WAN + at]: {
      Enable: 'true',
      Reset: 'false',
      ConnectionStatus: 'Connected',
      PossibleConnectionTypes: 'IP_Routed,IP_Bridged',
      ConnectionType: w('IP_Routed'),
      Name: name,
      Uptime: { ...r('0', 'unsignedInt'), lives: ({ upS }) => String(Math.floor(upS)) },
      LastConnectionError: 'ERROR_NONE',
      NATEnabled: 'false',
      AddressingType: 'DHCP',
      ExternalIPAddress: home.managementIp,
      SubnetMask: '255.255.252.0',
      DefaultGateway: home.managementIp.replace(/\d+$/, '1'),
      DNSServers: '10.46.0.53',
      MaxMTUSize: '1500',
      MACAddress: home.mac(2),
      ...more,
    },
  }
}

/** The line of the device, and the connection that is the internet. */
export function line(home: Home, access: string, internet: string, more: ObjectContent = {}): FamilyContent {
  return {
    [WAN]: { WANConnectionNumberOfEntries: '0' },
    [`${WAN}WANCommonInterfaceConfig.`]: {
      WANAccessType: w(access),
      PhysicalLinkStatus: 'Up',
      Layer1UpstreamMaxBitRate: '1244000000',
      Layer1DownstreamMaxBitRate: '2488000000',
      TotalBytesSent: counter32(home, 10_000),
      TotalBytesReceived: counter32(home, 90_000),
      ...more,
    },
    'Layer3Forwarding.': { DefaultConnectionService: `${ROOT}${WAN}${internet}` },
  }
}

/** The paths by which the internet connection is lost and comes again. */
export function connectionAt(at: string): LivingConnection {
  const path = WAN + at
  return {
    status: `${path}ConnectionStatus`,
    addresses: [`${path}ExternalIPAddress`],
    error: `${path}LastConnectionError`,
  }
}
