import { counter32, type DeviceFamily, moving, r, w } from './family.ts'
import { base, connectionAt, hosts, ipoe, lan, line, network, pppoe, ROOT, WAN } from './igd.ts'

const PPP = 'WANConnectionDevice.1.WANPPPConnection.1.'
const FACTS = {
  manufacturer: 'FiberHome',
  oui: '3CE86E',
  productClass: 'HG6543C',
  model: 'HG6543C',
  hardwareVersion: 'WKE2.094.440F01',
  softwareVersions: ['RP0609', 'RP0612'],
} as const

/** FiberHome HG6543C: texts in dBm, an unused EPON container, keys in the clear, and a radio that says it is off. */
export const FIBERHOME_ONT: DeviceFamily = {
  ...FACTS,
  sentence: 'FiberHome HG6543C, GPON: an empty EPON container, RadioEnabled always false',
  root: ROOT,
  version: '1.0',
  serial: (seed, index) => `FHTT${String(seed).padStart(3, '0')}${index.toString(16).toUpperCase().padStart(5, '0')}`,
  habits: ['radioLies'],
  connection: connectionAt(PPP),
  tree: (home) => ({
    ...base(FACTS, home, { X_FH_CpuUsed: moving(home, 23, 8, (level) => level.toFixed(0)), X_FH_MemUsed: r(61) }),
    'DeviceInfo.X_FH_Account.X_FH_WebUserInfo.': {
      WebSuperUsername: w('admin'),
      WebSuperPassword: w(''),
      WebUsername: w('user'),
      WebPassword: w(''),
    },
    ...lan(home, 4, '192.168.1.'),
    ...hosts(home, () => ''),
    ...network(home, { row: 1, ssid: home.ssid, band: '2.4GHz', channel: 9, ...wifi('b,g,n', '40MHz', home.wifiKey) }),
    ...network(home, {
      row: 2,
      ssid: 'guest',
      band: '2.4GHz',
      channel: 9,
      off: true,
      ...wifi('b,g,n', '40MHz', 'guest123'),
    }),
    ...network(home, { row: 5, ssid: home.ssid5, band: '5GHz', channel: 36, ...wifi('a,n,ac', '80MHz', home.wifiKey) }),
    ...line(home, 'GPON', PPP.slice(0, -1)),
    [`${WAN}X_FH_GponInterfaceConfig.`]: {
      Status: r('Up'),
      RXPower: moving(home, home.rxDbm, 0.3, (dbm) => dbm.toFixed(2)),
      TXPower: r(home.txDbm.toFixed(2)),
      TransceiverTemperature: moving(home, home.temperatureC, 2, (c) => c.toFixed(0)),
    },
    [`${WAN}X_FH_GponInterfaceConfig.Stats.`]: {
      BytesSent: counter32(home, 11_000),
      BytesReceived: counter32(home, 95_000),
    },
    [`${WAN}X_FH_EponInterfaceConfig.`]: {
      Status: r(''),
      RXPower: r(''),
      TXPower: r(''),
      TransceiverTemperature: r(''),
    },
    ...pppoe(home, {
      at: PPP,
      name: `1_TR069_INTERNET_R_VID_${home.vlan}`,
      more: {
        VLANID: w(home.vlan, 'unsignedInt'),
        WanIndex: w(1, 'unsignedInt'),
        X_FH_ServiceList: w('TR069_INTERNET'),
        X_FH_LanInterface: w(`${ROOT}LANDevice.1.LANEthernetInterfaceConfig.1,${ROOT}LANDevice.1.WLANConfiguration.1`),
      },
    }),
    ...ipoe(home, {
      at: 'WANConnectionDevice.2.WANIPConnection.1.',
      name: '2_IPTV_B_VID_301',
      more: {
        ConnectionType: w('IP_Bridged'),
        ExternalIPAddress: '0.0.0.0',
        VLANID: w(301, 'unsignedInt'),
        WanIndex: w(2, 'unsignedInt'),
        X_FH_ServiceList: w('IPTV'),
      },
    }),
  }),
}

function wifi(standard: string, width: string, key: string) {
  return {
    standard,
    more: { BeaconType: w('11i'), BandWidth: w(width), KeyPassphrase: w(key) },
    station: ({ rssiDbm }: { rssiDbm: number }) => ({
      AssociatedDeviceRSSI: r(rssiDbm, 'int'),
      AssociatedDeviceTxRate: r('433'),
      LastDataTransmitRate: w('433300'),
    }),
  }
}
