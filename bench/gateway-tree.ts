import type { LoadTree } from './cpe-load.ts'

/** Tables of hosts and of port mappings: the largest ones that gateways have. */
const HOSTS = 'InternetGatewayDevice.LANDevice.1.Hosts.Host.'
const MAPPINGS = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.PortMapping.'
/** The same tables in TR-181. */
export const OWN_TABLES = [HOSTS, MAPPINGS]
export const MAPPED_TABLES = ['Device.Hosts.Host.', 'Device.NAT.PortMapping.']

/** A gateway of TR-098: two lines and their counters, four ports, four SSIDs, and large tables of hosts and port mappings. */
export function gatewayTree(hosts: number, portMappings: number): LoadTree {
  const tree = new Map<string, { value: string; type: string }>()
  const add = (object: string, values: Record<string, string | number | boolean>) => {
    for (const [name, value] of Object.entries(values))
      tree.set(`${object}${name}`, {
        value: typeof value === 'boolean' ? String(Number(value)) : String(value),
        type: typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'boolean' : 'unsignedInt',
      })
  }
  const root = 'InternetGatewayDevice.'
  add(root, { DeviceSummary: 'InternetGatewayDevice:1.4[](Baseline:1)', LANDeviceNumberOfEntries: 1 })
  add(`${root}DeviceInfo.`, {
    Manufacturer: 'Isthmian',
    ManufacturerOUI: '00256D',
    ModelName: 'Bench',
    ProductClass: 'Bench',
    HardwareVersion: 'HW-2',
    SoftwareVersion: '3.4.1',
    ProvisioningCode: 'res.north',
    UpTime: 3600,
  })
  add(`${root}ManagementServer.`, {
    ParameterKey: '',
    ConnectionRequestURL: 'http://127.0.0.1:9/',
    PeriodicInformEnable: true,
    PeriodicInformInterval: 300,
  })
  const lan = `${root}LANDevice.1.`
  add(`${lan}LANHostConfigManagement.`, { DHCPServerEnable: true, MinAddress: '10.0.0.2', MaxAddress: '10.0.0.250' })
  for (let port = 1; port <= 4; port++) {
    add(`${lan}LANEthernetInterfaceConfig.${port}.`, { Enable: true, Status: 'Up', MACAddress: mac(1, port) })
    add(`${lan}LANEthernetInterfaceConfig.${port}.Stats.`, {
      BytesSent: 4_000_000 + port,
      BytesReceived: 90_000 + port,
    })
  }
  for (let ssid = 1; ssid <= 4; ssid++)
    add(`${lan}WLANConfiguration.${ssid}.`, {
      Enable: true,
      Status: 'Up',
      BSSID: mac(2, ssid),
      SSID: `home-${ssid}`,
      Channel: ssid % 2 === 0 ? 36 : 6,
      Standard: ssid % 2 === 0 ? 'ac' : 'n',
      BeaconType: '11i',
      IEEE11iEncryptionModes: 'AESEncryption',
      IEEE11iAuthenticationMode: 'PSKAuthentication',
      SSIDAdvertisementEnabled: true,
      TotalBytesSent: 7_000_000 + ssid,
      TotalBytesReceived: 6_000_000 + ssid,
    })
  const line = `${root}WANDevice.1.`
  add(`${line}WANCommonInterfaceConfig.`, {
    WANAccessType: 'Ethernet',
    PhysicalLinkStatus: 'Up',
    TotalBytesSent: 12_345,
  })
  add(`${line}WANConnectionDevice.1.WANPPPConnection.1.`, {
    Enable: true,
    ConnectionStatus: 'Connected',
    ConnectionType: 'IP_Routed',
    Name: 'internet',
    Uptime: 3500,
    NATEnabled: true,
    Username: 'subscriber@isp.example',
    ExternalIPAddress: '203.0.113.9',
    LastConnectionError: 'ERROR_NONE',
    MACAddress: mac(3, 1),
  })
  for (let host = 1; host <= hosts; host++)
    add(`${HOSTS}${host}.`, {
      IPAddress: `10.0.0.${1 + host}`,
      AddressSource: 'DHCP',
      LeaseTimeRemaining: 600 + host,
      MACAddress: mac(4, host),
      HostName: `host-${host}`,
      InterfaceType: 'Ethernet',
      Active: host % 2 === 0,
    })
  for (let row = 1; row <= portMappings; row++)
    add(`${MAPPINGS}${row}.`, {
      PortMappingEnabled: row % 5 !== 0,
      PortMappingLeaseDuration: 0,
      RemoteHost: '',
      ExternalPort: 20_000 + row,
      ExternalPortEndRange: 0,
      InternalPort: 1000 + row,
      PortMappingProtocol: row % 2 === 0 ? 'UDP' : 'TCP',
      InternalClient: `10.0.0.${2 + (row % hosts)}`,
      PortMappingDescription: `rule ${row}`,
    })
  return tree
}

function mac(kind: number, n: number): string {
  return `02:00:00:0${kind}:00:${n.toString(16).padStart(2, '0').toUpperCase()}`
}
