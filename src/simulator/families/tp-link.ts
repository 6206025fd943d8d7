import { base, hosts, ipInterface, port, ROOT, user, wifi } from './device.ts'
import { connectedSeconds, counter64, type DeviceFamily, r, w } from './family.ts'

const FACTS = {
  manufacturer: 'TP-Link',
  oui: '60A4B7',
  productClass: 'EX220',
  model: 'EX220',
  hardwareVersion: 'EX220 v1.0',
  softwareVersions: ['1.2.0 0.9.1 v6076.0', '1.0.3 0.8.0 v6059.0'],
} as const

/** TP-Link EX220, a router with TR-181: the byte counters of the WAN are swapped, levels of stations are in dBm. */
export const TP_LINK_ROUTER: DeviceFamily = {
  ...FACTS,
  sentence: 'TP-Link EX220, TR-181 router: PPPoE over a VLAN, byte counters of the WAN swapped',
  root: ROOT,
  version: '1.4',
  serial: (seed, index) => `22${String(seed).padStart(3, '0')}${String(index).padStart(8, '0')}`,
  lanPrefix: '192.168.0.',
  connection: {
    status: 'PPP.Interface.1.ConnectionStatus',
    addresses: ['PPP.Interface.1.IPCP.LocalIPAddress', 'IP.Interface.3.IPv4Address.1.IPAddress'],
    error: 'PPP.Interface.1.LastConnectionError',
  },
  tree: (home) => ({
    ...base(FACTS, home),
    ...port(home, 1, true),
    ...port(home, 2),
    ...port(home, 3),
    'Ethernet.': { InterfaceNumberOfEntries: '0', LinkNumberOfEntries: '0', VLANTerminationNumberOfEntries: '0' },
    'Ethernet.Link.1.': {
      Enable: 'true',
      Status: 'Up',
      Name: 'eth0',
      MACAddress: home.mac(1),
      LowerLayers: `${ROOT}Ethernet.Interface.1.`,
    },
    'Ethernet.VLANTermination.1.': {
      Enable: 'true',
      Status: 'Up',
      Name: `eth0.${home.vlan}`,
      LowerLayers: `${ROOT}Ethernet.Link.1.`,
      VLANID: String(home.vlan),
    },
    'PPP.': { InterfaceNumberOfEntries: '0' },
    'PPP.Interface.1.': {
      Enable: 'true',
      Status: home.loginAccepted ? 'Up' : 'Down',
      Name: 'ppp0',
      LastChange: connectedSeconds,
      LowerLayers: `${ROOT}Ethernet.VLANTermination.1.`,
      ConnectionStatus: home.loginAccepted ? 'Connected' : 'Disconnected',
      LastConnectionError: home.loginAccepted ? 'ERROR_NONE' : 'ERROR_AUTHENTICATION_FAILURE',
      Username: home.pppUser,
      Password: '',
      MaxMRUSize: '1492',
      X_TP_UpTime: connectedSeconds,
    },
    'PPP.Interface.1.IPCP.': {
      LocalIPAddress: home.wanIp,
      RemoteIPAddress: '203.0.113.1',
      DNSServers: '192.0.2.53,192.0.2.54',
    },
    ...ipInterface(1, 'br0', 'Ethernet.Interface.2.', '192.168.0.1', { type: 'Static' }),
    ...ipInterface(3, 'ppp0', 'PPP.Interface.1.', home.wanIp, {
      type: 'IPCP',
      more: { X_TP_ServiceType: w('Internet') },
    }),
    'IP.Interface.3.Stats.': { BytesSent: counter64(home, 90_000), BytesReceived: counter64(home, 10_000) },
    'Routing.Router.1.': { Enable: 'true', IPv4ForwardingNumberOfEntries: '0' },
    'Routing.Router.1.IPv4Forwarding.1.': {
      Enable: 'true',
      DestIPAddress: '',
      DestSubnetMask: '',
      GatewayIPAddress: '203.0.113.1',
      Interface: `${ROOT}IP.Interface.3.`,
    },
    ...wifi(home, 1, 1, home.ssid, '2.4GHz'),
    ...wifi(home, 3, 2, home.ssid5, '5GHz'),
    'WiFi.MultiAP.': { APDeviceNumberOfEntries: r(1, 'unsignedInt') },
    'WiFi.MultiAP.APDevice.1.': { MACAddress: r(home.mac(0)) },
    ...hosts(home, ({ band }) =>
      band === undefined ? 'Ethernet.Interface.2.' : band === '5GHz' ? 'WiFi.SSID.3.' : 'WiFi.SSID.1.',
    ),
    ...user(1, 'user'),
    ...user(2, 'admin'),
  }),
}
