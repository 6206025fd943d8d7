import { isIPv4 } from 'node:net'
import { addressNumber, bitsOf, isInNetwork, networkOf, type RouterRow } from '../../routeros/index.ts'
import { IP_INTERFACE } from '../mapping/tables.ts'
import { type Draft, DraftRefusal } from '../write/draft.ts'
import { disabledOf, type ObjectWriter, pathsOf } from '../write/object-writer.ts'
import type { RowMatch, Values } from '../write/write-step.ts'

const SERVER = '/ip/dhcp-server'
const NETWORK = '/ip/dhcp-server/network'
const POOL = '/ip/pool'
const LEASE = '/ip/dhcp-server/lease'
const RANGE = ['MinAddress', 'MaxAddress'] as const
const OF_NETWORK = ['SubnetMask', 'DNSServers', 'DomainName', 'IPRouters'] as const

/** Servers with their pool and network, which are rows of three menus. */
const POOLS: ObjectWriter = {
  object: 'Device.DHCPv4.Server.Pool.{i}.',
  parameters: [...RANGE, ...OF_NETWORK, 'LeaseTime'],
  async set({ path, instance, given, values }, draft) {
    const server = await draft.row(instance, SERVER, path, ['name', 'address-pool', 'interface'])
    const paths = PATHS(path)
    if (given.LeaseTime !== undefined)
      draft.change(SERVER, instance.match, { 'lease-time': leaseTime(path, values) }, { path, paths })
    if (RANGE.some((name) => given[name] !== undefined)) {
      const match = await poolOf(path, server, draft)
      draft.change(POOL, match, { ranges: rangeOf(path, values) }, { path, paths })
    }
    const changed = OF_NETWORK.filter((name) => given[name] !== undefined)
    if (changed.length === 0) return undefined
    const network = await networkRow(path, values, instance.row.first ?? '', draft)
    const wanted = networkValues(path, values)
    const names: Record<string, string> = {
      SubnetMask: 'address',
      DNSServers: 'dns-server',
      DomainName: 'domain',
      IPRouters: 'gateway',
    }
    const change = Object.fromEntries(changed.map((name) => [names[name] ?? '', wanted[names[name] ?? ''] ?? '']))
    draft.change(NETWORK, { properties: { address: network } }, change, { path, paths })
    return undefined
  },
  async add({ table, values, row }, draft) {
    const path = `${table}{i}.`
    const paths = PATHS(path)
    const subject = { path: table, paths, row }
    const name = await draft.nameAt(values.Interface ?? '', `${path}Interface`, [IP_INTERFACE])
    if (name === '') throw new DraftRefusal(`${path}Interface`, 7012, 'must be given')
    const own = await freeName(`isthmus-${name}`, draft)
    draft.add({ menu: POOL, values: { name: own, ranges: rangeOf(path, values) }, ...subject })
    const network = networkValues(path, values)
    const networks = await draft.rows.all(NETWORK, ['address'])
    if (!networks.some(({ address }) => address === network.address))
      draft.add({ menu: NETWORK, values: filled(network), ...subject })
    const server = { name: own, interface: name, 'address-pool': own, disabled: disabledOf(values.Enable) }
    const time = values.LeaseTime === undefined ? {} : { 'lease-time': leaseTime(path, values) }
    draft.add({ menu: SERVER, values: { ...server, ...time }, ...subject })
    return own
  },
  async remove({ path, instance }, draft) {
    const server = await draft.row(instance, SERVER, path, ['name', 'address-pool'])
    const pool = server['address-pool'] ?? ''
    const servers = await draft.rows.all(SERVER, ['name', 'address-pool'])
    const isShared = servers.filter((row) => row['address-pool'] === pool).length > 1
    draft.remove({ menu: SERVER, match: instance.match, path })
    const network = instance.row.network
    // A pool and a network of another hand may have other users.
    if (isShared || !pool.startsWith('isthmus-')) return
    if (network !== undefined) draft.remove({ menu: NETWORK, match: { properties: { address: network } }, path })
    draft.remove({ menu: POOL, match: { properties: { name: pool } }, path })
  },
}

const PATHS = (path: string) =>
  pathsOf(path, {
    ranges: 'MinAddress',
    address: 'SubnetMask',
    'dns-server': 'DNSServers',
    domain: 'DomainName',
    gateway: 'IPRouters',
    'lease-time': 'LeaseTime',
    interface: 'Interface',
    disabled: 'Enable',
  })

function rangeOf(path: string, { MinAddress = '', MaxAddress = '' }: Values): string {
  if (!isIPv4(MinAddress)) throw new DraftRefusal(`${path}MinAddress`, 7012, 'must be an IPv4 address')
  if (!isIPv4(MaxAddress) || addressNumber(MaxAddress) < addressNumber(MinAddress))
    throw new DraftRefusal(`${path}MaxAddress`, 7012, 'must be an IPv4 address that is not below MinAddress')
  return `${MinAddress}-${MaxAddress}`
}

function leaseTime(path: string, { LeaseTime = '' }: Values): string {
  if (!/^\d{1,9}$/.test(LeaseTime))
    throw new DraftRefusal(
      `${path}LeaseTime`,
      7012,
      'must be a number of seconds: the router has no lease without an end',
    )
  return `${LeaseTime}s`
}

function networkValues(path: string, values: Values): Record<string, string> {
  const { SubnetMask = '', MinAddress = '', DNSServers = '', DomainName = '', IPRouters = '' } = values
  const length = bitsOf(SubnetMask)
  if (length === undefined) throw new DraftRefusal(`${path}SubnetMask`, 7012, 'must be a netmask')
  const address = networkOf(MinAddress, length)
  if (values.MaxAddress !== undefined && !isInNetwork(values.MaxAddress, address))
    throw new DraftRefusal(`${path}MaxAddress`, 7012, 'must be in the network of MinAddress')
  return { address, gateway: IPRouters, 'dns-server': DNSServers, domain: DomainName }
}

function filled(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''))
}

/** The pool of a server, of which the bridge writes one that has a single range. */
async function poolOf(path: string, server: RouterRow, { rows }: Draft): Promise<RowMatch> {
  const match = { properties: { name: server['address-pool'] ?? '' } }
  const pool = await rows.find(POOL, match, ['ranges'])
  if (pool === undefined) throw new DraftRefusal(`${path}MinAddress`, 7012, 'the server has no pool of its own')
  if ((pool.ranges ?? '').includes(','))
    throw new DraftRefusal(`${path}MinAddress`, 7012, 'the pool has several ranges')
  return match
}

/** The address of the network that the server gives out, by the first address of its pool before the change. */
async function networkRow(path: string, values: Values, before: string, { rows }: Draft): Promise<string> {
  const first = before === '' ? (values.MinAddress ?? '') : before
  const found = (await rows.all(NETWORK, ['address'])).find(({ address = '' }) => isInNetwork(first, address))
  if (found?.address === undefined) throw new DraftRefusal(`${path}SubnetMask`, 7012, 'the server has no network')
  return found.address
}

async function freeName(wanted: string, { rows }: Draft): Promise<string> {
  const taken = new Set(
    [...(await rows.all(POOL, ['name'])), ...(await rows.all(SERVER, ['name']))].map(({ name }) => name),
  )
  let name = wanted.slice(0, 56)
  for (let i = 2; taken.has(name); i++) name = `${wanted.slice(0, 56)}-${i}`
  return name
}

/** Reservations of a server. */
const RESERVATIONS: ObjectWriter = {
  object: 'Device.DHCPv4.Server.Pool.{i}.StaticAddress.{i}.',
  parameters: [],
  async add({ table, above, values, row }, draft) {
    const path = `${table}{i}.`
    const server = above?.called
    if (server === undefined) throw new DraftRefusal(table, 7017, 'a reservation belongs to a server')
    const { Chaddr = '', Yiaddr = '' } = values
    draft.add({
      menu: LEASE,
      values: { 'mac-address': Chaddr, address: Yiaddr, server },
      path: table,
      paths: pathsOf(path, { 'mac-address': 'Chaddr', address: 'Yiaddr' }),
      row,
    })
    return Chaddr.toUpperCase().replaceAll('-', ':')
  },
  async remove({ path, instance }, draft) {
    draft.remove({ menu: LEASE, match: instance.match, path })
  },
}

/** Clients; the router has one at most on an interface. */
const CLIENTS: ObjectWriter = {
  object: 'Device.DHCPv4.Client.{i}.',
  parameters: [],
  async add({ table, values, row }, draft) {
    const path = `${table}{i}.`
    const name = await draft.nameAt(values.Interface ?? '', `${path}Interface`, [IP_INTERFACE])
    if (name === '') throw new DraftRefusal(`${path}Interface`, 7012, 'must be given')
    draft.add({
      menu: '/ip/dhcp-client',
      values: { interface: name, disabled: disabledOf(values.Enable) },
      path: table,
      paths: pathsOf(path, { interface: 'Interface', disabled: 'Enable' }),
      row,
    })
    return name
  },
  async remove({ path, instance }, draft) {
    draft.remove({ menu: '/ip/dhcp-client', match: instance.match, path })
  },
}

/** Servers of DNS that are set: they are one list. */
const DNS_SERVERS: ObjectWriter = {
  object: 'Device.DNS.Client.Server.{i}.',
  parameters: ['DNSServer', 'Enable'],
  async set({ path, instance, given, values }, draft) {
    if (given.Enable !== undefined && disabledOf(given.Enable) === 'yes')
      throw new DraftRefusal(`${path}Enable`, 7012, 'cannot be false: delete the server instead')
    const before = staticServer(path, instance.row)
    const after = values.DNSServer ?? ''
    const subject = { path, paths: pathsOf(path, { servers: 'DNSServer' }) }
    await draft.edit('/ip/dns', { properties: {} }, 'servers', subject, (items) =>
      items.map((one) => (one === before ? after : one)),
    )
    return `static|${after}`
  },
  async add({ table, values, row }, draft) {
    const server = values.DNSServer ?? ''
    if (server === '') throw new DraftRefusal(`${table}{i}.DNSServer`, 7012, 'must be given')
    if (values.Enable !== undefined && disabledOf(values.Enable) === 'yes')
      throw new DraftRefusal(
        `${table}{i}.Enable`,
        7012,
        'cannot be false: the router has no server that is switched off',
      )
    const subject = { path: table, paths: pathsOf(`${table}{i}.`, { servers: 'DNSServer' }), row }
    await draft.edit('/ip/dns', { properties: {} }, 'servers', subject, (items) => [...items, server])
    return `static|${server}`
  },
  async remove({ path, instance }, draft) {
    const server = staticServer(path, instance.row)
    await draft.edit('/ip/dns', { properties: {} }, 'servers', { path }, (items) =>
      items.filter((one) => one !== server),
    )
  },
}

function staticServer(path: string, { type, server = '' }: RouterRow): string {
  if (type !== 'Static') throw new DraftRefusal(path, 7013, 'this server was given by the line')
  return server
}

export const DHCP_WRITERS = [POOLS, RESERVATIONS, CLIENTS, DNS_SERVERS]
