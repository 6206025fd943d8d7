import { isIPv4 } from 'node:net'
import { isInNetwork } from '../../routeros/index.ts'
import { markedComment } from '../mapping/nat.ts'
import { IP_INTERFACE } from '../mapping/tables.ts'
import { type Draft, DraftRefusal } from '../write/draft.ts'
import { disabledOf, type ObjectWriter, pathsOf } from '../write/object-writer.ts'
import type { RowMatch, Values } from '../write/write-step.ts'

const MENU = '/ip/firewall/nat'
/** The list of interfaces towards the Internet that the configuration of delivery has. */
const WAN = 'WAN'

/** Returns the writer of port mappings; `newMark` returns the sign of a new rule. */
export function portMappings(newMark: () => string): ObjectWriter {
  return {
    object: 'Device.NAT.PortMapping.{i}.',
    parameters: [
      'Enable',
      'Interface',
      'AllInterfaces',
      'RemoteHost',
      'ExternalPort',
      'ExternalPortEndRange',
      'InternalPort',
      'Protocol',
      'InternalClient',
      'Description',
      'LeaseDuration',
    ],
    async set({ path, instance, given, values }, draft) {
      // An interface that is given alone ends a mapping of all of them.
      const isOne = (given.Interface ?? '') !== '' && given.AllInterfaces === undefined
      const wanted = isOne ? { ...values, AllInterfaces: 'false' } : values
      const rule = await ruleOf(path, wanted, draft, instance.key)
      if (given.InternalClient !== undefined) await checkClient(path, given.InternalClient, draft)
      const now = await draft.row(instance, MENU, path, Object.keys(rule))
      const change = Object.entries(rule).flatMap(([name, value]) =>
        value === '' && (now[name] ?? '') === '' ? [] : [[name, value === '' ? null : value]],
      )
      draft.change(MENU, instance.match, Object.fromEntries(change), { path, paths: PATHS(path) })
      return undefined
    },
    async add({ table, values, row }, draft) {
      const path = `${table}{i}.`
      const mark = newMark()
      const rule = await ruleOf(path, values, draft, mark)
      await checkClient(path, values.InternalClient ?? '', draft)
      const filled = Object.entries(rule).filter(([, value]) => value !== '')
      const before = await firstForeign(draft)
      draft.add({
        menu: MENU,
        values: { chain: 'dstnat', action: 'dst-nat', ...Object.fromEntries(filled) },
        ...(before === undefined ? {} : { before }),
        path: table,
        paths: PATHS(path),
        row,
      })
      return mark
    },
    async remove({ path, instance }, draft) {
      draft.remove({ menu: MENU, match: instance.match, path })
    },
  }
}

const PATHS = (path: string) =>
  pathsOf(path, {
    'dst-port': 'ExternalPort',
    'to-ports': 'InternalPort',
    'to-addresses': 'InternalClient',
    'src-address': 'RemoteHost',
    'in-interface': 'Interface',
    'in-interface-list': 'AllInterfaces',
    protocol: 'Protocol',
    comment: 'Description',
    disabled: 'Enable',
  })

/** All properties of a rule; empty ones are not set. */
async function ruleOf(path: string, values: Values, draft: Draft, mark: string): Promise<Record<string, string>> {
  const refuse = (name: string, text: string): never => {
    throw new DraftRefusal(path + name, 7012, text)
  }
  const { Protocol = '', InternalClient = '', RemoteHost = '', Description = '', LeaseDuration = '0' } = values
  const port = (name: string) => {
    const text = values[name] ?? '0'
    return /^\d{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : refuse(name, 'must be a port')
  }
  const [first, last, inner] = [port('ExternalPort'), port('ExternalPortEndRange'), port('InternalPort')]
  if (first === 0) refuse('ExternalPort', 'must not be 0: the bridge maps no port to all')
  if (last !== 0 && last < first) refuse('ExternalPortEndRange', 'must not be below ExternalPort')
  const size = last === 0 ? 0 : last - first
  const to = inner === 0 ? first : inner
  if (to + size > 65535) refuse('InternalPort', 'the range goes beyond 65535')
  if (Protocol !== 'TCP' && Protocol !== 'UDP') refuse('Protocol', 'must be TCP or UDP')
  if (LeaseDuration !== '0') refuse('LeaseDuration', 'must be 0: the router ends no mapping by itself')
  if (RemoteHost !== '' && !isIPv4(RemoteHost)) refuse('RemoteHost', 'must be an IPv4 address')
  if (!isIPv4(InternalClient)) refuse('InternalClient', 'must be an IPv4 address')
  const from = await inboundOf(path, values, draft)
  return {
    protocol: Protocol.toLowerCase(),
    'dst-port': size === 0 ? String(first) : `${first}-${last}`,
    'to-addresses': InternalClient,
    'to-ports': size === 0 ? String(to) : `${to}-${to + size}`,
    'src-address': RemoteHost,
    ...from,
    disabled: disabledOf(values.Enable),
    comment: markedComment(mark, Description),
  }
}

/** A client inside is in a network of the router, and is not the router itself. */
async function checkClient(path: string, client: string, { rows }: Draft): Promise<void> {
  const networks = await rows.all('/ip/address', ['address', 'disabled'])
  const isOfNetwork = networks.some(
    ({ address = '' }) => isInNetwork(client, address) && address.split('/')[0] !== client,
  )
  if (!isOfNetwork) throw new DraftRefusal(`${path}InternalClient`, 7012, 'must be in a network of the router')
}

/**
 * The interface, or the list of those towards the Internet: without either, a rule would take the connections of
 * the network inside to any address, too.
 */
async function inboundOf(path: string, values: Values, draft: Draft): Promise<Record<string, string>> {
  const all = ['true', '1'].includes(values.AllInterfaces ?? '')
  const name = all ? '' : await draft.nameAt(values.Interface ?? '', `${path}Interface`, [IP_INTERFACE])
  if (name === '' && ['false', '0'].includes(values.AllInterfaces ?? ''))
    throw new DraftRefusal(`${path}AllInterfaces`, 7012, 'cannot be false without an Interface')
  if (name !== '') return { 'in-interface': name, 'in-interface-list': '' }
  const lists = await draft.rows.allIfThere('/interface/list', ['name'])
  if (!lists.some((list) => list.name === WAN))
    throw new DraftRefusal(`${path}Interface`, 7012, 'must be given: the router has no list of interfaces named WAN')
  return { 'in-interface': '', 'in-interface-list': WAN }
}

/** The first rule for incoming connections that is not of the bridge: new ones come before it. */
async function firstForeign({ rows }: Draft): Promise<RowMatch | undefined> {
  const rules = await rows.all(MENU, ['chain', 'comment', 'dynamic'])
  const found = rules.find(
    ({ chain, comment = '', dynamic }) => chain === 'dstnat' && dynamic !== 'true' && !comment.startsWith('[isthmus '),
  )
  const id = found?.['.id']
  return id === undefined ? undefined : { properties: { chain: 'dstnat' }, id }
}
