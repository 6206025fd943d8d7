import { type DeviceFamily, moving, r, tenthsOfMicrowatt, w } from './family.ts'
import { base, connectionAt, lan, line, network, pppoe, ROOT, WAN } from './igd.ts'

const PPP = 'WANConnectionDevice.2.WANPPPConnection.1.'
const FACTS = {
  manufacturer: 'Realtek',
  oui: 'B4CFDB',
  productClass: 'V2802DAC',
  model: 'V2802DAC',
  hardwareVersion: 'V2.0',
  softwareVersions: ['V2.1.06-210726', 'V2.1.02-200911'],
} as const

/** VSOL V2802DAC, which says Realtek: no table of hosts or stations, 5 GHz is row 1, and the whole tree is too much. */
export const VSOL_ONT: DeviceFamily = {
  ...FACTS,
  sentence: 'VSOL V2802DAC, GPON: 5 GHz in row 1, no hosts, no answer to a read of the whole tree',
  root: ROOT,
  version: '1.0',
  serial: (seed, index) =>
    `12345B4CFDB${String(seed).padStart(3, '0')}${index.toString(16).toUpperCase().padStart(4, '0')}`,
  habits: ['wholeTreeTimesOut'],
  connection: connectionAt(PPP),
  tree: (home) => {
    const { 'LANDevice.1.Hosts.': _noHosts, ...ports } = lan(home, 2, '192.168.101.')
    return {
      ...base(FACTS, home),
      ...ports,
      ...network(home, { row: 1, ssid: home.ssid5, band: '5GHz', channel: 36, standard: 'ac,n,a' }),
      ...network(home, { row: 5, ssid: home.ssid, band: '2.4GHz', channel: 1, standard: 'b,g,n' }),
      ...line(home, 'GPON', PPP.slice(0, -1)),
      [`${WAN}X_CT-COM_GponInterfaceConfig.`]: {
        Status: r('Up'),
        RXPower: moving(home, home.rxDbm, 0.4, tenthsOfMicrowatt, 'unsignedInt'),
        TXPower: r(tenthsOfMicrowatt(home.txDbm), 'unsignedInt'),
        TransceiverTemperature: moving(home, home.temperatureC, 2, (c) => String(Math.round(c * 100)), 'unsignedInt'),
        SupplyVottage: r(32_000, 'unsignedInt'),
        BiasCurrent: r(6000, 'unsignedInt'),
      },
      'WANDevice.1.WANConnectionDevice.2.X_RTK_WANGponLinkConfig.': {
        Enable: w('true', 'boolean'),
        VLANIDMark: w(home.vlan, 'unsignedInt'),
      },
      ...pppoe(home, {
        at: PPP,
        name: `2_INTERNET_R_VID_${home.vlan}`,
        more: { X_RTK_ServiceList: w('INTERNET') },
      }),
    }
  },
}
