import { IP, PPP } from '../tree/linked.ts'
import { objectsOfTable } from '../tree/raw-tree.ts'
import { objectOf } from '../tree/schema.ts'
import { allConnections, exists, type RuleContext, topTable } from './rule-tree.ts'

/** The source of a row: its table, '' for none, and the rest of its path. */
interface SourceRow {
  table: string
  rest: string
}

/**
 * Optical interfaces: one for each object with a received level that a row of the device's family reads, and for each
 * WANDevice that says that it is a PON: some devices have its levels at the root.
 */
export function opticalRows({ tree, numbers }: RuleContext, rows: readonly SourceRow[]): void {
  const seen = new Set<string>()
  for (const { table, rest } of rows) {
    if (!table.startsWith('InternetGatewayDevice.')) continue
    for (const object of objectsOfTable(tree, table)) {
      if (seen.has(object) || !exists(tree, objectOf(object + rest))) continue
      seen.add(object)
    }
  }
  for (const wan of topTable(tree, 'WANDevice'))
    if (tree.value(`${wan}WANCommonInterfaceConfig.WANAccessType`)?.toUpperCase().includes('PON') === true)
      seen.add(wan)
  for (const object of [...seen].sort()) numbers.row('Device.Optical.Interface.', object, [object])
}

/** Values by which devices say that a connection has no VLAN. */
const NO_VLAN = new Set(['', '0', '-1', '4095'])

/**
 * A VLAN termination for each connection with a VLAN in a vendor's parameter, of its own or of the link below it: where
 * both show it, they are places of one VLAN.
 */
export function vlanRows({ tree, numbers }: RuleContext, rows: readonly SourceRow[]): void {
  const tagged = (object: string, own: readonly SourceRow[]) =>
    own.some(({ rest }) => !NO_VLAN.has(tree.value(object + rest) ?? ''))
  const ofTable = (table: string) => rows.filter((row) => row.table === table)
  const links = rows.filter(({ table }) => table !== IP && table !== PPP)
  for (const { object, wcd, kind } of allConnections(tree)) {
    const places = [
      ...(tagged(object, ofTable(kind === 'ip' ? IP : PPP)) ? [object] : []),
      ...(tagged(wcd, links) ? [wcd] : []),
    ]
    if (places.length > 0) numbers.row(VLANS, object, [object, ...places])
  }
}

const VLANS = 'Device.Ethernet.VLANTermination.'
