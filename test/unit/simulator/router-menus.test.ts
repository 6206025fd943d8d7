import { describe, expect, it } from 'vitest'
import type { Menu as BridgeMenu } from '../../../src/bridge/menus/form/menu.ts'
import { MENUS } from '../../../src/bridge/menus/table.ts'
import { ROUTER_PROFILES } from '../../../src/simulator/index.ts'
import { profileOf } from '../../../src/simulator/routeros/profiles/index.ts'
import { menusOf } from '../../../src/simulator/routeros/profiles/profile.ts'

/** Menus of commands alone, and menus that no profile has. */
const WITHOUT_ROWS = new Set(['', '/system', '/tool', '/system/backup'])
/** Of versions that no profile has. */
const LATER = new Set(['/ip/dhcp-client name'])

const emulated = new Map<string, Map<string, boolean>>()
/** Versions whose menus no profile has as it is delivered. */
const ALSO = [['v7.16', '7.14.3']] as const
for (const [name, version] of [...ROUTER_PROFILES.map((name) => [name, profileOf(name).version] as const), ...ALSO])
  for (const [path, menu] of menusOf(profileOf(name), version)) {
    const known = emulated.get(path) ?? new Map<string, boolean>()
    for (const [property, { take }] of Object.entries(menu.properties))
      known.set(property, known.get(property) === true || take !== undefined)
    emulated.set(path, known)
  }

describe('the menus that the bridge may name', () => {
  const named = Object.entries<BridgeMenu>(MENUS).filter(([path]) => !WITHOUT_ROWS.has(path))

  it('are in a profile of emulated routers, with what can be set in them', () => {
    const missing = named.flatMap(([path, { properties }]) => {
      const known = emulated.get(path)
      if (known === undefined) return [path]
      return Object.entries(properties).flatMap(([name, { writable }]) =>
        writable && name !== 'comment' && known.get(name) !== true && !LATER.has(`${path} ${name}`)
          ? [`${path} ${name}`]
          : [],
      )
    })
    expect(missing).toEqual([])
  })
})
