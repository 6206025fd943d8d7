import type { Menu } from './form/menu.ts'
import { INTERFACES } from './tables/interfaces.ts'
import { IP } from './tables/ip.ts'
import { SYSTEM } from './tables/system.ts'
import { TOOLS } from './tables/tools.ts'
import { WIFI } from './tables/wifi.ts'

/**
 * Every menu, property and command of RouterOS that the bridge may name. The words of all others are never sent:
 * scripts, schedulers, users, certificates, files' contents, `/execute`, `/import`, `/export` and the like.
 */
export const MENUS = { ...SYSTEM, ...TOOLS, ...INTERFACES, ...WIFI, ...IP }

/** The path of a menu of the table. */
export type MenuPath = keyof typeof MENUS
/** The name of a property of a menu; any text where the menu is known at run time only, and then it is checked there. */
export type PropertyOf<M extends MenuPath> = MenuPath extends M
  ? string
  : keyof (typeof MENUS)[M]['properties'] & string
/** The name of a command of a menu; any text where the menu is known at run time only. */
export type VerbOf<M extends MenuPath> = MenuPath extends M ? string : keyof (typeof MENUS)[M]['verbs'] & string

const BY_PATH: ReadonlyMap<string, Menu> = new Map(Object.entries(MENUS))

/** Returns the menu at a path; undefined when the bridge may not name it. */
export function menuAt(path: string): Menu | undefined {
  return BY_PATH.get(path)
}

/** Returns true for the path of a menu of the table. */
export function isMenuPath(path: string): path is MenuPath {
  return BY_PATH.has(path)
}
