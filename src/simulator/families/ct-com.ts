import { type DeviceFamily, in256ths, moving, r, tenthsOfMicrowatt, w } from './family.ts'
import { base, connectionAt, hosts, lan, line, network, pppoe, ROOT, WAN } from './igd.ts'

const PPP = 'WANConnectionDevice.1.WANPPPConnection.1.'
const FACTS = {
  manufacturer: 'CIOT',
  oui: '64E0AB',
  productClass: 'GM220-S',
  model: 'GM220-S',
  hardwareVersion: 'V3.0',
  softwareVersions: ['V9.0.0P1T6', 'TM-V2.0.6'],
} as const

/** An EPON terminal with the extensions of China Telecom: tenths of a microwatt, 1/256 degrees, BeaconType WPA2. */
export const CT_COM_EPON: DeviceFamily = {
  ...FACTS,
  sentence: 'GM220-S with X_CT-COM_ extensions, EPON: temperature in 1/256 degrees, VLAN at the link',
  root: ROOT,
  version: '1.0',
  serial: (seed, index) => `64E0AB${hex(seed)}${hex(index)}`.slice(0, 14),
  habits: ['newConnections'],
  connection: connectionAt(PPP),
  tree: (home) => ({
    ...base(FACTS, home),
    'DeviceInfo.X_CT-COM_TeleComAccount.': { Username: w('telecomadmin'), Password: w('nE7jA%5m') },
    ...lan(home, 2, '192.168.1.'),
    ...hosts(home, () => ''),
    ...network(home, { row: 1, ssid: home.ssid, band: '2.4GHz', channel: 11, ...wifi('b,g,n', '20Mhz', 0) }),
    ...network(home, { row: 5, ssid: home.ssid5, band: '5GHz', channel: 44, ...wifi('an+ac', '80Mhz', 1) }),
    ...line(home, 'EPON', PPP.slice(0, -1)),
    [`${WAN}X_CT-COM_EponInterfaceConfig.`]: {
      Status: r('Up'),
      TXPower: r(tenthsOfMicrowatt(home.txDbm), 'int'),
      RXPower: moving(home, home.rxDbm, 0.5, tenthsOfMicrowatt, 'int'),
      TransceiverTemperature: moving(home, home.temperatureC, 2, in256ths, 'int'),
      SupplyVottage: r(32_980, 'int'),
      BiasCurrent: r(6100, 'int'),
    },
    'WANDevice.1.WANConnectionDevice.1.X_CT-COM_WANEponLinkConfig.': {
      Mode: w(2, 'int'),
      VLANIDMark: w(home.vlan, 'unsignedInt'),
    },
    ...pppoe(home, {
      at: PPP,
      name: `1_TR069_INTERNET_R_VID_${home.vlan}`,
      more: {
        'X_CT-COM_ServiceList': w('TR069,INTERNET'),
        'X_CT-COM_LanInterface': w(`${ROOT}LANDevice.1.LANEthernetInterfaceConfig.1`),
      },
    }),
  }),
}

function wifi(standard: string, width: string, band: number) {
  return {
    standard,
    keys: { PreSharedKey: '' },
    more: { BeaconType: w('WPA2'), BandWidth: w(width), 'X_CT-COM_RFBand': r(band, 'int') },
    station: ({ rssiDbm }: { rssiDbm: number }) => ({ SignalStrength: r(rssiDbm) }),
  }
}

function hex(number: number): string {
  return number.toString(16).toUpperCase().padStart(4, '0')
}
