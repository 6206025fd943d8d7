import { STATION, WLAN } from '../tree/linked.ts'
import { itemsOf } from '../tree/raw-tree.ts'
import { lastNumber } from '../tree/schema.ts'
import type { Derived, DerivedContext } from './derived.ts'
import { always, refers } from './shared.ts'

const SSID = 'Device.WiFi.SSID.{i}.'
const ACCESS_POINT = 'Device.WiFi.AccessPoint.{i}.'
const RADIO = 'Device.WiFi.Radio.{i}.'
const CATEGORIES = ['BE', 'BK', 'VI', 'VO']

/** Derived parameters of the radios, networks and stations. */
export const WLAN_DERIVED: readonly Derived[] = [
  refers(`${SSID}LowerLayers`, WLAN, 'Device.WiFi.Radio.'),
  always(`${SSID}Upstream`, WLAN, 'false'),
  refers(`${ACCESS_POINT}SSIDReference`, WLAN, 'Device.WiFi.SSID.'),
  {
    to: `${ACCESS_POINT}Security.ModesSupported`,
    from: WLAN,
    needs: ['BeaconType', 'BasicEncryptionModes', 'WPAAuthenticationMode', 'IEEE11iAuthenticationMode'],
    value: supportedModes,
  },
  { to: `${RADIO}OperatingFrequencyBand`, from: WLAN, needs: ['Channel', 'PossibleChannels', 'Standard'], value: band },
  {
    to: `${RADIO}SupportedFrequencyBands`,
    from: WLAN,
    needs: ['Channel', 'PossibleChannels', 'Standard'],
    value: band,
  },
  {
    to: `${RADIO}AutoChannelSupported`,
    from: WLAN,
    needs: ['AutoChannelEnable', 'Channel'],
    value: ({ object, tree }) =>
      tree.value(`${object}AutoChannelEnable`) !== undefined || tree.value(`${object}Channel`) === '0'
        ? 'true'
        : undefined,
  },
  { to: `${RADIO}SupportedStandards`, from: WLAN, value: supportedStandards },
  always(`${RADIO}Upstream`, WLAN, 'false'),
  always(`${ACCESS_POINT}AssociatedDevice.{i}.Active`, STATION, 'true'),
  {
    to: `${ACCESS_POINT}AC.{i}.AccessCategory`,
    from: `${WLAN}APWMMParameter.{i}.`,
    value: ({ row }) => CATEGORIES[Number(lastNumber(row)) - 1],
  },
  {
    to: `${ACCESS_POINT}AssociatedDeviceNumberOfEntries`,
    from: WLAN,
    value: ({ row, links }) => String(links.rowsIn(`${row}AssociatedDevice.`).length),
  },
]

/** The band is what the networks of a radio were joined by. */
function band({ row, links }: DerivedContext): string | undefined {
  const key = links.keyOf(row)
  return BANDS.find((own) => key?.endsWith(`.${own}`) === true)
}

const BANDS = ['2.4GHz', '5GHz', '6GHz']

const STANDARD_LISTS = ['SupportedStandards', 'PossibleStandards', 'StandardsSupported']

/** TR-098 has no list of the standards that a radio can be set to; some vendors do. */
function supportedStandards({ object, tree }: DerivedContext): string | undefined {
  const name = tree.children(object).find((child) => STANDARD_LISTS.some((ending) => child.endsWith(ending)))
  return name === undefined ? undefined : itemsOf(tree.value(object + name)).join(',')
}

/** Lists of modes by vendors, in their own words of BeaconType. */
const VENDOR_LISTS = ['PossibleBeaconTypes', 'BeaconTypeSupported']
const BY_WORD: Record<string, string> = {
  None: 'None',
  Basic: 'None',
  WPA: 'WPA-Personal',
  '11i': 'WPA2-Personal',
  WPA2: 'WPA2-Personal',
  WPAand11i: 'WPA-WPA2-Personal',
  WPA3: 'WPA3-Personal',
  '11iandWPA3': 'WPA3-Personal-Transition',
}

function supportedModes({ object, row, tree, evaluate }: DerivedContext): string {
  const modes = new Set<string>()
  const vendor = tree.children(object).find((name) => VENDOR_LISTS.some((ending) => name.endsWith(ending)))
  if (vendor !== undefined) {
    for (const word of (tree.value(object + vendor) ?? '').split(',')) {
      const mode = BY_WORD[word.trim()]
      if (mode !== undefined) modes.add(mode)
    }
  }
  if (modes.size === 0) {
    const has = (name: string) => tree.value(object + name) !== undefined
    modes.add('None')
    if (has('BasicEncryptionModes')) for (const mode of ['WEP-64', 'WEP-128']) modes.add(mode)
    const wpa = has('WPAAuthenticationMode')
    const wpa2 = has('IEEE11iAuthenticationMode')
    for (const kind of ['Personal', 'Enterprise']) {
      if (wpa) modes.add(`WPA-${kind}`)
      if (wpa2) modes.add(`WPA2-${kind}`)
      if (wpa && wpa2) modes.add(`WPA-WPA2-${kind}`)
    }
  }
  const used = evaluate(`${row}Security.ModeEnabled`)
  if (used !== undefined) modes.add(used)
  return [...modes].join(',')
}
