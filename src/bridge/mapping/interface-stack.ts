import { isTrue } from './conversions.ts'
import type { DerivedRows, ObjectMapping, SourceRow } from './declaration.ts'
import { IP_INTERFACES } from './ip.ts'
import { allOf, reference } from './parameters.ts'
import { BRIDGE_PORT, ETHERNET, IP_INTERFACE, LINKS, PPP_INTERFACE, RADIO, SSID, VLAN_TERMINATION } from './tables.ts'

const TABLE = 'Device.InterfaceStack.{i}.'

/** Types of interfaces that have a table of TR-181. */
const LINK_TYPES = /^(ether|vlan|bridge|pppoe-out|lte|wifi|wlan)$/

/** Returns one kind of rows of the stack: what is named by `higher`, above what is named by `lower`. */
function stack(
  needs: readonly string[],
  source: DerivedRows,
  higher: readonly string[],
  lower: readonly string[],
): ObjectMapping {
  return {
    object: TABLE,
    needs,
    source,
    table: { key: allOf('higher', 'lower', 'layer') },
    parameters: { HigherLayer: reference('higher', higher), LowerLayer: reference('lower', lower) },
  }
}

function pairs(layer: string, rows: readonly SourceRow[], higher: string, lower: string): SourceRow[] {
  return rows.flatMap((row) => {
    const [above, below] = [row[higher] ?? '', row[lower] ?? '']
    return above === '' || below === '' || below === 'none' ? [] : [{ layer, higher: above, lower: below }]
  })
}

/** IP interfaces above their links, which have the same name. */
const IP_LAYER = stack(
  ['/interface', '/ip/address'],
  {
    readings: IP_INTERFACES.readings,
    rows: (by) =>
      pairs(
        'ip',
        IP_INTERFACES.rows(by).filter(({ type }) => LINK_TYPES.test(type ?? '')),
        'name',
        'name',
      ),
  },
  [IP_INTERFACE],
  LINKS,
)

/** Clients of PPPoE and VLANs above the interface that they go over. */
const LINK_LAYER = stack(
  ['/interface'],
  {
    readings: {
      ppp: { menu: '/interface/pppoe-client', properties: ['name', 'interface'] },
      vlans: { menu: '/interface/vlan', properties: ['name', 'interface'] },
    },
    rows: ({ ppp = [], vlans = [] }) => pairs('link', [...ppp, ...vlans], 'name', 'interface'),
  },
  [PPP_INTERFACE, VLAN_TERMINATION],
  LINKS,
)

/** Ports of bridges above their interfaces. */
const PORTS = { ports: { menu: '/interface/bridge/port', properties: ['bridge', 'interface', 'disabled'] } }

const PORT_LAYER = stack(
  ['/interface/bridge', '/interface/bridge/port'],
  {
    readings: PORTS,
    rows: ({ ports = [] }) => {
      const on = ports.filter(({ disabled }) => !isTrue(disabled))
      const named = on.map(({ bridge = '', interface: port = '' }) => ({ name: `${bridge}/${port}`, bridge, port }))
      return pairs('port', named, 'name', 'port')
    },
  },
  [BRIDGE_PORT],
  [ETHERNET, SSID, ...LINKS],
)

/** The management port of a bridge above its other ports. */
const BRIDGE_LAYER = stack(
  ['/interface/bridge', '/interface/bridge/port'],
  {
    readings: PORTS,
    rows: ({ ports = [] }) => {
      const on = ports.filter(({ disabled }) => !isTrue(disabled))
      const named = on.map(({ bridge = '', interface: port = '' }) => ({ bridge, port: `${bridge}/${port}` }))
      return pairs('bridge', named, 'bridge', 'port')
    },
  },
  [BRIDGE_PORT],
  [BRIDGE_PORT],
)

/** Networks of Wi-Fi above their radios. */
function wifiLayer(menu: string): ObjectMapping {
  return stack(
    [menu],
    {
      readings: { networks: { menu, properties: ['name', 'master-interface'] } },
      rows: ({ networks = [] }) => {
        const named = networks.map(({ name = '', 'master-interface': master = '' }) => ({
          name,
          radio: master === '' || master === 'none' ? name : master,
        }))
        return pairs('wifi', named, 'name', 'radio')
      },
    },
    [SSID],
    [RADIO],
  )
}

export const INTERFACE_STACK_OBJECTS = [
  IP_LAYER,
  LINK_LAYER,
  BRIDGE_LAYER,
  PORT_LAYER,
  ...['/interface/wifi', '/interface/wifiwave2', '/interface/wireless'].map(wifiLayer),
]
