import type { ObjectMapping } from './declaration.ts'
import { DEVICE_INFO_OBJECTS } from './device-info.ts'
import { ETHERNET_OBJECTS } from './ethernet.ts'
import { WIFI_OBJECTS } from './wifi.ts'

/** All objects of TR-181 that the bridge can show of a router. */
export const MAPPINGS: readonly ObjectMapping[] = [...DEVICE_INFO_OBJECTS, ...ETHERNET_OBJECTS, ...WIFI_OBJECTS]
