import { type DeviceFamily, moving, r, w } from './family.ts'
import { base, connectionAt, hosts, lan, line, network, pppoe, ROOT, WAN } from './igd.ts'

const PPP = 'WANConnectionDevice.1.WANPPPConnection.1.'
const FACTS = {
  manufacturer: 'AVM',
  oui: '2C91AB',
  productClass: 'FRITZ!Box',
  model: 'FRITZ!Box 7530',
  hardwareVersion: 'HW236',
  softwareVersions: ['164.07.57', '164.07.29'],
} as const
const PREFIX = '192.168.178.'

/** AVM FRITZ!Box 7530, a DSL router: its modes of encryption take their one value alone, and no station has a level. */
export const AVM_DSL: DeviceFamily = {
  ...FACTS,
  sentence: 'AVM FRITZ!Box 7530, DSL: refuses to change its modes of encryption, stations without a level',
  root: ROOT,
  version: '1.4',
  serial: (seed, index) =>
    `2C91AB${String(seed).padStart(2, '0').slice(-2)}${index.toString(16).toUpperCase().padStart(4, '0')}`,
  habits: ['fixedWifiModes'],
  lanPrefix: PREFIX,
  connection: connectionAt(PPP),
  tree: (home) => ({
    ...base(FACTS, home),
    ...lan(home, 4, PREFIX),
    ...hosts(home, () => ''),
    ...network(home, {
      row: 1,
      ssid: home.ssid,
      band: '2.4GHz',
      channel: 6,
      ...wifi('n', '1,2,3,4,5,6,7,8,9,10,11,12,13'),
    }),
    ...network(home, { row: 2, ssid: home.ssid5, band: '5GHz', channel: 52, ...wifi('ac', '36,40,44,48,52,56,60,64') }),
    ...line(home, 'DSL', PPP.slice(0, -1), {
      Layer1UpstreamMaxBitRate: '46700000',
      Layer1DownstreamMaxBitRate: '292000000',
    }),
    [`${WAN}WANDSLInterfaceConfig.`]: {
      Enable: 'true',
      Status: 'Up',
      LinkEncapsulationUsed: w('G.993.2_Annex_K_PTM'),
      StandardUsed: w('G.993.2_Annex_B'),
      UpstreamCurrRate: '39990',
      DownstreamCurrRate: '249996',
      UpstreamMaxRate: '46700',
      DownstreamMaxRate: '292000',
      UpstreamNoiseMargin: moving(home, 90, 8, (tenths) => tenths.toFixed(0), 'int'),
      DownstreamNoiseMargin: moving(home, 110, 12, (tenths) => tenths.toFixed(0), 'int'),
      UpstreamAttenuation: '132',
      DownstreamAttenuation: '151',
      UpstreamPower: '118',
      DownstreamPower: '132',
    },
    [`${WAN}WANDSLInterfaceConfig.Stats.Total.`]: { CRCErrors: '12', FECErrors: '44871', SeverelyErroredSecs: '3' },
    [`${WAN}WANConnectionDevice.1.WANDSLLinkConfig.`]: { Enable: 'true', LinkStatus: 'Up', LinkType: w('PTM') },
    ...pppoe(home, { at: PPP, name: 'internet', more: { 'X_AVM-DE_EthPrioMark': w(-1, 'int') } }),
  }),
}

function wifi(standard: string, channels: string) {
  return {
    standard,
    keys: { PreSharedKey: '' },
    more: {
      Standard: r(standard),
      BeaconType: w('11i'),
      PossibleChannels: channels,
      'X_AVM-DE_PossibleBeaconTypes': r('None,11i,WPAand11i,WPA3,11iandWPA3'),
    },
    station: () => ({ LastDataTransmitRate: '866' }),
  }
}
