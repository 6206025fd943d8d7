import type { MappingRow } from '../row.ts'
import type { Transform } from '../transform.ts'
import { ADDRESSES } from './addresses.ts'
import { BINARY } from './binary.ts'
import { BOOLEANS } from './booleans.ts'
import { BRIDGING_REFERENCES } from './bridging.ts'
import { CHANNEL_WIDTHS } from './channel-width.ts'
import { COUNTERS } from './counters.ts'
import { DHCP } from './dhcp.ts'
import { DIAGNOSTICS } from './diagnostics.ts'
import { ENUMERATIONS } from './enumerations.ts'
import { FIREWALL } from './firewall.ts'
import { HEALTH } from './health.ts'
import { LISTS } from './lists.ts'
import { OPTICAL } from './optical.ts'
import { REFERENCES } from './references.ts'
import { STATIONS } from './stations.ts'
import { TIMES } from './times.ts'
import { UNITS } from './units.ts'
import { VLAN } from './vlan.ts'
import { VOICE } from './voice.ts'
import { WIFI_KEYS } from './wifi-keys.ts'
import { WIFI_RADIO } from './wifi-radio.ts'
import { WIFI_SECURITY } from './wifi-security.ts'

const THEMES = [
  ADDRESSES,
  BINARY,
  BOOLEANS,
  BRIDGING_REFERENCES,
  CHANNEL_WIDTHS,
  COUNTERS,
  DHCP,
  DIAGNOSTICS,
  ENUMERATIONS,
  FIREWALL,
  HEALTH,
  LISTS,
  OPTICAL,
  REFERENCES,
  STATIONS,
  TIMES,
  UNITS,
  VLAN,
  VOICE,
  WIFI_KEYS,
  WIFI_RADIO,
  WIFI_SECURITY,
]

const entries = THEMES.flatMap((theme) => Object.entries(theme))

/** All transforms by the name that a row gives. */
export const TRANSFORMS: ReadonlyMap<NonNullable<MappingRow['transform']>, Transform> = new Map(entries)

if (TRANSFORMS.size !== entries.length) throw new Error('two themes of transforms share a name')
