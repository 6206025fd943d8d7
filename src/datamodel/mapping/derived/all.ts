import { COUNTS } from './counts.ts'
import type { Derived } from './derived.ts'
import { LAN_DERIVED } from './lan.ts'
import { SERVICE_DERIVED } from './services.ts'
import { WAN_DERIVED } from './wan.ts'
import { WLAN_DERIVED } from './wlan.ts'

/** All parameters of TR-181 that follow from others on a TR-098 device. */
export const DERIVED: readonly Derived[] = [
  ...LAN_DERIVED,
  ...WLAN_DERIVED,
  ...WAN_DERIVED,
  ...SERVICE_DERIVED,
  ...COUNTS,
]
