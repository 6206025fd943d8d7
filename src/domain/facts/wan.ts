import { type FactTree, isOn, type Reading } from './fact-tree.ts'
import { beganAt, type FactDerivation, type FactFields } from './group.ts'
import { type FactSources, WAN_STATES, type WanState } from './live-facts.ts'
import { countIn, ipv4In, isPublicIpv4, macIn, textIn, vlanIn } from './readings.ts'

const IP = 'Device.IP.Interface.'
const PPP = 'Device.PPP.Interface.'
const ROUTERS = 'Device.Routing.Router.'
const NAT = 'Device.NAT.InterfaceSetting.'
const VLAN = 'Device.Ethernet.VLANTermination.'
const LINK = 'Device.Ethernet.Link.'
const PORT = 'Device.Ethernet.Interface.'

/** Parameters that decide which connection is the internet connection. */
const DECIDING = [
  /^Device\.Routing\.Router\.\d+\.IPv4Forwarding\.\d+\.(Enable|Status|DestIPAddress|DestSubnetMask|Interface|ForwardingMetric)$/,
  /^Device\.NAT\.InterfaceSetting\.\d+\.(Enable|Interface)$/,
  /^Device\.(IP|PPP)\.Interface\.\d+\.(Enable|LowerLayers|Username)$/,
  /^Device\.Ethernet\.(VLANTermination|Link|Interface)\.\d+\.(LowerLayers|Upstream)$/,
]
/** Parameters that hold facts of a connection. */
const SHOWING = [
  /^Device\.PPP\.Interface\.\d+\.(ConnectionStatus|LastConnectionError|LastChange|Username|IPCP\.LocalIPAddress)$/,
  /^Device\.IP\.Interface\.\d+\.(Status|LastChange|IPv4Address\.\d+\.IPAddress)$/,
  /^Device\.Ethernet\.VLANTermination\.\d+\.VLANID$/,
  /^Device\.Ethernet\.(Link|Interface)\.\d+\.MACAddress$/,
]
const any = (patterns: readonly RegExp[], path: string) => patterns.some((pattern) => pattern.test(path))

/** The internet connection: its IP interface, and the PPP interface below it. */
interface Connection {
  ip?: string
  ppp?: string
}

/** The evidence that an interface is the internet connection, by what each is worth. */
const WORTH = { route: 4, nat: 3.5, ppp: 3, pppUser: 0.75, public: 1 } as const

/**
 * Returns the internet connection: the interface for which most speaks of the cheapest active default route, NAT, PPP
 * with a user, and a public address. So it stays the same while it is down and its route is gone, and it is found on
 * devices that give each of their connections a default route. Without any of these it is the first interface over a
 * port of the network.
 */
function internetConnection(tree: FactTree): Connection | undefined {
  const interfaces = tree.rows(IP).filter((row) => tree.isOn(`${row}Enable`))
  const over = ipOverPpp(tree, interfaces)
  // Some devices name the PPP interface below it.
  const asIp = (path: string) => over.get(path) ?? path
  const routes = defaultRoutes(tree)
  const cheapest = Math.min(...routes.map(({ metric }) => metric))
  const routed = new Set(routes.flatMap(({ path, metric }) => (metric === cheapest ? [asIp(path)] : [])))
  const translated = new Set(natInterfaces(tree).map(asIp))
  const worth = (path: string) => {
    const ppp = pppBelow(tree, path)
    const hasUser = ppp !== undefined && textIn(tree.get(`${ppp}Username`)) !== undefined
    return (
      (routed.has(path) ? WORTH.route : 0) +
      (translated.has(path) ? WORTH.nat : 0) +
      (ppp === undefined ? 0 : WORTH.ppp) +
      (hasUser ? WORTH.pppUser : 0) +
      (hasPublic(tree, path) ? WORTH.public : 0)
    )
  }
  const known = [...new Set([...routed, ...translated, ...interfaces])].filter((path) => path.startsWith(IP))
  const [best] = known.map((path) => ({ path, worth: worth(path) })).sort((a, b) => b.worth - a.worth)
  const ip = best !== undefined && best.worth > 0 ? best.path : interfaces.find((row) => isUpstream(tree, row))
  if (ip !== undefined) {
    const ppp = pppBelow(tree, ip)
    return ppp === undefined ? { ip } : { ip, ppp }
  }
  const ppp =
    [...routed, ...translated].find((path) => path.startsWith(PPP)) ??
    tree.rows(PPP).find((row) => tree.isOn(`${row}Enable`))
  return ppp === undefined ? undefined : { ppp }
}

/** The interfaces of active routes to everywhere, with their costs. */
function defaultRoutes(tree: FactTree): { path: string; metric: number }[] {
  const routes = tree.rows(ROUTERS).flatMap((router) => tree.rows(`${router}IPv4Forwarding.`))
  const active = routes.filter(
    (row) =>
      tree.isOn(`${row}Enable`) &&
      /^(Enabled)?$/i.test(tree.get(`${row}Status`) ?? '') &&
      ['DestIPAddress', 'DestSubnetMask'].every((name) => /^(0\.0\.0\.0)?$/.test(tree.get(row + name)?.trim() ?? '')),
  )
  const metric = (row: string) => countIn(tree.get(`${row}ForwardingMetric`)) ?? Number.MAX_SAFE_INTEGER
  return active.flatMap((row) => tree.references(`${row}Interface`).map((path) => ({ path, metric: metric(row) })))
}

function natInterfaces(tree: FactTree): string[] {
  return tree.rows(NAT).flatMap((row) => (tree.isOn(`${row}Enable`) ? tree.references(`${row}Interface`) : []))
}

/** Returns the IP interface right above each PPP interface, of several the first. */
function ipOverPpp(tree: FactTree, interfaces: readonly string[]): Map<string, string> {
  const over = new Map<string, string>()
  for (const row of interfaces)
    for (const lower of tree.references(`${row}LowerLayers`))
      if (lower.startsWith(PPP) && !over.has(lower)) over.set(lower, row)
  return over
}

function pppBelow(tree: FactTree, ip: string): string | undefined {
  return tree.layers(ip).find((layer) => layer.startsWith(PPP))
}

function hasPublic(tree: FactTree, ip: string): boolean {
  return addressOf(tree, ip).some(({ address }) => address !== undefined && isPublicIpv4(address))
}

function isUpstream(tree: FactTree, ip: string): boolean {
  return tree
    .layers(ip)
    .some(
      (layer) =>
        /^Device\.(Optical|DSL|Cellular|DOCSIS|XPON|ATM|PTM)\./.test(layer) ||
        (tree.get(`${layer}Upstream`) !== undefined && isOn(tree.get(`${layer}Upstream`))),
    )
}

function addressOf(tree: FactTree, ip: string): { path: string; address: string | undefined }[] {
  return tree.rows(`${ip}IPv4Address.`).flatMap((row) => {
    const value = tree.get(`${row}IPAddress`)
    return value === undefined ? [] : [{ path: `${row}IPAddress`, address: ipv4In(value) }]
  })
}

/** Returns the parameters that the facts of a connection are read from. */
function sourcesOf(tree: FactTree, { ip, ppp }: Connection): FactSources {
  const layers = tree.layers(ip ?? ppp ?? '')
  const known = (...paths: (string | undefined)[]) =>
    paths.find((path) => path !== undefined && tree.get(path) !== undefined)
  const of = (row: string | undefined, name: string) => (row === undefined ? undefined : row + name)
  const below = (table: string, name: string) =>
    layers.filter((layer) => layer.startsWith(table)).map((layer) => layer + name)
  const addresses = ip === undefined ? [] : addressOf(tree, ip)
  const found: Record<string, string | undefined> = {
    state: known(of(ppp, 'ConnectionStatus'), of(ip, 'Status')),
    lastError: known(of(ppp, 'LastConnectionError')),
    ipAddress:
      addresses.find(({ address }) => address !== undefined)?.path ??
      known(of(ppp, 'IPCP.LocalIPAddress')) ??
      addresses[0]?.path,
    macAddress: known(...below(LINK, 'MACAddress'), ...below(PORT, 'MACAddress')),
    pppUser: known(of(ppp, 'Username')),
    vlanId: known(...below(VLAN, 'VLANID')),
    upSince: known(of(ppp, 'LastChange'), of(ip, 'LastChange')),
  }
  return Object.fromEntries(Object.entries(found).flatMap(([fact, path]) => (path === undefined ? [] : [[fact, path]])))
}

/** Returns the fields that the source of a fact gives. */
function fieldsOf(fact: string, { value, at }: Reading, before: FactFields): FactFields {
  if (fact === 'state') {
    const state = stateIn(value)
    // A report of the connection alone: it is up since then, where it was not before.
    const isNew = before.state !== undefined && before.state !== state
    const began = state === 'Connected' && isNew ? at : before.upSince
    return { state, upSince: state === 'Connected' ? began : undefined }
  }
  if (fact === 'lastError') return { lastError: /^(ERROR_)?NONE$/i.test(value.trim()) ? undefined : textIn(value) }
  if (fact === 'ipAddress') return { ipAddress: ipv4In(value) }
  if (fact === 'macAddress') return { macAddress: macIn(value) }
  if (fact === 'pppUser') return { pppUser: textIn(value) }
  if (fact === 'vlanId') return { vlanId: vlanIn(value) }
  return { upSince: before.state === 'Connected' ? beganAt(countIn(value), at, before.upSince) : undefined }
}

/** Returns the state in the words of PPP; an IP interface that is `Up` is connected. */
function stateIn(text: string): WanState | undefined {
  const word = text.trim().toLowerCase()
  const known = WAN_STATES.find((state) => state.toLowerCase() === word)
  if (known !== undefined) return known
  if (word === 'up') return 'Connected'
  if (word === 'dormant') return 'Connecting'
  return ['down', 'lowerlayerdown', 'notpresent', 'error'].includes(word) ? 'Disconnected' : undefined
}

/** The connection, by its present layers; LastChange is read behind the state that it belongs to. */
export const WAN: FactDerivation = {
  tables: [PPP, IP, ROUTERS, NAT, VLAN, LINK, PORT],
  objects: [],
  bears: (path) => any(DECIDING, path) || any(SHOWING, path),
  derive(tree, before) {
    const connection = internetConnection(tree)
    if (connection === undefined) return {}
    const sources = sourcesOf(tree, connection)
    let fields: FactFields = {}
    for (const [fact, path] of Object.entries(sources)) {
      const reading = tree.at(path)
      if (reading === undefined) continue
      fields = { ...fields, ...fieldsOf(fact, reading, { ...before, ...fields }) }
    }
    const where = (connection.ip ?? connection.ppp ?? '').replace(/\.$/, '')
    return { ...fields, interface: where, sources }
  },
  take(fact, reading, before) {
    const fields = fieldsOf(fact, reading, before)
    // The connection may have another address, or another row of addresses.
    return fact === 'ipAddress' && fields.ipAddress === undefined && before.ipAddress !== undefined ? undefined : fields
  },
  matters(path, { value }, before) {
    if (any(DECIDING, path)) return true
    const sources = (before.sources ?? {}) as FactSources
    // The first report of a connection, and a fact that it did not have.
    if (typeof before.interface !== 'string') return true
    const own = path.startsWith(`${before.interface}.`) || Object.values(sources).some((one) => sameRow(one, path))
    if (!own) return false
    return !(path.endsWith('.IPAddress') && before.ipAddress !== undefined) && textIn(value) !== undefined
  },
}

function sameRow(source: string, path: string): boolean {
  return source.slice(0, source.lastIndexOf('.')) === path.slice(0, path.lastIndexOf('.'))
}
