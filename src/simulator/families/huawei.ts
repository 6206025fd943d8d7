import { counter32, type DeviceFamily, moving, r, w } from './family.ts'
import { base, connectionAt, hosts, ipoe, LAN, lan, layer2Of, line, network, pppoe, ROOT, WAN } from './igd.ts'

const PPP = 'WANConnectionDevice.2.WANPPPConnection.1.'
const FACTS = {
  manufacturer: 'Huawei Technologies Co., Ltd',
  oui: '00259E',
  productClass: 'HG8145V5',
  model: 'HG8145V5',
  hardwareVersion: '15AD.A',
  softwareVersions: ['V5R019C10S125', 'V5R020C00S115'],
} as const

/** Huawei HG8145V5: the optical container has the misspelt name, levels are whole dBm, the key is in PreSharedKey. */
export const HUAWEI_ONT: DeviceFamily = {
  ...FACTS,
  sentence: 'Huawei HG8145V5, GPON: management and internet in two connections, keys read empty',
  root: ROOT,
  version: '1.0',
  serial: (seed, index) => `48575443${hex(seed)}${hex(index)}`,
  connection: connectionAt(PPP),
  tree: (home) => ({
    ...base(FACTS, home, {
      Description: 'OptiXstar HG8145V5 GPON Terminal',
      X_HW_CpuUsed: moving(home, 14, 6, whole),
      X_HW_MemUsed: r(43),
      X_HW_UpPortMode: r(1),
    }),
    ...lan(home, 4, '192.168.1.', { X_HW_L3Enable: w('true', 'boolean') }),
    ...hosts(home, layer2Of(1, 5)),
    ...network(home, { row: 1, ssid: home.ssid, band: '2.4GHz', channel: 6, ...wifi('11bgn', 0) }),
    ...network(home, { row: 2, ssid: 'guest', band: '2.4GHz', channel: 6, off: true, ...wifi('11bgn', 0) }),
    ...network(home, { row: 5, ssid: home.ssid5, band: '5GHz', channel: 44, ...wifi('11ac', 3) }),
    [`${LAN}WiFi.X_HW_GlobalConfig.`]: {
      BandSteeringPolicy: w('false', 'boolean'),
      BandSteeringCapability: r('true', 'boolean'),
    },
    ...line(home, 'GPON', PPP.slice(0, -1)),
    [`${WAN}X_GponInterafceConfig.`]: {
      Status: r('Up'),
      TXPower: r(Math.round(home.txDbm), 'int'),
      RXPower: moving(home, home.rxDbm, 0.8, whole, 'int'),
      TransceiverTemperature: moving(home, home.temperatureC, 2, whole, 'int'),
      SupplyVoltage: r(3338, 'int'),
      BiasCurrent: r(12, 'int'),
    },
    [`${WAN}X_GponInterafceConfig.Stats.`]: {
      BytesSent: counter32(home, 11_000),
      BytesReceived: counter32(home, 95_000),
      FECError: r(0, 'unsignedInt'),
      HECError: r(0, 'unsignedInt'),
    },
    ...ipoe(home, {
      at: 'WANConnectionDevice.1.WANIPConnection.1.',
      name: '1_TR069_R_VID_46',
      more: vendor(46, 'TR069'),
    }),
    ...pppoe(home, { at: PPP, name: `2_INTERNET_R_VID_${home.vlan}`, more: vendor(home.vlan, 'INTERNET') }),
    [`${WAN}${PPP}X_HW_LANBIND.`]: {
      Lan1Enable: w('true', 'boolean'),
      Lan2Enable: w('true', 'boolean'),
      SSID1Enable: w('true', 'boolean'),
      SSID5Enable: w('true', 'boolean'),
    },
    'UserInterface.X_HW_WebUserInfo.1.': { UserName: w('root'), Password: w('') },
    'UserInterface.X_HW_WebUserInfo.2.': { UserName: w('telecomadmin'), Password: w('') },
  }),
}

function vendor(vlan: number, service: string) {
  return { X_HW_VLAN: w(vlan, 'unsignedInt'), X_HW_PRI: w(0, 'unsignedInt'), X_HW_SERVICELIST: w(service) }
}

function wifi(standard: string, width: number) {
  return {
    standard,
    more: {
      PossibleChannels: width === 0 ? '1,2,3,4,5,6,7,8,9,10,11,12,13' : '36,40,44,48',
      X_HW_WPAand11iEncryptionModes: w('TKIPandAESEncryption'),
      X_HW_WPAand11iAuthenticationMode: w('PSKAuthentication'),
      X_HW_HT20: w(width, 'unsignedInt'),
      X_HW_AssociateNum: w(32, 'unsignedInt'),
    },
    station: ({ rssiDbm }: { rssiDbm: number }) => ({
      LastDataTransmitRate: '866',
      X_HW_RSSI: r(rssiDbm),
      X_HW_SNR: r(95 + rssiDbm),
      X_HW_Noise: r(-95),
      X_HW_TxRate: r(866),
      X_HW_RxRate: r(702),
      X_HW_WorkingMode: r('11ac'),
    }),
  }
}

function whole(level: number): string {
  return String(Math.round(level))
}

function hex(number: number): string {
  return number.toString(16).toUpperCase().padStart(4, '0')
}
