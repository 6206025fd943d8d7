import { accessMenus } from '../menus/access.ts'
import { bridgeMenus } from '../menus/bridge.ts'
import { dhcpMenus } from '../menus/dhcp.ts'
import { ethernetMenus, poeMenus } from '../menus/ethernet.ts'
import { firewallMenus } from '../menus/firewall.ts'
import { boardMenus, cloudMenus, deviceModeMenus, healthMenus } from '../menus/hardware.ts'
import { interfaceMenus } from '../menus/interface.ts'
import { ipMenus } from '../menus/ip.ts'
import { isFrom } from '../menus/life.ts'
import { lineMenus } from '../menus/lines.ts'
import { lteMenus } from '../menus/lte.ts'
import type { Menu } from '../menus/menu.ts'
import { systemMenus } from '../menus/system.ts'
import { wifiMenus } from '../menus/wifi.ts'
import { wirelessMenus } from '../menus/wireless.ts'
import type { RouterStore } from '../store/router-store.ts'

/** The hardware of a router. */
export interface Board {
  /** `board-name` of the resources. */
  name: string
  model: string
  revision: string
  architecture: string
  /** The architecture in names of packages. */
  npk: string
  cpu: string
  cpuCount: number
  cpuMhz: number
  memory: number
  disk: number
  firmwareType: string
  /** Six hex digits. */
  oui: string
  /** Names of its ethernet ports by delivery. */
  ports: readonly string[]
  /** Frequency in MHz, band and width of each radio. */
  radios: readonly { frequency: number; band: string; width: string }[]
}

/** Facts in which routers of one profile differ. */
export interface RouterFacts {
  serial: string
  index: number
  now: number
  profile: RouterProfile
}

type Part = 'board' | 'cloud' | 'health' | 'poe' | 'lte' | 'deviceMode' | 'wireless' | 'wifiwave2' | 'wifi'

/** A kind of router: version, hardware, and configuration of delivery. */
export interface RouterProfile {
  name: string
  /** A sentence for people. */
  sentence: string
  version: string
  /** The version that its channel offers; absent: it is up to date. */
  offers?: string
  board: Board
  /** Menus beside those that every router has. */
  parts: readonly Part[]
  /** Names of installed packages. */
  packages: readonly string[]
  fill(store: RouterStore, facts: RouterFacts): void
}

const known = new Map<string, ReadonlyMap<string, Menu>>()

/** Returns the menus of a profile in a version; all its routers share them. */
export function menusOf(profile: RouterProfile, version: string): ReadonlyMap<string, Menu> {
  const key = `${profile.name} ${version}`
  const found = known.get(key) ?? new Map(menus(profile.parts, version).map((menu) => [menu.path, menu]))
  known.set(key, found)
  return found
}

function menus(parts: readonly Part[], version: string): Menu[] {
  const isWave2 = parts.includes('wifiwave2') && !isFrom(version, 7, 13)
  const isWifi = parts.includes('wifi') || (parts.includes('wifiwave2') && !isWave2)
  return [
    ...systemMenus(version),
    ...accessMenus(),
    ...interfaceMenus(version),
    ...ethernetMenus(version),
    ...bridgeMenus(),
    ...lineMenus(version),
    ...ipMenus(version),
    ...dhcpMenus(version),
    ...firewallMenus(),
    ...(parts.includes('board') ? boardMenus(version) : []),
    ...(parts.includes('cloud') ? cloudMenus() : []),
    ...(parts.includes('health') ? healthMenus(version) : []),
    ...(parts.includes('poe') ? poeMenus() : []),
    ...(parts.includes('lte') ? lteMenus(version) : []),
    ...(parts.includes('deviceMode') ? deviceModeMenus() : []),
    ...(parts.includes('wireless') ? wirelessMenus() : []),
    ...(isWave2 ? wifiMenus('/interface/wifiwave2', version) : []),
    ...(isWifi ? wifiMenus('/interface/wifi', version) : []),
  ]
}
