import { isTrue } from '../booleans.ts'
import { instancesOf, type RawLookup } from '../tree/raw-tree.ts'
import { lastNumber } from '../tree/schema.ts'
import { exists, type RuleContext, topTable } from './rule-tree.ts'

/** LANDevice: one IP interface with its Ethernet link. Ports: Ethernet and USB interfaces, after those of the WAN. */
export function lanRows({ tree, numbers }: RuleContext): void {
  for (const lan of topTable(tree, 'LANDevice')) {
    numbers.row('Device.IP.Interface.', lan, [lan])
    numbers.row('Device.Ethernet.Link.', lan, [lan])
  }
  for (const lan of topTable(tree, 'LANDevice')) {
    for (const port of instancesOf(tree, `${lan}LANEthernetInterfaceConfig.`))
      numbers.row('Device.Ethernet.Interface.', port, [port])
    for (const port of instancesOf(tree, `${lan}LANUSBInterfaceConfig.`))
      numbers.row('Device.USB.Interface.', port, [port])
  }
}

const BRIDGES = 'Device.Bridging.Bridge.'
const LAYER_2 = 'InternetGatewayDevice.Layer2Bridging.'

/**
 * Bridges of Layer2Bridging keep their numbers. A LANDevice whose ports none of them holds has a bridge in TR-181 alone:
 * a management port, then one port for each LAN port and radio network.
 */
export function bridgeRows({ tree, numbers }: RuleContext): void {
  const held = new Set<string>()
  const interfaces = interfacesOf(tree)
  for (const bridge of instancesOf(tree, `${LAYER_2}Bridge.`)) {
    const row = numbers.row(BRIDGES, bridge, [bridge], { wanted: Number(lastNumber(bridge)) })
    if (row === undefined) return
    const lans: string[] = []
    for (const port of instancesOf(tree, `${bridge}Port.`)) {
      numbers.row(`${row}Port.`, port, [port], { wanted: Number(lastNumber(port)) })
      const lan = lanOf(interfaces.get(tree.value(`${port}PortInterface`) ?? ''))
      if (lan !== undefined && !held.has(lan)) lans.push(lan)
      if (lan !== undefined) held.add(lan)
    }
    numbers.row(`${row}Port.`, MANAGEMENT, [bridge, ...lans])
  }
  for (const lan of topTable(tree, 'LANDevice')) {
    if (held.has(lan)) continue
    const row = numbers.row(BRIDGES, lan, [lan])
    if (row === undefined) return
    numbers.row(`${row}Port.`, MANAGEMENT, [lan])
    for (const table of ['LANEthernetInterfaceConfig', 'LANUSBInterfaceConfig', 'WLANConfiguration'])
      for (const port of instancesOf(tree, `${lan}${table}.`)) numbers.row(`${row}Port.`, port, [port])
  }
}

/** Key of the management port of a bridge, which no object of the device stands for. */
const MANAGEMENT = 'management'

/** Returns the references of AvailableInterface rows by their keys (TR-098 Layer2Bridging.AvailableInterface). */
function interfacesOf(tree: RawLookup): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const row of instancesOf(tree, `${LAYER_2}AvailableInterface.`)) {
    const key = tree.value(`${row}AvailableInterfaceKey`) ?? ''
    const reference = tree.value(`${row}InterfaceReference`)
    if (key !== '' && reference !== undefined && !found.has(key)) found.set(key, reference)
  }
  return found
}

/** Returns the LANDevice that a reference lies in, with a dot at its end. */
function lanOf(reference: string | undefined): string | undefined {
  const table = 'InternetGatewayDevice.LANDevice.'
  if (reference?.startsWith(table) !== true) return undefined
  const end = reference.indexOf('.', table.length)
  return end < 0 ? `${reference}.` : reference.slice(0, end + 1)
}

const POOLS = 'Device.DHCPv4.Server.Pool.'

/** The default pool of each LANDevice, then the conditional ones by PoolOrder; a relayed one has a relay row, too. */
export function poolRows({ tree, numbers }: RuleContext): void {
  const lans = topTable(tree, 'LANDevice').filter((lan) => exists(tree, `${lan}LANHostConfigManagement.`))
  for (const lan of lans) numbers.row(POOLS, lan, [lan])
  for (const lan of lans) {
    const order = (pool: string) => Number(tree.value(`${pool}PoolOrder`) ?? 0) || 0
    const pools = instancesOf(tree, `${lan}LANHostConfigManagement.DHCPConditionalServingPool.`)
    for (const pool of pools.sort((a, b) => order(a) - order(b))) {
      numbers.row(POOLS, pool, [pool])
      const served = tree.value(`${pool}LocallyServed`)
      if (served !== undefined && !isTrue(served)) numbers.row('Device.DHCPv4.Relay.Forwarding.', pool, [pool])
    }
  }
}
