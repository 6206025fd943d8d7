import { isOn } from './fact-tree.ts'
import type { FactDerivation } from './group.ts'
import { countIn } from './readings.ts'

const HOSTS = 'Device.Hosts.Host.'
const COUNT = 'Device.Hosts.HostNumberOfEntries'
const BEARING = /^Device\.Hosts\.(HostNumberOfEntries|Host\.\d+\.(Active|PhysAddress))$/

/** Hosts that are active: rows that say so, else the number of rows that the device gives. */
export const LAN: FactDerivation = {
  tables: [HOSTS],
  objects: ['Device.Hosts.'],
  bears: (path) => BEARING.test(path),
  derive(tree) {
    const rows = tree.rows(HOSTS)
    const telling = rows.filter((row) => tree.get(`${row}Active`) !== undefined)
    const [first] = telling
    if (first !== undefined)
      return {
        activeHosts: telling.filter((row) => isOn(tree.get(`${row}Active`))).length,
        sources: { activeHosts: `${first}Active` },
      }
    const count = countIn(tree.get(COUNT))
    return count === undefined ? {} : { activeHosts: count, sources: { activeHosts: COUNT } }
  },
  take: (_fact, { value }, { sources }) =>
    typeof sources === 'object' && 'activeHosts' in sources && sources.activeHosts === COUNT
      ? { activeHosts: countIn(value) }
      : undefined,
  matters: (path, _reading, { sources }) =>
    path !== COUNT || typeof sources !== 'object' || !('activeHosts' in sources) || sources.activeHosts === COUNT,
}
