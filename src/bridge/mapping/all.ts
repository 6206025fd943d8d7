import { BRIDGING_OBJECTS } from './bridging.ts'
import { CELLULAR_OBJECTS } from './cellular.ts'
import type { ObjectMapping } from './declaration.ts'
import { DEVICE_INFO_OBJECTS } from './device-info.ts'
import { DHCP_OBJECTS, DNS_OBJECTS } from './dhcp.ts'
import { ETHERNET_OBJECTS } from './ethernet.ts'
import { HOSTS_OBJECTS } from './hosts.ts'
import { INTERFACE_STACK_OBJECTS } from './interface-stack.ts'
import { IP_OBJECTS } from './ip.ts'
import { NAT_OBJECTS } from './nat.ts'
import { PPP_OBJECTS } from './ppp.ts'
import { RAW_OBJECTS } from './raw.ts'
import { TIME_OBJECTS } from './time.ts'
import { WIFI_OBJECTS } from './wifi.ts'
import { WIRELESS_OBJECTS } from './wireless.ts'

/** All objects of TR-181 that the bridge can show of a router. */
export const MAPPINGS: readonly ObjectMapping[] = [
  ...DEVICE_INFO_OBJECTS,
  ...TIME_OBJECTS,
  ...ETHERNET_OBJECTS,
  ...BRIDGING_OBJECTS,
  ...IP_OBJECTS,
  ...DHCP_OBJECTS,
  ...DNS_OBJECTS,
  ...NAT_OBJECTS,
  ...PPP_OBJECTS,
  ...WIFI_OBJECTS,
  ...WIRELESS_OBJECTS,
  ...HOSTS_OBJECTS,
  ...CELLULAR_OBJECTS,
  ...INTERFACE_STACK_OBJECTS,
  ...RAW_OBJECTS,
]
