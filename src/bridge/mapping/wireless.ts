import { atMost, integer, inverted, isTrue } from './conversions.ts'
import type { Join, ObjectMapping, Text } from './declaration.ts'
import { everyRow, firstOf, fixed, kept, orElse, rowsWith, shown, shownFrom } from './parameters.ts'
import { ACCESS_POINT, RADIO, SSID, STATION } from './tables.ts'
import { securityMode } from './wifi-forms.ts'
import {
  ACCESS_POINT_PARAMETERS,
  COUNTERS,
  channelParameters,
  isRadio,
  MODES,
  SSID_PARAMETERS,
  stationParameters,
} from './wifi-parameters.ts'

/** An access point without stations does not run in the words of RouterOS; it is up all the same. */
const WIRELESS_STATUS = shownFrom(['disabled', 'running', 'mode'], ([disabled, running, mode]) =>
  isTrue(disabled) ? 'Down' : isTrue(running) || isAccessPoint(mode) ? 'Up' : 'LowerLayerDown',
)

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
        ...channelParameters('frequency', 'band', 'channel-width', 'current:channel', shownFrom),
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
        'Security.ModesSupported': fixed(MODES),
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

/** Wi-Fi of the driver `wireless`. */
export const WIRELESS_OBJECTS = wireless()

/** Returns true for a mode of the driver `wireless` in which others may join. */
function isAccessPoint(mode: Text): boolean {
  return mode === undefined || !/^(station|nstreme|alignment)/.test(mode)
}

function profileMode([mode, types]: readonly Text[]): Text {
  if (mode === undefined) return undefined
  if (mode === 'none') return 'None'
  return mode === 'dynamic-keys' ? securityMode(types) : 'WEP-128'
}
