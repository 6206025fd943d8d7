import type { VendorFamily } from './family.ts'
import {
  connectionIpv6,
  connectionVlan,
  cpu,
  IGD,
  INFO,
  IP,
  linkVlan,
  memoryUse,
  onuSerial,
  optics,
  PPP,
  place,
  stationCount,
  stationRateInKbps,
  USUAL_OPTICS,
  WAN,
  WCD,
  WLAN,
  width,
} from './places.ts'

const LINK = 'X_FH_WANGponLinkConfig.'
const EVIDENCE = '4 lineages, 4 models, live'

/** FiberHome ONTs (X_FH_). */
export const FIBERHOME: VendorFamily = {
  name: 'fiberhome',
  prefixes: ['X_FH_'],
  kind: 'maker',
  rows: [
    ...optics(`${WAN}X_FH_GponInterfaceConfig.`, USUAL_OPTICS, { evidence: '9 lineages, 3 models, live' }),
    ...optics(`${WAN}X_FH_EponInterfaceConfig.`, USUAL_OPTICS, { rank: 2, evidence: '1 lineage, live' }),
    ...connectionVlan('VLANID', { family: 'fiberhome', evidence: 'HG6145D2, HG6145F, HG6543C, live' }),
    ...linkVlan(LINK, 'VLANID', { rank: 2, evidence: EVIDENCE }),
    // A link with both names holds the VLAN in both, and both are written.
    ...linkVlan(LINK, 'VLANIDMark', { rank: 3, evidence: EVIDENCE }).map((row) => ({
      ...row,
      writeAlso: true as const,
    })),
    ...connectionVlan('X_FH_VLANID', { rank: 4, evidence: 'not seen on a device' }),
    ...connectionIpv6(
      { address: 'X_FH_IPv6IPAddress', prefix: 'X_FH_IPv6Prefix' },
      { evidence: '28 models of several makers' },
    ),
    cpu('X_FH_CpuUsed', { rank: 2, evidence: 'HG6543C' }),
    memoryUse('X_FH_MemUsed', { evidence: 'HG6543C' }),
    stationRateInKbps({ family: 'fiberhome', evidence: '14 models of several makers' }),
    ...onuSerial(`${INFO}SerialNumber`, { family: 'fiberhome', evidence: '4 lineages' }),
    place(`${WLAN}RegulatoryDomain`, 'Device.WiFi.Radio.{i}.RegulatoryDomain', {
      transform: 'regionName',
      writable: true,
      agg: 'first',
      rank: 0,
      family: 'fiberhome',
      evidence: 'list: BRAZIL, FCC',
    }),
    stationCount('WLAN_AssociatedDeviceNumberOfEntries', { rank: 2, evidence: '2 lineages' }),
    // RadioEnabled reads false always; a write of Enable would turn networks on that are off.
    place(`${WLAN}Enable`, 'Device.WiFi.Radio.{i}.Enable', {
      agg: 'any',
      copy: true,
      rank: 0,
      family: 'fiberhome',
      evidence: '2 lineages, live',
    }),
    place(`${WLAN}SSIDAdvertisementEnabled`, 'Device.WiFi.AccessPoint.{i}.SSIDAdvertisementEnabled', {
      transform: 'boolNot',
      writable: true,
      rank: 0,
      family: 'fiberhome',
      models: ['HG6143D'],
      evidence: '1 model',
    }),
    width('Bandwidth', 'wlanWidth3124x', { family: 'fiberhome', models: ['SR120-A'], evidence: '1 model' }),
  ],
  layouts: [{ '2.4GHz': [1, 2, 3, 4], '5GHz': [5, 6, 7, 8], evidence: '15 lineages, 49 models' }],
  quirks: {
    parameters: [
      ...[PPP, IP].map((on) => ({
        on: `${on}VLANID`,
        after: [{ param: 'X_FH_LanInterface', shown: true as const }],
        evidence: 'live: without a binding no traffic',
      })),
      ...['VLANID', 'VLANIDMark'].map((leaf) => ({
        on: `${WCD}${LINK}${leaf}`,
        before: [
          { param: 'Enable', value: '1' },
          { param: 'Mode', shown: true as const },
        ],
        evidence: '2 lineages, which write Mode 1 or 2',
      })),
      { on: `${WLAN}Bandwidth`, models: ['SR120-A'], type: 'unsignedInt', evidence: '1 model' },
      {
        on: `${WLAN}RadioEnabled`,
        refuses: { fault: 9001, why: 'the device reads false always and ignores a write', instead: `${WLAN}Enable` },
        evidence: '2 lineages, live',
      },
      { on: `${IGD}X_FH_Remoteweblogin.webloginenable`, type: 'string', evidence: '3 lineages' },
      ...['WebUsername', 'WebPassword'].map((leaf) => ({
        on: `${IGD}DeviceInfo.X_FH_Account.X_FH_WebUserInfo.${leaf}`,
        refuses: {
          fault: 9008 as const,
          why: 'the device takes the name and password of the administrator alone',
          instead: `${IGD}DeviceInfo.X_FH_Account.X_FH_WebUserInfo.${leaf.replace('Web', 'WebSuper')}`,
        },
        evidence: '2 lineages',
      })),
    ],
    objects: [
      ...[PPP, IP].map((on) => ({
        on,
        values: [
          { param: 'WanIndex', free: [1, 16] as const },
          { param: 'X_FH_ServiceList', value: 'INTERNET' },
          {
            param: 'X_FH_LanInterface',
            value: `${IGD}LANDevice.1.LANEthernetInterfaceConfig.1,${IGD}LANDevice.1.WLANConfiguration.1`,
          },
        ],
        pauseMs: 1000,
        evidence: '2 lineages, live: without a binding no traffic',
      })),
      {
        on: WCD,
        pauseMs: 1000,
        needs: ['WANPPPConnection.', 'WANIPConnection.'],
        evidence: '2 lineages: one without a connection blocks its WanIndex',
      },
    ],
  },
}
