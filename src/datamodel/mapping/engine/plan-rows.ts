import { MappingRefusal } from '../transform.ts'
import { BRIDGE, IP, LINE, POOL_098, PPP, WCD, WLAN } from '../tree/linked.ts'
import { instancesOf, type RawLookup } from '../tree/raw-tree.ts'
import { lastNumber, outerTable, scanPath } from '../tree/schema.ts'
import type { DeviceMapping } from './device-mapping.ts'

/** The facts on which the choice of a table on the device may depend. */
interface AddContext {
  device: DeviceMapping
  tree: RawLookup
  /** Row of TR-181 that has the table; '' outside any. */
  outer: string
  /** Returns an initial value of the new row, by its name. */
  initial(name: string): string | undefined
}

/** The place at which rows of tables with numbers of the instance map are added; undefined where the request does not tell. */
const ADDED: Record<string, (context: AddContext) => string | undefined> = {
  'Device.NAT.PortMapping.{i}.': (context) => below(connectionFor(context), 'PortMapping.'),
  'Device.DHCPv4.Server.Pool.{i}.': (context) =>
    below(lanFor(context), 'LANHostConfigManagement.DHCPConditionalServingPool.'),
  'Device.WiFi.SSID.{i}.': (context) => below(firstLan(context.tree), 'WLANConfiguration.'),
  'Device.Bridging.Bridge.{i}.': ({ tree }) => (tree.children(LAYER_2).length > 0 ? `${LAYER_2}Bridge.` : undefined),
  'Device.Bridging.Bridge.{i}.Port.{i}.': ({ device, outer }) => below(objectIn(device, outer, BRIDGE), 'Port.'),
  'Device.PPP.Interface.{i}.': (context) => below(connectionDeviceFor(context), 'WANPPPConnection.'),
  'Device.IP.Interface.{i}.': (context) => below(connectionDeviceFor(context), 'WANIPConnection.'),
  'Device.Services.VoiceService.{i}.SIP.Client.{i}.': lineTable,
  'Device.Services.VoiceService.{i}.CallControl.Line.{i}.': lineTable,
}

const LAYER_2 = 'InternetGatewayDevice.Layer2Bridging.'

/**
 * Returns the table of the device's own tree (ends in a dot) in which AddObject makes a new row of a TR-181 table.
 * Initial values choose the owner where there are several: `Interface` of a port mapping, `LowerLayers` of a
 * connection. Throws MappingRefusal for rows that exist in TR-181 alone.
 */
export function planAdd(
  device: DeviceMapping,
  table: string,
  initial: Readonly<Record<string, string>>,
  tree: RawLookup,
): string {
  const { schema, cuts } = scanPath(table)
  const rows = `${schema}{i}.`
  const outer = table.slice(0, cuts.at(-1) ?? 0)
  const context: AddContext = {
    device,
    tree,
    outer,
    initial: (name) => (Object.hasOwn(initial, name) ? initial[name] : undefined),
  }
  const rule = ADDED[rows]
  const found = rule === undefined ? sameTable(device, outer, rows, tree) : rule(context)
  if (found === undefined) throw new MappingRefusal(refusedAdd(table, rule !== undefined))
  return found
}

function refusedAdd(table: string, hasRule: boolean): string {
  return hasRule
    ? `a row of ${table} needs an owner on this device: set Interface or LowerLayers to the path of a row that it has`
    : `rows of ${table} follow from other objects of this device and cannot be added`
}

/** Tables whose rows have the device's own numbers. */
function sameTable(device: DeviceMapping, outer: string, rows: string, tree: RawLookup): string | undefined {
  const probe = `${outer}${rows.slice(outerTable(rows).length).replace('{i}', PROBE)}`
  for (const { pair, from } of device.mapping.tablePairs.get(rows) ?? [])
    for (const object of pair.objects(probe, device.links, tree))
      if (lastNumber(object) === PROBE && from.endsWith('{i}.')) return object.slice(0, -PROBE.length - 1)
  return undefined
}

/** The value of a new row that chooses its owner, by the table of the row. */
const CHOICES: Readonly<Record<string, string>> = {
  'Device.NAT.PortMapping.{i}.': 'Interface',
  'Device.DHCPv4.Server.Pool.{i}.': 'Interface',
  'Device.PPP.Interface.{i}.': 'LowerLayers',
  'Device.IP.Interface.{i}.': 'LowerLayers',
  'Device.Services.VoiceService.{i}.SIP.Client.{i}.': 'Network',
}

/**
 * Returns true for a value of a new row by which `planAdd` chooses its place. There is nothing to write for it: the row
 * shows what follows from its place, such as the VLAN between it and the link that was named.
 */
export function choosesOwner(table: string, name: string): boolean {
  return CHOICES[`${scanPath(table).schema}{i}.`] === name
}

/** A number that no row has: only a table that takes over numbers gives it back. */
const PROBE = '4294967295'

/** The objects of the device that DeleteObject removes with a row of TR-181, by the table of the row. */
const DELETED: Record<string, readonly string[]> = {
  'Device.NAT.PortMapping.{i}.': [`${IP}PortMapping.{i}.`, `${PPP}PortMapping.{i}.`],
  'Device.DHCPv4.Server.Pool.{i}.': [POOL_098],
  'Device.WiFi.SSID.{i}.': [WLAN],
  'Device.Bridging.Bridge.{i}.': [BRIDGE],
  'Device.Bridging.Bridge.{i}.Port.{i}.': [`${BRIDGE}Port.{i}.`],
  'Device.PPP.Interface.{i}.': [PPP],
  'Device.IP.Interface.{i}.': [IP],
  'Device.Services.VoiceService.{i}.SIP.Client.{i}.': [LINE],
  'Device.Services.VoiceService.{i}.CallControl.Line.{i}.': [LINE],
}

/**
 * Returns the object of the device's own tree that DeleteObject removes with a row of TR-181. Throws MappingRefusal for
 * a row that exists in TR-181 alone (the LAN's IP interface, radios, links, default routes), and for one the device
 * does not have.
 */
export function planDelete(device: DeviceMapping, row: string, tree: RawLookup): string {
  const { schema } = scanPath(row)
  const linked = device.links.objectsOf(row)
  const own = DELETED[schema]
  if (own !== undefined && linked.length > 0) {
    const object = linked.find((source) => own.includes(scanPath(source).schema))
    if (object !== undefined) return object
    throw virtual(row, linked)
  }
  for (const object of device.objectsOf(row, tree)) {
    const isOwn = lastNumber(object) === lastNumber(row) && scanPath(object).cuts.at(-1) === object.length
    if (linked.length === 0 && isOwn && tree.children(object).length > 0) return object
  }
  if (linked.length > 0) throw virtual(row, linked)
  throw new MappingRefusal(`${row} is no row of this device`)
}

function virtual(row: string, [source]: readonly string[]): MappingRefusal {
  return new MappingRefusal(`${row} follows from ${source ?? 'other objects'} and cannot be deleted by itself`, source)
}

function below(object: string | undefined, table: string): string | undefined {
  return object === undefined ? undefined : object + table
}

function objectIn(device: DeviceMapping, row: string, table: string): string | undefined {
  return device.links.objectsOf(row).find((object) => scanPath(object).schema === table)
}

function withDot(path: string): string {
  return path.endsWith('.') ? path : `${path}.`
}

/** The connection that `Interface` names; without it the one of the default route, else the only one. */
function connectionFor({ device, initial, tree }: AddContext): string | undefined {
  const named = initial('Interface')
  if (named !== undefined && named !== '') {
    const row = withDot(named)
    return objectIn(device, row, PPP) ?? objectIn(device, row, IP)
  }
  const service = tree.value('InternetGatewayDevice.Layer3Forwarding.DefaultConnectionService')
  if (service !== undefined && device.links.rowsOf(withDot(service)).length > 0) return withDot(service)
  const all = device.links.rowsIn('Device.NAT.InterfaceSetting.')
  return all.length === 1 ? device.links.objectsOf(all[0] ?? '')[0] : undefined
}

function firstLan(tree: RawLookup): string | undefined {
  return instancesOf(tree, 'InternetGatewayDevice.LANDevice.')[0]
}

function lanFor({ device, initial, tree }: AddContext): string | undefined {
  const named = initial('Interface')
  if (named === undefined || named === '') return firstLan(tree)
  return objectIn(device, withDot(named), 'InternetGatewayDevice.LANDevice.{i}.')
}

/** The WANConnectionDevice below `LowerLayers`: an Ethernet, ATM or PTM link, a VLAN or another connection. */
function connectionDeviceFor({ device, initial }: AddContext): string | undefined {
  const lower = initial('LowerLayers')
  if (lower === undefined || lower === '') return undefined
  const objects = device.links.objectsOf(withDot(lower))
  const below = objects.find((object) => scanPath(object).schema.startsWith(WCD))
  if (below === undefined) return undefined
  const isVlan = lower.startsWith('Device.Ethernet.VLANTermination.')
  if (isVlan && !objects.some((object) => scanPath(object).schema === WCD))
    throw new MappingRefusal(`${lower} is the VLAN of another connection alone; set LowerLayers to the link below it`)
  return below.slice(0, scanPath(below).cuts[1])
}

function lineTable({ outer, tree, initial }: AddContext): string | undefined {
  const service = outer.replace('Device.', 'InternetGatewayDevice.')
  const profiles = instancesOf(tree, `${service}VoiceProfile.`)
  const network = initial('Network')
  const named = network === undefined ? undefined : profiles.find((p) => lastNumber(p) === lastNumber(withDot(network)))
  const chosen = named ?? (profiles.length === 1 ? profiles[0] : undefined)
  return below(chosen, 'Line.')
}
