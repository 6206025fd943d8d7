import { ACCESS_POINT, RADIO, SSID } from '../mapping/tables.ts'
import { authenticationTypes } from '../mapping/wifi-forms.ts'
import { type Change, type Draft, DraftRefusal } from '../write/draft.ts'
import { type ChangedRow, disabledOf, type ObjectWriter } from '../write/object-writer.ts'

const WIRELESS = '/interface/wireless'
const PROFILES = '/interface/wireless/security-profiles'
type Wifi = '/interface/wifi' | '/interface/wifiwave2'

/** A property of the `wifi` drivers, and of `wireless`, for a parameter. */
interface Setting {
  wifi?(value: string, row: ChangedRow): Change | string
  wireless?(value: string, row: ChangedRow): Change | string
}

const yes = (value: string) => (value === 'true' || value === '1' ? 'yes' : 'no')
const no = (value: string) => disabledOf(value)
const both = (change: (value: string) => Change): Setting => ({ wifi: change, wireless: change })

/** Keys of the two rows that are one key of the router: KeyPassphrase and SAEPassphrase. */
const KEY: Setting = { wifi: (value) => ({ 'security.passphrase': value }) }
const PROTECTION: Readonly<Record<string, string>> = { Disabled: 'disabled', Optional: 'allowed', Required: 'required' }

const SETTINGS: Readonly<Record<string, Setting>> = {
  Enable: both((value) => ({ disabled: no(value) })),
  SSID: { wifi: (value) => ({ 'configuration.ssid': value }), wireless: (value) => ({ ssid: value }) },
  SSIDAdvertisementEnabled: {
    wifi: (value) => ({ 'configuration.hide-ssid': no(value) }),
    wireless: (value) => ({ 'hide-ssid': no(value) }),
  },
  IsolationEnable: {
    wifi: (value) => ({ 'datapath.client-isolation': yes(value) }),
    wireless: (value) => ({ 'default-forwarding': no(value) }),
  },
  MaxAllowedAssociations: {
    wifi: (value) => (value === '0' ? { 'configuration.max-clients': null } : { 'configuration.max-clients': value }),
    wireless: (value) => ({ 'max-station-count': value === '0' ? '2007' : value }),
  },
  'Security.ModeEnabled': {
    wifi: (value) => {
      const types = authenticationTypes(value)
      return types === undefined
        ? 'is a mode that the router does not have'
        : { 'security.authentication-types': types }
    },
  },
  'Security.KeyPassphrase': KEY,
  'Security.SAEPassphrase': KEY,
  'Security.MFPConfig': {
    wifi: (value) => ({ 'security.management-protection': PROTECTION[value] ?? '' }),
  },
  AutoChannelEnable: {
    wifi: (value, row) => (yes(value) === 'yes' ? { 'channel.frequency': null } : channelOf(row, 'wifi')),
    wireless: (value, row) => (yes(value) === 'yes' ? { frequency: 'auto' } : channelOf(row, 'wireless')),
  },
  Channel: { wifi: (_, row) => channelOf(row, 'wifi'), wireless: (_, row) => channelOf(row, 'wireless') },
  OperatingChannelBandwidth: {
    wifi: (value) => (value === 'Auto' ? { 'channel.width': null } : { 'channel.width': WIDTHS[value] ?? '' }),
    wireless: (value) => ({ 'channel-width': WIRELESS_WIDTHS[value] ?? '' }),
  },
}

const WIDTHS: Readonly<Record<string, string>> = {
  '20MHz': '20mhz',
  '40MHz': '20/40mhz',
  '80MHz': '20/40/80mhz',
  '160MHz': '20/40/80/160mhz',
  '80+80MHz': '20/40/80+80mhz',
  '320MHz-1': '20/40/80/160/320mhz',
  '320MHz-2': '20/40/80/160/320mhz',
}
const WIRELESS_WIDTHS: Readonly<Record<string, string>> = {
  '20MHz': '20mhz',
  '40MHz': '20/40mhz-XX',
  '80MHz': '20/40/80mhz-XXXX',
}

/** A channel as a frequency in MHz, by the band of the radio. */
function channelOf({ values }: ChangedRow, driver: 'wifi' | 'wireless'): Change | string {
  const { Channel = '', OperatingFrequencyBand = '' } = values
  const number = Number(Channel)
  const megahertz = frequencyOf(number, OperatingFrequencyBand)
  if (megahertz === undefined) return `is no channel of the band ${OperatingFrequencyBand}`
  return { [driver === 'wifi' ? 'channel.frequency' : 'frequency']: String(megahertz) }
}

function frequencyOf(channel: number, band: string): number | undefined {
  if (!Number.isInteger(channel) || channel < 1) return undefined
  if (band === '2.4GHz') return channel <= 13 ? 2407 + 5 * channel : channel === 14 ? 2484 : undefined
  if (band === '5GHz') return channel >= 32 && channel <= 177 ? 5000 + 5 * channel : undefined
  return band === '6GHz' && channel <= 233 ? 5950 + 5 * channel : undefined
}

function writerOf(object: string, parameters: readonly string[]): ObjectWriter {
  return {
    object,
    parameters,
    checksRow: true,
    async set(row, draft) {
      const { menu } = row.instance
      if (menu === WIRELESS) await setWireless(row, draft)
      else if (menu === '/interface/wifi' || menu === '/interface/wifiwave2') await setWifi(row, menu, draft)
      else throw new DraftRefusal(row.path, 7013, 'this row is not written')
      return undefined
    },
  }
}

/** The changes of all parameters that are given; DraftRefusal for a value that the driver cannot have. */
function changesOf(
  row: ChangedRow,
  driver: 'wifi' | 'wireless',
): { change: Record<string, string | null>; paths: Record<string, string> } {
  const change: Record<string, string | null> = {}
  const paths: Record<string, string> = {}
  // A channel that is chosen by hand ends the automatic choice, whichever is given first.
  const names = Object.keys(row.given).filter(
    (name) => !(name === 'Channel' && yes(row.given.AutoChannelEnable ?? '') === 'yes'),
  )
  for (const name of names) {
    const made = SETTINGS[name]?.[driver]?.(row.given[name] ?? '', row)
    if (made === undefined) continue
    if (typeof made === 'string') throw new DraftRefusal(row.path + name, 7012, made)
    for (const [property, value] of Object.entries(made)) {
      if (change[property] !== undefined && change[property] !== value)
        throw new DraftRefusal(row.path + name, 7012, 'has another value than a parameter for the same setting')
      change[property] = value
      paths[property] = row.path + name
    }
  }
  return { change, paths }
}

/**
 * Interfaces of the `wifi` drivers. All settings of one interface are one command. Rows that a manager makes for its
 * access points are written in their configuration profile, since provisioning makes them anew.
 */
async function setWifi(row: ChangedRow, menu: Wifi, draft: Draft): Promise<void> {
  const { path, instance } = row
  const { change, paths } = changesOf(row, 'wifi')
  const names = ['dynamic', 'configuration', 'configuration.manager', 'cap', 'network']
  const now = await draft.row(instance, menu, path, names)
  if (/capsman/.test(now['configuration.manager'] ?? '') && (now.cap ?? '') !== '' && now.dynamic !== 'true')
    throw new DraftRefusal(path, 7013, 'the radio is managed by CAPsMAN: change it at the manager')
  const isOfManager = now.dynamic === 'true' || (now.network ?? '') !== ''
  if (!isOfManager) return draft.change(menu, instance.match, change, { path, paths })
  const profile = now.configuration ?? ''
  if (profile === '') throw new DraftRefusal(path, 7013, 'the row is made by the router, and has no profile')
  if ('disabled' in change) throw new DraftRefusal(paths.disabled ?? path, 7013, 'the row is made by provisioning')
  const moved = (name: string) => name.replace(/^configuration\./, '')
  const renamed = <T>(all: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(all).map(([name, one]) => [moved(name), one]))
  draft.change(`${menu}/configuration`, { properties: { name: profile } }, renamed(change), {
    path,
    paths: renamed(paths),
  })
}

async function setWireless(row: ChangedRow, draft: Draft): Promise<void> {
  const { path, instance } = row
  const { change, paths } = changesOf(row, 'wireless')
  if (Object.keys(change).length > 0) draft.change(WIRELESS, instance.match, change, { path, paths })
  if (Object.keys(row.given).some((name) => name.startsWith('Security.'))) await setProfile(row, draft)
}

/**
 * Security of the driver `wireless` stands in a profile. One that other interfaces share is left as it is: the interface
 * gets a profile of its own.
 */
async function setProfile(row: ChangedRow, draft: Draft): Promise<void> {
  const { path, instance, given } = row
  const users = await draft.rows.all(WIRELESS, ['name', 'security-profile'])
  const own = await draft.row(instance, WIRELESS, path, ['name', 'security-profile'])
  const profile = own['security-profile'] ?? ''
  const found = await draft.rows.find(PROFILES, { properties: { name: profile } }, ['mode', 'authentication-types'])
  const { change, paths } = profileChange(row)
  const isShared = users.filter((user) => user['security-profile'] === profile).length > 1
  if (!isShared) return draft.change(PROFILES, { properties: { name: profile } }, change, { path, paths })
  const isOpen = given['Security.ModeEnabled'] === 'None'
  if (given['Security.KeyPassphrase'] === undefined && !isOpen)
    throw new DraftRefusal(
      `${path}Security.ModeEnabled`,
      7012,
      `needs KeyPassphrase, too: the profile ${profile} has other users, and its key cannot be read`,
    )
  const name = `isthmus-${own.name}`
  const kept = {
    mode: found?.mode ?? 'dynamic-keys',
    'authentication-types': found?.['authentication-types'] ?? 'wpa2-psk',
  }
  const values = {
    ...kept,
    ...Object.fromEntries(Object.entries(change).filter((entry): entry is [string, string] => entry[1] !== null)),
  }
  if ((await draft.rows.find(PROFILES, { properties: { name } }, [])) === undefined)
    draft.add({ menu: PROFILES, values: { name, ...values }, path, paths })
  else draft.change(PROFILES, { properties: { name } }, values, { path, paths })
  draft.change(WIRELESS, instance.match, { 'security-profile': name }, { path })
}

function profileChange({ path, given }: ChangedRow): {
  change: Record<string, string | null>
  paths: Record<string, string>
} {
  const change: Record<string, string | null> = {}
  const paths: Record<string, string> = {}
  const mode = given['Security.ModeEnabled']
  if (mode !== undefined) {
    const at = `${path}Security.ModeEnabled`
    const types = mode === 'None' ? '' : authenticationTypes(mode)
    if (types === undefined || /wpa3|owe/.test(types))
      throw new DraftRefusal(at, 7012, 'is a mode that this driver does not have')
    change.mode = mode === 'None' ? 'none' : 'dynamic-keys'
    change['authentication-types'] = types
    paths.mode = at
    paths['authentication-types'] = at
  }
  const key = given['Security.KeyPassphrase']
  if (key !== undefined)
    for (const name of ['wpa-pre-shared-key', 'wpa2-pre-shared-key']) {
      change[name] = key
      paths[name] = `${path}Security.KeyPassphrase`
    }
  return { change, paths }
}

export const WIFI_WRITERS = [
  writerOf(RADIO, ['Enable', 'Channel', 'AutoChannelEnable', 'OperatingChannelBandwidth']),
  writerOf(SSID, ['Enable', 'SSID']),
  writerOf(ACCESS_POINT, [
    'Enable',
    'SSIDAdvertisementEnabled',
    'IsolationEnable',
    'MaxAllowedAssociations',
    'Security.ModeEnabled',
    'Security.KeyPassphrase',
    'Security.SAEPassphrase',
    'Security.MFPConfig',
  ]),
]
