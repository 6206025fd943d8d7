import { type DeviceFamily, moving, r, w } from './family.ts'
import { base, connectionAt, hosts, lan, layer2Of, line, network, pppoe, ROOT } from './igd.ts'

const PPP = 'WANConnectionDevice.1.WANPPPConnection.1.'
const FACTS = {
  manufacturer: 'Nokia',
  oui: '54E019',
  productClass: 'G-2425G-A',
  model: 'G-2425G-A',
  hardwareVersion: '3FE48299DEAA',
  softwareVersions: ['3FE49362JJIJ50', '3FE49362HJIJ18'],
} as const

/** Nokia G-2425G-A: the optical container is at the root, values are decimal texts, the VLAN is CT-COM's. */
export const NOKIA_ONT: DeviceFamily = {
  ...FACTS,
  sentence: 'Nokia G-2425G-A, GPON: X_ALU_OntOpticalParam at the root, a restart after an SSID was set',
  root: ROOT,
  version: '1.2',
  serial: (seed, index) => `ALCL${String(seed).padStart(3, '0')}${index.toString(16).toUpperCase().padStart(5, '0')}`,
  habits: ['ssidRestarts'],
  connection: connectionAt(PPP),
  tree: (home) => ({
    ...base(FACTS, home),
    ...lan(home, 4, '192.168.1.'),
    ...hosts(home, layer2Of(1, 5)),
    ...network(home, {
      row: 1,
      ssid: home.ssid,
      band: '2.4GHz',
      channel: 11,
      ...wifi('b,g,n', '20MHz', '1,2,3,4,5,6,7,8,9,10,11,12,13'),
    }),
    ...network(home, {
      row: 5,
      ssid: home.ssid5,
      band: '5GHz',
      channel: 149,
      ...wifi('a,n,ac', 'Auto', '36,40,44,48,149,153'),
    }),
    ...line(home, 'GPON', PPP.slice(0, -1)),
    'X_ALU_OntOpticalParam.': {
      TXPower: r(home.txDbm.toFixed(6)),
      RXPower: moving(home, home.rxDbm, 0.3, (dbm) => dbm.toFixed(6)),
      TransceiverTemperature: moving(home, home.temperatureC, 1.5, (c) => c.toFixed(6)),
      SupplyVottage: r('3.289000'),
      BiasCurrent: r('9000.000000'),
    },
    'WANDevice.1.WANConnectionDevice.1.X_CT-COM_WANGponLinkConfig.': {
      Enable: w('true', 'boolean'),
      Mode: w(2, 'int'),
      VLANIDMark: w(home.vlan, 'unsignedInt'),
      '802-1pMark': w(0, 'int'),
    },
    ...pppoe(home, {
      at: PPP,
      name: `1_TR069_INTERNET_R_VID_${home.vlan}`,
      more: { X_D0542D_ServiceList: w('TR069,INTERNET'), InterfaceMtu: w(1492, 'unsignedInt') },
    }),
    'X_Authentication.WebAccount.': { UserName: w('AdminGPON'), Password: w('') },
  }),
}

function wifi(standard: string, width: string, channels: string) {
  return {
    standard,
    more: { PossibleChannels: channels, X_ALU_COM_ChannelBandWidthExtend: w(width) },
    station: ({ rssiDbm }: { rssiDbm: number }) => ({
      RSSI: r(rssiDbm, 'int'),
      'X_ALU-COM_SNR': r(90 + rssiDbm, 'int'),
      OperatingStandard: r('n'),
      LastDataTransmitRate: '72',
    }),
  }
}
