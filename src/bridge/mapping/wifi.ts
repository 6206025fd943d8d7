import { parseRateKbps, parseSignal } from '../../routeros/index.ts'
import { atMost, counter64, dateAt, integer, inverted, isTrue, mac, truth } from './conversions.ts'
import type { Join, ObjectMapping, ParameterMapping, Text } from './declaration.ts'
import { stats } from './ethernet.ts'
import {
  type Conversion,
  everyRow,
  firstOf,
  fixed,
  kept,
  orElse,
  reference,
  rowsWith,
  shown,
  shownFrom,
} from './parameters.ts'
import { ACCESS_POINT, RADIO, SSID, STATION } from './tables.ts'
import {
  authenticationTypes,
  bandAt,
  bandOf,
  bandsIn,
  channelOf,
  configuredWidth,
  currentChannelOf,
  newestStandard,
  onlyFrequency,
  securityMode,
  standardsOf,
  widthName,
} from './wifi-forms.ts'

const COUNTERS: Join = { menu: '/interface', match: { own: 'name', theirs: 'name' } }
const MODES_SUPPORTED =
  'None,WPA-Personal,WPA2-Personal,WPA3-Personal,WPA-WPA2-Personal,WPA3-Personal-Transition,WPA2-Enterprise,WPA3-Enterprise,OWE'
const PROTECTION: Readonly<Record<string, string>> = { disabled: 'Disabled', allowed: 'Optional', required: 'Required' }

/** A key: it reads empty, always. */
function secretIn(property: string): ParameterMapping {
  return { from: [], read: () => '', write: { properties: (value) => ({ [property]: value }) } }
}

/** Parameters of a radio that come from its channel, whatever the driver calls its properties. */
function channelParameters(frequency: string, band: string, width: string, current: string) {
  const megahertz = (present: Text, configured: Text) =>
    currentChannelOf(present)?.megahertz ?? onlyFrequency(configured)
  return {
    // A radio that is off and chooses its channel itself has none: the first of its band stands for it.
    Channel: shownFrom([current, frequency, band], ([present, configured, mode]) => {
      const found = megahertz(present, configured)
      return (found === undefined ? undefined : channelOf(found)) ?? (bandOf(mode) === '5GHz' ? '36' : '1')
    }),
    AutoChannelSupported: fixed('true'),
    AutoChannelEnable: shownFrom([frequency], ([configured]) => String(onlyFrequency(configured) === undefined)),
    OperatingFrequencyBand: shownFrom([band, current, frequency], ([mode, present, configured]) => {
      const found = megahertz(present, configured)
      return bandOf(mode) ?? (found === undefined ? undefined : bandAt(found))
    }),
    OperatingStandards: shownFrom([band], ([mode]) => standardsOf(mode)),
    OperatingChannelBandwidth: shownFrom([width], ([text]) => configuredWidth(text)),
    CurrentOperatingChannelBandwidth: shownFrom([current], ([present]) => {
      const found = currentChannelOf(present)
      return found === undefined ? undefined : widthName(found.width)
    }),
  }
}

/** A rate in kbit/s; TR-181 has none below 1000. */
const RATE: Conversion = {
  read(text) {
    const kbits = parseRateKbps(text ?? '')
    return kbits === undefined ? undefined : String(Math.max(1000, kbits))
  },
}
const SIGNAL: Conversion = {
  read(text) {
    const dbm = parseSignal(text ?? '')
    return dbm === undefined ? undefined : String(Math.min(0, Math.max(-200, dbm)))
  },
}

/** One half of a pair such as `123,456`: what was sent, or what was received. */
function half(index: 0 | 1): Conversion {
  return { read: (text, context) => counter64.read(text?.split(',')[index], context) }
}

function stationParameters(signal: string): Record<string, ParameterMapping> {
  return {
    MACAddress: shown('mac-address', mac),
    SignalStrength: shown(signal, SIGNAL),
    LastDataDownlinkRate: shown('tx-rate', RATE),
    LastDataUplinkRate: shown('rx-rate', RATE),
    AssociationTime: shownFrom(['uptime'], ([uptime], context) => dateAt(uptime, context, -1)),
    Active: fixed('true'),
    'Stats.BytesSent': shown('bytes', half(0)),
    'Stats.BytesReceived': shown('bytes', half(1)),
    'Stats.PacketsSent': shown('packets', half(0)),
    'Stats.PacketsReceived': shown('packets', half(1)),
  }
}

/** An access point without stations does not run in the words of RouterOS; it is up all the same. */
const WIFI_STATUS = shownFrom(['disabled', 'inactive'], ([disabled, inactive]) =>
  isTrue(disabled) ? 'Down' : isTrue(inactive) ? 'LowerLayerDown' : 'Up',
)
const WIRELESS_STATUS = shownFrom(['disabled', 'running', 'mode'], ([disabled, running, mode]) =>
  isTrue(disabled) ? 'Down' : isTrue(running) || isAccessPoint(mode) ? 'Up' : 'LowerLayerDown',
)

/** Parameters of an SSID but its name and status. */
const SSID_PARAMETERS: Record<string, ParameterMapping> = {
  Enable: kept('disabled', inverted),
  Name: shown('name'),
  BSSID: shown('mac-address', mac),
  MACAddress: shown('mac-address', mac),
  LowerLayers: {
    from: ['master-interface', 'name'],
    read: ([master, name]) => (isNamed(master) ? master : name),
    refers: [RADIO],
  },
  ...stats('counters'),
}

const ACCESS_POINT_PARAMETERS: Record<string, ParameterMapping> = {
  Enable: kept('disabled', inverted),
  Status: shownFrom(['disabled'], ([disabled]) => (isTrue(disabled) ? 'Disabled' : 'Enabled')),
  SSIDReference: reference('name', [SSID]),
  'Security.ModesSupported': fixed(MODES_SUPPORTED),
}

/** Interfaces of CAPs, and networks that a manager gives, are made anew by provisioning: their profiles are to be changed. */
const ownNetwork = rowsWith(
  ['dynamic', 'cap', 'network'],
  ({ dynamic, cap, network }) => !isTrue(dynamic) && !isNamed(cap) && !isNamed(network),
)

const isRadio = rowsWith(['master-interface'], ({ 'master-interface': master }) => !isNamed(master))

/** Rows of the drivers `wifi` (from 7.13) and `wifiwave2` (before): they differ in the path of their menus alone. */
function wifi(menu: string): ObjectMapping[] {
  const source = { menu }
  const radio: Join = { menu: `${menu}/radio`, match: { own: 'name', theirs: 'interface' } }
  const current: Join = { menu, monitor: everyRow, match: { own: '.id', theirs: '.id' } }
  /** Values that a row has from its profiles: up to 7.14 they are in a menu of their own. */
  const actual: Join = { menu: `${menu}/actual-configuration`, match: { own: 'name', theirs: 'name' } }
  const effective = (property: string, conversion: Conversion): ParameterMapping =>
    shownFrom([`actual:${property}`, property], ([real, own], context) => conversion.read(real ?? own, context))
  const keptEffective = (property: string, conversion: Required<Conversion>): ParameterMapping => {
    const { write } = kept(property, conversion)
    return { ...effective(property, conversion), ...(write && { write }) }
  }
  const key = firstOf('mac-address', 'name')
  return [
    {
      object: RADIO,
      needs: [menu],
      source,
      joins: { radio, current, actual },
      table: {
        key: firstOf('radio-mac', 'default-name', 'name'),
        called: firstOf('name'),
        where: isRadio,
        mayChange: ownNetwork,
      },
      parameters: {
        Enable: kept('disabled', inverted),
        Status: WIFI_STATUS,
        Name: shown('name'),
        SupportedFrequencyBands: shownFrom(['radio:bands'], ([bands]) => bandsIn(bands)),
        ...channelParameters('channel.frequency', 'channel.band', 'channel.width', 'current:channel'),
        TransmitPower: shownFrom(['configuration.tx-power', 'radio:current-max-reg-power'], percentOf),
      },
    },
    {
      object: SSID,
      needs: [menu],
      source,
      joins: { counters: COUNTERS, actual },
      table: { key, called: firstOf('name'), mayChange: ownNetwork },
      parameters: {
        ...SSID_PARAMETERS,
        Status: WIFI_STATUS,
        SSID: orElse('', keptEffective('configuration.ssid', atMost(32))),
      },
    },
    {
      object: ACCESS_POINT,
      needs: [menu],
      source,
      joins: { actual },
      table: {
        key,
        called: firstOf('name'),
        mayChange: ownNetwork,
        where: rowsWith(['configuration.mode'], (row) => !/^station/.test(row['configuration.mode'] ?? 'ap')),
      },
      parameters: {
        ...ACCESS_POINT_PARAMETERS,
        SSIDAdvertisementEnabled: keptEffective('configuration.hide-ssid', inverted),
        IsolationEnable: keptEffective('datapath.client-isolation', truth),
        MaxAllowedAssociations: orElse('0', keptEffective('configuration.max-clients', integer(0, 2 ** 31 - 1))),
        'Security.ModeEnabled': keptEffective('security.authentication-types', {
          read: securityMode,
          write: authenticationTypes,
        }),
        'Security.KeyPassphrase': secretIn('security.passphrase'),
        'Security.SAEPassphrase': secretIn('security.passphrase'),
        'Security.MFPConfig': keptEffective('security.management-protection', {
          read: (text) => PROTECTION[text ?? 'disabled'],
          write: (value) => Object.keys(PROTECTION).find((name) => PROTECTION[name] === value),
        }),
      },
    },
    {
      object: STATION,
      needs: [`${menu}/registration-table`],
      source: { menu: `${menu}/registration-table` },
      table: { key: firstOf('mac-address'), called: firstOf('mac-address'), parent: firstOf('interface') },
      parameters: {
        ...stationParameters('signal'),
        AuthenticationState: shownFrom(['authorized'], ([authorized]) =>
          String(authorized === undefined || isTrue(authorized)),
        ),
        OperatingStandard: shownFrom(['band'], ([band]) => newestStandard(band)),
      },
    },
  ]
}

/** Rows of the driver `wireless`, in version 6 and as a package in version 7. */
function wireless(): ObjectMapping[] {
  const menu = '/interface/wireless'
  const source = { menu }
  const current: Join = { menu, monitor: everyRow, match: { own: '.id', theirs: '.id' } }
  const profile: Join = { menu: `${menu}/security-profiles`, match: { own: 'security-profile', theirs: 'name' } }
  return [
    {
      object: RADIO,
      needs: [menu],
      source,
      joins: { current },
      table: { key: firstOf('default-name', 'name'), called: firstOf('name'), where: isRadio },
      parameters: {
        Enable: kept('disabled', inverted),
        Status: WIRELESS_STATUS,
        Name: shown('name'),
        ...channelParameters('frequency', 'band', 'channel-width', 'current:channel'),
        TransmitPower: shownFrom(['tx-power'], ([power]) => (power === undefined || power === '' ? '-1' : undefined)),
      },
    },
    {
      object: SSID,
      needs: [menu],
      source,
      joins: { counters: COUNTERS },
      table: { key: firstOf('mac-address', 'name'), called: firstOf('name') },
      parameters: { ...SSID_PARAMETERS, Status: WIRELESS_STATUS, SSID: orElse('', kept('ssid', atMost(32))) },
    },
    {
      object: ACCESS_POINT,
      needs: [menu],
      source,
      joins: { profile },
      table: {
        key: firstOf('mac-address', 'name'),
        called: firstOf('name'),
        where: rowsWith(['mode'], ({ mode }) => isAccessPoint(mode)),
      },
      parameters: {
        ...ACCESS_POINT_PARAMETERS,
        SSIDAdvertisementEnabled: kept('hide-ssid', inverted),
        IsolationEnable: kept('default-forwarding', inverted),
        MaxAllowedAssociations: orElse('0', kept('max-station-count', integer(0, 2 ** 31 - 1))),
        'Security.ModeEnabled': shownFrom(['profile:mode', 'profile:authentication-types'], profileMode),
        'Security.KeyPassphrase': fixed(''),
      },
    },
    {
      object: STATION,
      needs: [`${menu}/registration-table`],
      source: { menu: `${menu}/registration-table` },
      table: {
        key: firstOf('mac-address'),
        called: firstOf('mac-address'),
        parent: firstOf('interface'),
        // A row with `ap` is the access point that a station of this router has joined.
        where: rowsWith(['ap'], ({ ap }) => !isTrue(ap)),
      },
      parameters: {
        ...stationParameters('signal-strength'),
        AuthenticationState: shownFrom(['802.1x-port-enabled'], ([open]) => String(open === undefined || isTrue(open))),
        SNR: shown('signal-to-noise', integer(0, 200)),
      },
    },
  ]
}

export const WIFI_OBJECTS = [...wifi('/interface/wifi'), ...wifi('/interface/wifiwave2'), ...wireless()]

/** Returns true for a mode of the driver `wireless` in which others may join. */
function isAccessPoint(mode: Text): boolean {
  return mode === undefined || !/^(station|nstreme|alignment)/.test(mode)
}

function isNamed(text: Text): boolean {
  return text !== undefined && text !== '' && text !== 'none'
}

/** Transmit power as percent of the most that the country allows; -1 where the driver chooses it. */
function percentOf([power, most]: readonly Text[]): Text {
  if (power === undefined || power === '') return '-1'
  const [own, max] = [parseSignal(power ?? ''), parseSignal(most ?? '')]
  if (own === undefined || max === undefined) return undefined
  return String(Math.min(100, Math.max(1, Math.round(10 ** ((own - max) / 10) * 100))))
}

function profileMode([mode, types]: readonly Text[]): Text {
  if (mode === undefined) return undefined
  if (mode === 'none') return 'None'
  return mode === 'dynamic-keys' ? securityMode(types) : 'WEP-128'
}
