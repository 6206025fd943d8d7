import type { Row } from '../basis/table.ts'
import type { RouterView } from '../basis/view.ts'
import { bool, iface, int, listOf, oneOf, type Property, text } from './kinds.ts'

const CONFIGURATION: Record<string, Property> = {
  ssid: text(32),
  country: text(63),
  mode: oneOf('ap', 'station', 'station-bridge', 'station-pseudobridge'),
  'hide-ssid': bool,
  'tx-power': int(0, 40),
  'max-clients': int(1, 2007),
  'beacon-interval': text(16),
  'antenna-gain': int(0, 30),
  manager: oneOf('local', 'capsman', 'capsman-or-local'),
}

const CHANNEL: Record<string, Property> = {
  frequency: text(255),
  band: oneOf(
    '2ghz-g',
    '2ghz-n',
    '2ghz-ax',
    '2ghz-be',
    '5ghz-a',
    '5ghz-n',
    '5ghz-an',
    '5ghz-ac',
    '5ghz-ax',
    '5ghz-be',
    '6ghz-ax',
    '6ghz-be',
  ),
  width: oneOf(
    '20mhz',
    '20/40mhz',
    '20/40mhz-Ce',
    '20/40mhz-eC',
    '20/40/80mhz',
    '20/40/80+80mhz',
    '20/40/80/160mhz',
    '20/40/80/160/320mhz',
  ),
  'skip-dfs-channels': oneOf('10min-cac', 'all', 'disabled'),
  'secondary-frequency': text(255),
}

const SECURITY: Record<string, Property> = {
  'authentication-types': listOf(
    'wpa-psk',
    'wpa2-psk',
    'wpa3-psk',
    'owe',
    'wpa-eap',
    'wpa2-eap',
    'wpa3-eap',
    'wpa3-eap-192',
  ),
  passphrase: { ...text(63), isSecret: true },
  wps: oneOf('disable', 'push-button'),
  ft: bool,
  'ft-over-ds': bool,
  'management-protection': oneOf('allowed', 'disabled', 'required'),
  'connect-priority': text(16),
}

const DATAPATH: Record<string, Property> = {
  bridge: iface,
  'vlan-id': int(1, 4095, 'none'),
  'client-isolation': bool,
  'interface-list': text(63),
}

/** Groups of properties that a network has itself, or from a profile. */
export const GROUPS = { configuration: CONFIGURATION, channel: CHANNEL, security: SECURITY, datapath: DATAPATH }

export type Group = keyof typeof GROUPS

export const GROUP_NAMES: readonly Group[] = ['configuration', 'channel', 'security', 'datapath']

/** Properties of groups under their dotted names. */
export function dotted(groups: readonly Group[]): Record<string, Property> {
  return Object.fromEntries(
    groups.flatMap((group) => Object.entries(GROUPS[group]).map(([name, property]) => [`${group}.${name}`, property])),
  )
}

/** Names of the profiles that rows name. */
export function references(groups: readonly Group[]): Record<string, Property> {
  return Object.fromEntries(groups.map((group) => [group, text(63)]))
}

/** Properties that a row has from its profiles: its own, then those of its configuration, then those that this names. */
export function inherited(root: string, row: Row, { store }: RouterView): Record<string, string> {
  const profile = (group: Group, name: string | undefined) =>
    name === undefined ? undefined : store.find(`${root}/${group}`, 'name', name)?.values
  const configuration = profile('configuration', row.values.configuration)
  const all: Record<string, string> = {}
  for (const group of GROUP_NAMES)
    for (const name of Object.keys(GROUPS[group])) {
      const value =
        group === 'configuration'
          ? configuration?.[name]
          : (profile(group, row.values[group])?.[name] ??
            configuration?.[`${group}.${name}`] ??
            profile(group, configuration?.[group])?.[name])
      if (value !== undefined) all[`${group}.${name}`] = value
    }
  const master = row.values['master-interface']
  const above = master === undefined ? undefined : store.find('interface', 'name', master)
  if (above !== undefined)
    for (const name of Object.keys(CHANNEL)) {
      const value = above.values[`channel.${name}`]
      if (value !== undefined) all[`channel.${name}`] ??= value
    }
  return all
}

/** The values of a radio's network that hold: its own before those that it inherits. */
export function effective(root: string, row: Row, router: RouterView): Record<string, string> {
  return { ...inherited(root, row, router), ...row.values }
}
