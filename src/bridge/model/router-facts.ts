import type { RouterOs } from '../../routeros/index.ts'
import { type MenuReading, type ObjectMapping, readingsOf } from '../mapping/index.ts'
import { probe, readCommand } from './read-command.ts'

/** A router as its connection shows it: its version and the menus that it has. Both can differ after a restart. */
export interface RouterFacts {
  /** Number of the version, e.g. `7.16.1`. */
  readonly version: string
  /** Paths of the menus, of those that the mapping knows. */
  readonly menus: ReadonlySet<string>
  /** Menus that the account of the bridge may not read. */
  readonly refused: ReadonlySet<string>
  /** Schema paths of the objects whose hardware the router does not have. */
  readonly lacking: ReadonlySet<string>
}

/** Resolves with the facts of a router; AgentError when it does not answer. */
export async function findFacts(router: RouterOs, mappings: readonly ObjectMapping[]): Promise<RouterFacts> {
  const { rows } = await readCommand(router, { path: '/system/resource/print', proplist: ['version'] })
  const version = /^\d+(\.\d+)*/.exec(rows[0]?.version ?? '')?.[0] ?? ''
  const readings = new Map<string, MenuReading>()
  for (const mapping of mappings) for (const reading of readingsOf(mapping)) readings.set(reading.menu, reading)
  const answers = await Promise.all(
    [...readings.keys()].map(async (menu) => [menu, await probe(router, menu)] as const),
  )
  const those = (wanted: string) => new Set(answers.flatMap(([menu, answer]) => (answer === wanted ? [menu] : [])))
  const menus = those('there')
  const lacking = await Promise.all(mappings.map((mapping) => lacksHardware(router, mapping, menus)))
  return { version, menus, refused: those('refused'), lacking: new Set(lacking.flat()) }
}

async function lacksHardware(
  router: RouterOs,
  { object, hardware }: ObjectMapping,
  menus: ReadonlySet<string>,
): Promise<string[]> {
  if (hardware === undefined || !menus.has(hardware.menu)) return []
  const { rows } = await readCommand(router, { path: `${hardware.menu}/print`, proplist: hardware.rows.from })
  return rows.some((row) => hardware.rows.holds(row)) ? [] : [object]
}
