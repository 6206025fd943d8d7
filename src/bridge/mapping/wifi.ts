import { parseSignal } from '../../routeros/index.ts'
import { atMost, integer, inverted, isTrue, truth, wordIn } from './conversions.ts'
import type { Conversion, Join, ObjectMapping, ParameterMapping, Text } from './declaration.ts'
import { everyRow, firstOf, fixed, kept, orElse, rowsWith, shown, shownFrom } from './parameters.ts'
import { ACCESS_POINT, RADIO, SSID, STATION } from './tables.ts'
import { authenticationTypes, bandsIn, newestStandard, securityMode } from './wifi-forms.ts'
import {
  ACCESS_POINT_PARAMETERS,
  COUNTERS,
  channelParameters,
  isNamed,
  isRadio,
  MODES,
  SSID_PARAMETERS,
  stationParameters,
} from './wifi-parameters.ts'

const NEW_MODES = `${MODES},WPA3-Personal,WPA3-Personal-Transition,WPA3-Enterprise,OWE`
const PROTECTION: Readonly<Record<string, string>> = { disabled: 'Disabled', allowed: 'Optional', required: 'Required' }

/** A key: it reads empty, always. */
function secretIn(property: string): ParameterMapping {
  return { from: [], read: () => '', write: { properties: (value) => ({ [property]: value }) } }
}

/** An access point without stations does not run in the words of RouterOS; it is up all the same. */
const WIFI_STATUS = shownFrom(['disabled', 'inactive'], ([disabled, inactive]) =>
  isTrue(disabled) ? 'Down' : isTrue(inactive) ? 'LowerLayerDown' : 'Up',
)

/** Interfaces of CAPs, and networks that a manager gives, are made anew by provisioning: their profiles are to be changed. */
const ownNetwork = rowsWith(
  ['dynamic', 'cap', 'network'],
  ({ dynamic, cap, network }) => !isTrue(dynamic) && !isNamed(cap) && !isNamed(network),
)

/** Returns a parameter that is read from the values of properties that hold, be they of the row or of its profiles. */
function effectively(properties: readonly string[], read: ParameterMapping['read']): ParameterMapping {
  const places = properties.map((property) => (property.includes(':') ? [property] : [`actual:${property}`, property]))
  const all = places.flat()
  return shownFrom(all, (texts, context) => {
    const textOf = new Map(all.map((place, i) => [place, texts[i]]))
    const holding = places.map((some) => some.map((place) => textOf.get(place)).find((text) => text !== undefined))
    return read(holding, context)
  })
}

/** Returns a parameter that is read so, and written to the row itself. */
function keptEffective(property: string, conversion: Required<Conversion>): ParameterMapping {
  const { write } = kept(property, conversion)
  return { ...effectively([property], ([text], context) => conversion.read(text, context)), ...(write && { write }) }
}

/** Security of a network that a manager gives is not known here. */
function unlessManaged(parameter: ParameterMapping): ParameterMapping {
  const read: ParameterMapping['read'] = (texts, context) =>
    isNamed(texts.at(-1)) ? undefined : parameter.read(texts.slice(0, -1), context)
  return { ...parameter, from: [...parameter.from, 'cap'], read }
}

/** Rows of the drivers `wifi` (from 7.13) and `wifiwave2` (before): they differ in the path of their menus alone. */
function wifi(menu: string): ObjectMapping[] {
  const source = { menu }
  const radio: Join = { menu: `${menu}/radio`, match: { own: 'name', theirs: 'interface' } }
  const current: Join = { menu, monitor: everyRow, match: { own: '.id', theirs: '.id' } }
  /** Values that a row has from its profiles: up to 7.14 they are in a menu of their own. */
  const actual: Join = { menu: `${menu}/actual-configuration`, match: { own: 'name', theirs: 'name' } }
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
        ...channelParameters('channel.frequency', 'channel.band', 'channel.width', 'current:channel', effectively),
        TransmitPower: effectively(['configuration.tx-power', 'radio:current-max-reg-power'], percentOf),
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
        'Security.ModesSupported': fixed(NEW_MODES),
        SSIDAdvertisementEnabled: keptEffective('configuration.hide-ssid', inverted),
        IsolationEnable: keptEffective('datapath.client-isolation', truth),
        MaxAllowedAssociations: orElse('0', keptEffective('configuration.max-clients', integer(0, 2 ** 31 - 1))),
        'Security.ModeEnabled': unlessManaged(
          keptEffective('security.authentication-types', { read: securityMode, write: authenticationTypes }),
        ),
        'Security.KeyPassphrase': secretIn('security.passphrase'),
        'Security.SAEPassphrase': secretIn('security.passphrase'),
        'Security.MFPConfig': keptEffective('security.management-protection', {
          read: (text) => wordIn(PROTECTION, text ?? 'disabled'),
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

/** Wi-Fi of the drivers `wifi` and `wifiwave2`. */
export const WIFI_OBJECTS = [...wifi('/interface/wifi'), ...wifi('/interface/wifiwave2')]

/** Transmit power as percent of the most that the country allows; -1 where the driver chooses it. */
function percentOf([power, most]: readonly Text[]): Text {
  if (power === undefined || power === '') return '-1'
  const [own, max] = [parseSignal(power ?? ''), parseSignal(most ?? '')]
  if (own === undefined || max === undefined) return undefined
  return String(Math.min(100, Math.max(1, Math.round(10 ** ((own - max) / 10) * 100))))
}
