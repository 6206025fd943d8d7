import type { Theme } from './basics.ts'
import { enumeration } from './enumeration.ts'

/** Status words of interfaces, links, connections and entries. */
const STATES: Theme = {
  ifStatus: enumeration({
    map: {
      Up: 'Up',
      NoLink: 'Down',
      Disabled: 'Down',
      Error: 'Error',
      Down: 'Down',
      Initializing: 'Dormant',
      EstablishingLink: 'Dormant',
      NoSignal: 'Down',
      Dialing: 'Dormant',
      Connecting: 'Dormant',
      Unavailable: 'NotPresent',
    },
    otherwise: 'Unknown',
  }),
  physToIfStatus: enumeration({
    map: { Up: 'Up', Down: 'Down', Initializing: 'Dormant', Unavailable: 'NotPresent' },
    otherwise: 'Unknown',
  }),
  connToIfStatus: enumeration({
    map: {
      Connected: 'Up',
      Connecting: 'Dormant',
      Authenticating: 'Dormant',
      PendingDisconnect: 'Up',
      Disconnecting: 'Down',
      // The spelling of TR-098.
      Disconneting: 'Down',
      Disconnected: 'Down',
      Unconfigured: 'Down',
    },
    otherwise: 'Unknown',
  }),
  dslLinkStatus: enumeration({
    map: { Up: 'Up', Down: 'NoSignal', Initializing: 'Initializing', Unavailable: 'NoSignal' },
    otherwise: 'NoSignal',
  }),
  enabledStatus: enumeration({
    map: { Enabled: 'Enabled', Disabled: 'Disabled', Error: 'Error' },
    otherwise: 'Error',
  }),
  fwdStatus: enumeration({ map: { Enabled: 'Enabled', Disabled: 'Disabled', Error: 'Error' } }),
  wlanApStatus: enumeration({ map: { Up: 'Enabled', Error: 'Error', Disabled: 'Disabled' }, otherwise: 'Error' }),
  timeStatus: enumeration({
    map: {
      Disabled: 'Disabled',
      Unsynchronized: 'Unsynchronized',
      Synchronized: 'Synchronized',
      Error_FailedToSynchronize: 'Error',
      Error: 'Error',
    },
  }),
}

/** Words of the configuration of links, addresses, bridges and hosts. */
const WORDS: Theme = {
  addrType4: enumeration({ map: { DHCP: 'DHCP', Static: 'Static', AutoIP: 'AutoIP' }, otherwise: 'Static' }),
  addrTypeToDhcp: enumeration({
    map: { DHCP: 'true', Static: 'false' },
    reverse: { true: 'DHCP', false: 'Static' },
    boolean: true,
  }),
  // PPPoE reads as EoA: a write of EoA leaves a device that has PPPoE alone.
  atmLinkType: enumeration({
    map: { EoA: 'EoA', IPoA: 'IPoA', PPPoA: 'PPPoA', PPPoE: 'EoA', CIP: 'CIP', Unconfigured: 'Unconfigured' },
    reverse: { EoA: 'EoA', IPoA: 'IPoA', PPPoA: 'PPPoA', CIP: 'CIP', Unconfigured: 'Unconfigured' },
  }),
  bridgeStandard: enumeration({
    map: {
      '802.1D': '802.1D-2004',
      '802.1Q': '802.1Q-2005',
      '802.1D-2004': '802.1D-2004',
      '802.1Q-2005': '802.1Q-2005',
    },
    reverse: { '802.1D-2004': '802.1D', '802.1Q-2005': '802.1Q', '802.1Q-2011': '802.1Q' },
  }),
  hostIfType: enumeration({
    map: {
      Ethernet: 'Ethernet',
      USB: 'Other',
      '802.11': 'Wi-Fi',
      HomePNA: 'HPNA',
      HomePlug: 'HomePlug',
      MoCA: 'MoCA',
      Other: 'Other',
      WLAN: 'Wi-Fi',
      WiFi: 'Wi-Fi',
      'Wi-Fi': 'Wi-Fi',
      '802.11a': 'Wi-Fi',
      '802.11b': 'Wi-Fi',
      '802.11g': 'Wi-Fi',
      '802.11n': 'Wi-Fi',
      '802.11ac': 'Wi-Fi',
      '802.11ax': 'Wi-Fi',
    },
    otherwise: 'Other',
  }),
  nonZeroVlan: enumeration({ map: { '-1': '0' }, reverse: { '0': '-1' }, open: true }),
  pppCompression: enumeration({
    map: { None: 'None', 'Van Jacobsen': 'Van Jacobson', 'STAC LZS': 'STAC LZS' },
  }),
}

/** The enumerations of TR-098 whose words differ from those of TR-181. */
export const ENUMERATIONS: Theme = { ...STATES, ...WORDS }
