import type { Numbering } from '../tree/instance-map.ts'
import { instancesOf, type RawLookup } from '../tree/raw-tree.ts'
import type { BandLayout } from './band.ts'

/** The parts that an instance rule gets. */
export interface RuleContext {
  tree: RawLookup
  numbers: Numbering
  /** Bands of the radio networks, where the model or family of the device is known to have them so. */
  layout: BandLayout | undefined
}

/** Returns the LANDevice, WANDevice... rows of a device, in the order of their numbers. */
export function topTable(tree: RawLookup, name: string): string[] {
  return instancesOf(tree, `InternetGatewayDevice.${name}.`)
}

/** Returns the WANConnectionDevice rows below a WANDevice, or of all, in the order W, c. */
export function connectionDevices(tree: RawLookup): string[] {
  return topTable(tree, 'WANDevice').flatMap((wan) => instancesOf(tree, `${wan}WANConnectionDevice.`))
}

/** A WAN connection of either kind. */
export interface Connection {
  /** e.g. `InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.` */
  object: string
  wan: string
  wcd: string
  kind: 'ip' | 'ppp'
}

/** ConnectionType of connections that carry frames instead of an address (TR-098), and the words that vendors add. */
const BRIDGED = new Set(['ip_bridged', 'pppoe_bridged', 'dhcp_spoofed', 'pppoe_relay', 'pptp_relay', 'l2tp_relay'])

/** Returns false for a connection that is bridged or relayed: it has no IP interface. */
function isRouted(type: string | undefined): boolean {
  if (type === undefined) return true
  const word = type.trim().toLowerCase()
  return !BRIDGED.has(word) && !word.includes('bridge') && !word.endsWith('_relay')
}

/** Returns the routed connections in the order W, c, IP before PPP, n. */
export function routedConnections(tree: RawLookup): Connection[] {
  return allConnections(tree).filter(({ object }) => isRouted(tree.value(`${object}ConnectionType`)))
}

/** Returns all connections in the same order, bridged ones included. */
export function allConnections(tree: RawLookup): Connection[] {
  const found: Connection[] = []
  for (const wan of topTable(tree, 'WANDevice'))
    for (const wcd of instancesOf(tree, `${wan}WANConnectionDevice.`)) {
      for (const object of instancesOf(tree, `${wcd}WANIPConnection.`)) found.push({ object, wan, wcd, kind: 'ip' })
      for (const object of instancesOf(tree, `${wcd}WANPPPConnection.`)) found.push({ object, wan, wcd, kind: 'ppp' })
      if (found.length > MAX_CONNECTIONS) return found.slice(0, MAX_CONNECTIONS)
    }
  return found
}

/** More connections than any device has. */
const MAX_CONNECTIONS = 128

/** Returns a MAC address in lower case without separators; undefined for a text that is none. */
export function macKey(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 32) return undefined
  let key = ''
  for (const char of text.toLowerCase()) {
    if ((char >= '0' && char <= '9') || (char >= 'a' && char <= 'f')) key += char
    else if (char !== ':' && char !== '-' && char !== '.') return undefined
  }
  return key.length === 12 && key !== '000000000000' ? key : undefined
}

/** Returns true when an object has names below it. */
export function exists(tree: RawLookup, object: string): boolean {
  return tree.children(object).length > 0
}
