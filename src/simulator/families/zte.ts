import { counter32, type DeviceFamily, moving, r, tenthsOfMicrowatt, w } from './family.ts'
import { base, connectionAt, hosts, ipoe, LAN, lan, layer2Of, line, network, pppoe, ROOT, WAN } from './igd.ts'

const PPP = 'WANConnectionDevice.1.WANPPPConnection.1.'
const FACTS = {
  manufacturer: 'ZTE',
  oui: '744AA4',
  productClass: 'F670L',
  model: 'F670L',
  hardwareVersion: 'V9.0',
  softwareVersions: ['V9.0.11P1N38C', 'V9.0.10P1N12A'],
} as const

/** ZTE F670L: levels in tenths of a microwatt, hundredths of a degree, volts, units of 2 uA. */
export const ZTE_ONT: DeviceFamily = {
  ...FACTS,
  sentence: 'ZTE F670L, GPON: RX power in tenths of a microwatt, passwords read as ****',
  root: ROOT,
  version: '1.0',
  serial: (seed, index) => `ZTEGC8${String(seed).padStart(3, '0')}${String(index).padStart(5, '0')}`,
  habits: ['maskedSecrets'],
  connection: connectionAt(PPP),
  tree: (home) => ({
    ...base(FACTS, home, {
      'X_ZTE-COM_CpuUsed': moving(home, 8, 5, (level) => `${Math.round(level)}%;2%`),
      'X_ZTE-COM_MemUsed': r('17%'),
      'X_ZTE-COM_GPONSN': r(home.serial),
    }),
    ...lan(home, 4, '192.168.1.'),
    ...hosts(home, layer2Of(1, 5)),
    ...network(home, { row: 1, ssid: home.ssid, band: '2.4GHz', channel: 11, ...wifi('2.4GHz', home.ssid) }),
    ...network(home, { row: 2, ssid: 'SSID2', band: '2.4GHz', channel: 11, off: true, ...wifi('2.4GHz', 'SSID2') }),
    ...network(home, { row: 5, ssid: home.ssid5, band: '5GHz', channel: 149, ...wifi('5GHz', home.ssid5) }),
    ...line(home, 'PON', `${PPP.slice(0, -1)}.`, { Layer1DownstreamMaxBitRate: '2488320' }),
    [`${WAN}X_ZTE-COM_WANPONInterfaceConfig.`]: {
      Status: r('Up'),
      RXPower: moving(home, home.rxDbm, 0.4, tenthsOfMicrowatt, 'unsignedInt'),
      TXPower: r(tenthsOfMicrowatt(home.txDbm), 'unsignedInt'),
      TransceiverTemperature: moving(home, home.temperatureC, 1.5, (c) => String(Math.round(c * 100)), 'unsignedInt'),
      SupplyVoltage: r('3.291'),
      BiasCurrent: r(5975, 'unsignedInt'),
    },
    [`${WAN}X_ZTE-COM_WANPONInterfaceConfig.Stats.`]: {
      BytesSent: counter32(home, 11_000),
      BytesReceived: counter32(home, 95_000),
    },
    ...pppoe(home, {
      at: PPP,
      name: 'omci_ipv4_pppoe_1',
      more: {
        PPPAuthenticationProtocol: w('AUTO_AUTH'),
        MaxMTUSize: w(1492, 'unsignedInt'),
        ...vlan(home.vlan, 'TR069,INTERNET'),
        'X_ZTE-COM_LanInterface': w(`${ROOT}${LAN}LANEthernetInterfaceConfig.1,${ROOT}${LAN}WLANConfiguration.1`),
      },
    }),
    ...ipoe(home, {
      at: 'WANConnectionDevice.2.WANIPConnection.1.',
      name: 'omci_bridge_2',
      more: { ConnectionType: w('IP_Bridged'), ExternalIPAddress: '0.0.0.0', ...vlan(1020, 'IPTV') },
    }),
    'UserInterface.X_ZTE-COM_WebUserInfo.': {
      AdminName: w('admin'),
      AdminPassword: w('rootpass'),
      UserName: w('user'),
      UserPassword: w('userpass'),
    },
  }),
}

function vlan(id: number, services: string) {
  return {
    'X_ZTE-COM_VLANID': w(id, 'unsignedInt'),
    'X_ZTE-COM_VLANEnable': w('true', 'boolean'),
    'X_ZTE-COM_8021P': w(0, 'unsignedInt'),
    'X_ZTE-COM_ServiceList': w(services),
  }
}

function wifi(band: string, name: string) {
  return {
    standard: band === '5GHz' ? 'a,n,ac' : 'b,g,n',
    keys: { PreSharedKey: '' },
    more: {
      Name: w(name),
      Standard: r(band === '5GHz' ? 'a,n,ac' : 'b,g,n'),
      'X_ZTE-COM_OperatingFrequencyBand': r(band),
      'X_ZTE-COM_MaxUserNum': w(32, 'unsignedInt'),
      BandWidth: w(band === '5GHz' ? '80MHz' : '20MHz'),
    },
    station: ({ rssiDbm, name: station }: { rssiDbm: number; name: string }) => ({
      'X_ZTE-COM_AssociatedDeviceName': r(station),
      'X_ZTE-COM_RSSI': r(rssiDbm),
      'X_ZTE-COM_SNR': r(91 + rssiDbm),
      'X_ZTE-COM_Noise': r(-91),
    }),
  }
}
