import { parsePair, parseRateKbps, parseSignal } from '../../routeros/index.ts'
import { inverted, isTrue, mac } from './conversions.ts'
import type { Conversion, Join, ParameterMapping, Text } from './declaration.ts'
import { stats } from './ethernet.ts'
import { fixed, kept, reference, rowsWith, shown, shownDate, shownFrom } from './parameters.ts'
import { RADIO, SSID } from './tables.ts'
import {
  bandAt,
  bandOf,
  channelOf,
  configuredWidth,
  currentChannelOf,
  onlyFrequency,
  standardsOf,
  widthName,
} from './wifi-forms.ts'

/** Counters of the interface of a network. */
export const COUNTERS: Join = { menu: '/interface', match: { own: 'name', theirs: 'name' } }
/** Security modes that every driver has. */
export const MODES =
  'None,WPA-Personal,WPA2-Personal,WPA-WPA2-Personal,WPA-Enterprise,WPA2-Enterprise,WPA-WPA2-Enterprise'

/** Parameters of a radio that come from its channel, whatever the driver calls its properties. */
export function channelParameters(
  frequency: string,
  band: string,
  width: string,
  current: string,
  from: typeof shownFrom,
) {
  const megahertz = (present: Text, configured: Text) =>
    currentChannelOf(present)?.megahertz ?? onlyFrequency(configured)
  return {
    // A radio that is off and chooses its channel itself has none: the first of its band stands for it.
    Channel: from([current, frequency, band], ([present, configured, mode]) => {
      const found = megahertz(present, configured)
      return (found === undefined ? undefined : channelOf(found)) ?? (bandOf(mode) === '5GHz' ? '36' : '1')
    }),
    AutoChannelSupported: fixed('true'),
    AutoChannelEnable: from([frequency], ([configured]) => String(onlyFrequency(configured) === undefined)),
    OperatingFrequencyBand: from([band, current, frequency], ([mode, present, configured]) => {
      const found = megahertz(present, configured)
      return bandOf(mode) ?? (found === undefined ? undefined : bandAt(found))
    }),
    OperatingStandards: from([band], ([mode]) => standardsOf(mode)),
    OperatingChannelBandwidth: from([width], ([text]) => configuredWidth(text)),
    CurrentOperatingChannelBandwidth: from([current], ([present]) => {
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
  return { read: (text) => parsePair(text ?? '')?.[index].toString() }
}

/** Parameters of a station; `signal` is the property with its signal. */
export function stationParameters(signal: string): Record<string, ParameterMapping> {
  return {
    MACAddress: shown('mac-address', mac),
    SignalStrength: shown(signal, SIGNAL),
    LastDataDownlinkRate: shown('tx-rate', RATE),
    LastDataUplinkRate: shown('rx-rate', RATE),
    AssociationTime: shownDate('uptime', -1),
    Active: fixed('true'),
    'Stats.BytesSent': shown('bytes', half(0)),
    'Stats.BytesReceived': shown('bytes', half(1)),
    'Stats.PacketsSent': shown('packets', half(0)),
    'Stats.PacketsReceived': shown('packets', half(1)),
  }
}

/** Parameters of an SSID but its name and status. */
export const SSID_PARAMETERS: Record<string, ParameterMapping> = {
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

/** Parameters of an access point that all drivers have. */
export const ACCESS_POINT_PARAMETERS: Record<string, ParameterMapping> = {
  Enable: kept('disabled', inverted),
  Status: shownFrom(['disabled'], ([disabled]) => (isTrue(disabled) ? 'Disabled' : 'Enabled')),
  SSIDReference: reference('name', [SSID]),
}

/** The test for interfaces that are radios; others share one. */
export const isRadio = rowsWith(['master-interface'], ({ 'master-interface': master }) => !isNamed(master))

/** Returns true for a name, and not for the words of RouterOS for none. */
export function isNamed(text: Text): boolean {
  return text !== undefined && text !== '' && text !== 'none'
}
