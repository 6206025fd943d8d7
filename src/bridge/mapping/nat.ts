import { isIPv4 } from 'node:net'
import { parsePorts, parsePrefix } from '../../routeros/index.ts'
import { inverted, ipv4, isTrue, wordIn } from './conversions.ts'
import type { ObjectMapping, SourceRow, Text } from './declaration.ts'
import { allOf, fixed, kept, keptReference, reference, rowsWith, shown, shownFrom } from './parameters.ts'
import { IP_INTERFACE } from './tables.ts'

const MENU = '/ip/firewall/nat'

/** Sign in the comment of a rule that the bridge has made, with the number that stays with the rule. */
const MARK = /^\[isthmus ([0-9a-z]{1,32})\] ?/

/** Returns the comment of a rule that the bridge makes: its sign, and the description. */
export function markedComment(mark: string, description: string): string {
  return `[isthmus ${mark}] ${description}`.trimEnd()
}

/** Returns the number in the sign of a rule; undefined for a rule that the bridge has not made. */
function markOf(comment: Text): Text {
  return MARK.exec(comment ?? '')?.[1]
}

const STATUS = shownFrom(['disabled', 'invalid'], ([disabled, invalid]) =>
  isTrue(disabled) ? 'Disabled' : isTrue(invalid) ? 'Error_Misconfigured' : 'Enabled',
)

const MASQUERADE: ObjectMapping = {
  object: 'Device.NAT.InterfaceSetting.{i}.',
  needs: [MENU],
  source: { menu: MENU },
  table: {
    key: allOf('out-interface', 'out-interface-list', 'src-address'),
    where: rowsWith(['chain', 'action'], ({ chain, action }) => chain === 'srcnat' && action === 'masquerade'),
  },
  parameters: {
    Enable: kept('disabled', inverted),
    Status: STATUS,
    Interface: reference('out-interface', [IP_INTERFACE]),
  },
}

const PROTOCOLS: Readonly<Record<string, string>> = { tcp: 'TCP', udp: 'UDP' }
/** Properties that tell rules apart which the bridge has not made. */
const MATCHERS = ['protocol', 'dst-address', 'dst-port', 'src-address', 'in-interface', 'in-interface-list']

/** Rules that TR-181 can say: one protocol, one port or range, one address inside. */
const isMapping = rowsWith(
  ['chain', 'action', 'protocol', 'dst-port', 'to-addresses', 'src-port'],
  ({ chain, action, protocol, 'dst-port': ports, 'to-addresses': to, 'src-port': from }) =>
    chain === 'dstnat' &&
    action === 'dst-nat' &&
    (protocol === 'tcp' || protocol === 'udp') &&
    (from === undefined || from === '') &&
    addressOf(to) !== undefined &&
    (ports === undefined || ports === '' || parsePorts(ports)?.length === 1),
)

const MAPPINGS: ObjectMapping = {
  object: 'Device.NAT.PortMapping.{i}.',
  needs: [MENU],
  source: { menu: MENU },
  table: {
    key: {
      from: ['comment', ...MATCHERS],
      of: (row) => markOf(row.comment) ?? MATCHERS.map((name) => row[name] ?? '').join('|'),
    },
    where: isMapping,
    mayChange: rowsWith(['comment'], ({ comment }) => markOf(comment) !== undefined),
  },
  parameters: {
    Enable: kept('disabled', inverted),
    Status: STATUS,
    Origin: shownFrom(['comment', 'dynamic'], ([comment, dynamic]) =>
      isTrue(dynamic) ? 'UPnP' : markOf(comment) === undefined ? 'User' : 'Controller',
    ),
    Interface: keptReference('in-interface', [IP_INTERFACE]),
    AllInterfaces: shownFrom(['in-interface'], ([name]) => String(name === undefined || name === '')),
    LeaseDuration: fixed('0'),
    RemoteHost: shown('src-address', { read: (text) => (text === undefined ? '' : (addressOf(text) ?? text)) }),
    ExternalPort: shownFrom(['dst-port'], ([ports]) => String(range(ports)?.from ?? 0)),
    ExternalPortEndRange: shownFrom(['dst-port'], ([ports]) => {
      const found = range(ports)
      return String(found === undefined || found.to === found.from ? 0 : found.to)
    }),
    InternalPort: shownFrom(['to-ports', 'dst-port'], ([to, ports]) => String((range(to) ?? range(ports))?.from ?? 0)),
    Protocol: shownFrom(['protocol'], ([protocol]) => wordIn(PROTOCOLS, protocol)),
    InternalClient: kept('to-addresses', { ...ipv4, read: (text) => addressOf(text) ?? '' }),
    Description: shownFrom(['comment'], ([comment]) => (comment ?? '').replace(MARK, '').slice(0, 256)),
  },
}

export const NAT_OBJECTS = [MASQUERADE, MAPPINGS]

/** The only address of a text; undefined for a range or a network. */
function addressOf(text: SourceRow[string] | undefined): Text {
  const prefix = parsePrefix(text ?? '')
  return prefix !== undefined && isIPv4(prefix.address) && prefix.bits === 32 ? prefix.address : undefined
}

function range(ports: Text) {
  return ports === undefined || ports === '' ? undefined : parsePorts(ports)?.[0]
}
