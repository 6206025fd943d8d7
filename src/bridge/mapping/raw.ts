import { MENUS, menuAt } from '../menus/table.ts'
import type { ObjectMapping, ParameterMapping, RowText, SourceRow } from './declaration.ts'
import { OWN_ROUTES } from './ip.ts'
import { shown } from './parameters.ts'

/** Object below which the values of a router stand as it shows them. */
const ROOT = 'Device.X_MIKROTIK_RouterOS.'

/** Returns true for an object that shows a menu as it is. */
export function isVendors({ object }: ObjectMapping): boolean {
  return object.startsWith(ROOT)
}

/** Menus of one row that are read only; of the others the commands tell. */
const SINGLE = new Set([
  '/system/resource',
  '/system/clock',
  '/system/routerboard',
  '/system/license',
  '/system/device-mode',
  '/interface/wifi/capsman',
])

/** Properties that tell the rows of a menu apart whose rows have no names. */
const TELLING = [
  'chain',
  'action',
  'protocol',
  'list',
  'server',
  'bridge',
  'interface',
  'on-interface',
  'mac-address',
  'vid',
  'vlan-ids',
  'vlan-id',
  'host',
  'address',
  'dst-address',
  'dst-port',
  'src-address',
  'in-interface',
  'out-interface',
  'in-interface-list',
  'out-interface-list',
  'gateway',
  'routing-table',
  'routing-mark',
]

/** Returns the name of a menu or property as a name of TR-181: without slashes and dots, and not beginning with a digit. */
function nameOf(word: string): string {
  return word
    .replace(/^\//, '')
    .replaceAll('/', '-')
    .replaceAll('.', '_')
    .replace(/^(?=\d)/, '_')
}

function keyOf(properties: readonly string[]): RowText {
  const telling = TELLING.filter((name) => properties.includes(name))
  const from = ['default-name', 'name', 'radio-mac'].filter((name) => properties.includes(name)).concat(telling)
  const of = (row: SourceRow) =>
    row['default-name'] ?? row.name ?? row['radio-mac'] ?? telling.map((name) => row[name] ?? '').join('|')
  return { from, of }
}

/** A menu as an object of its own. Secrets read empty: they are not asked for. */
function rawObject(path: string): ObjectMapping[] {
  const menu = menuAt(path)
  if (menu === undefined || menu.verbs.print === undefined) return []
  const own = Object.entries(menu.properties).filter(([name]) => name !== '.id')
  const readable = own.flatMap(([name, { secret }]) => (secret ? [] : [name]))
  const parameters: Record<string, ParameterMapping> = {}
  for (const [name, { secret }] of own) parameters[nameOf(name)] = secret ? { from: [], read: () => '' } : shown(name)
  const isSingle = SINGLE.has(path) || (menu.verbs.set !== undefined && menu.verbs.set.row === undefined)
  const source = { menu: path, ...(path === '/ip/route' ? { query: OWN_ROUTES } : {}) }
  return [
    {
      object: `${ROOT}${nameOf(path)}.${isSingle ? '' : '{i}.'}`,
      needs: [path],
      source,
      ...(isSingle ? {} : { table: { key: keyOf(readable) } }),
      parameters,
    },
  ]
}

/** The menus of the bridge as they are: read only, for what TR-181 has no words for. */
export const RAW_OBJECTS: readonly ObjectMapping[] = Object.keys(MENUS).flatMap(rawObject)
