import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One parameter as a device shows it. */
export interface TreeValue {
  value: string
  type: string
  writable: boolean
}

/** All parameters of a test device by full path, in the order in which it names them. */
export type DeviceTree = ReadonlyMap<string, TreeValue>

/** The facts of a test device, in plain units. Absent: the device does not show the fact. */
export interface DeviceFacts {
  /** The vendor family by the extensions in the tree; absent: none. */
  family?: string
  model: string
  upTimeS: number
  cpuPercent?: number
  memory?: { totalKib: number; freeKib: number } | { usedPercent: number }
  optics?: { rxDbm: number; txDbm: number; temperatureC?: number; voltageMv?: number; biasUa?: number }
  ponMode?: string
  pppoe: { user: string; status: string; lastError: string; ip: string; vlan?: number }
  /** VLAN of bridges, where the device has the VLAN of its lines there. */
  bridgeVlans?: number[]
  /** SSIDs that are on. */
  ssids: Partial<Record<Band, string[]>>
  /** Mode of security, by SSID. */
  security?: Record<string, string>
  /** True when the SSID is shown to everybody. */
  advertised?: Record<string, boolean>
  radios?: Partial<Record<Band, boolean>>
  channels?: Partial<Record<Band, number>>
  widths?: Partial<Record<Band, string>>
  hosts: { mac: string; ip: string; name: string; active?: boolean }[]
  stations: { mac: string; ssid: string; rssiDbm?: number; snrDb?: number; rateKbps?: number }[]
  /** Serial number of the ONU: the vendor's four letters and eight hex digits. */
  onuSerial?: string
  cellular?: { rssiDbm: number; rsrpDbm: number; rsrqDb: number }
}

export type Band = '2.4GHz' | '5GHz' | '6GHz'

const FOLDER = join(import.meta.dirname, '../fixtures/trees')
/** The router of TR-098 whose repeated rows are made by {@link readTree}, and the size that it has with them. */
const ROUTER = 'tr098-router'
const ROUTER_PARAMETERS = 3000

/** Names of all test devices. */
export const TREE_NAMES: readonly string[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.expected.json'))
  .map((name) => name.replace('.expected.json', ''))
  .sort()

/** Returns the tree of a test device; the file has `path: [value, type, writable]`. */
export function readTree(name: string): DeviceTree {
  const rows = Object.entries(readJson<Record<string, [string, string, boolean]>>(`${name}.json`))
  const tree = new Map(rows.map(([path, [value, type, writable]]) => [path, { value, type, writable }]))
  if (name === ROUTER) addRows(tree, ROUTER_PARAMETERS)
  return tree
}

/** Returns the facts that the device has, written by hand beside its tree. */
export function expectedFacts(name: string): DeviceFacts {
  return readJson<DeviceFacts>(`${name}.expected.json`)
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as T
}

/** Adds 60 hosts that are not there now, and port mappings up to the number of parameters. */
function addRows(tree: Map<string, TreeValue>, parameters: number): void {
  const add = (path: string, value: string, type = 'string', writable = false) => {
    if (tree.size < parameters) tree.set(path, { value, type, writable })
  }
  for (let host = 2; host <= 61; host++) {
    const object = `InternetGatewayDevice.LANDevice.1.Hosts.Host.${host}.`
    add(`${object}IPAddress`, `192.168.1.${host + 1}`)
    add(`${object}AddressSource`, 'DHCP')
    add(`${object}LeaseTimeRemaining`, String(600 * host), 'int')
    add(`${object}MACAddress`, `02:00:00:00:00:${host.toString(16).padStart(2, '0')}`)
    add(`${object}HostName`, `host-${host}`)
    add(`${object}InterfaceType`, host % 2 === 0 ? 'Ethernet' : '802.11')
    add(`${object}Active`, '0', 'boolean')
    add(`${object}VendorClassID`, '')
    add(`${object}ClientID`, '')
    add(`${object}UserClassID`, '')
    add(`${object}Layer2Interface`, '')
  }
  for (let row = 1; tree.size < parameters; row++) {
    const object = `InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.PortMapping.${row}.`
    add(`${object}PortMappingEnabled`, row % 5 === 0 ? '0' : '1', 'boolean', true)
    add(`${object}PortMappingLeaseDuration`, '0', 'unsignedInt', true)
    add(`${object}RemoteHost`, '', 'string', true)
    add(`${object}ExternalPort`, String(20_000 + row), 'unsignedInt', true)
    add(`${object}ExternalPortEndRange`, '0', 'unsignedInt', true)
    add(`${object}InternalPort`, String(1000 + row), 'unsignedInt', true)
    add(`${object}PortMappingProtocol`, row % 2 === 0 ? 'UDP' : 'TCP', 'string', true)
    add(`${object}InternalClient`, `192.168.1.${3 + (row % 60)}`, 'string', true)
    add(`${object}PortMappingDescription`, `rule ${row}`, 'string', true)
  }
}
