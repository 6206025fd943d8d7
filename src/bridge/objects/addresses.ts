import { isIPv4 } from 'node:net'
import { networkOf } from '../../routeros/index.ts'
import { IP_INTERFACE } from '../mapping/tables.ts'
import { type Draft, DraftRefusal } from '../write/draft.ts'
import { type ChangedRow, disabledOf, type ObjectWriter, pathsOf } from '../write/object-writer.ts'
import type { Values } from '../write/write-step.ts'
import { prefixOf } from './ipv4.ts'

/** Addresses of interfaces: TR-181 has address and mask apart. */
const ADDRESSES: ObjectWriter = {
  object: 'Device.IP.Interface.{i}.IPv4Address.{i}.',
  parameters: ['IPAddress', 'SubnetMask'],
  async set({ path, instance, values }, draft) {
    const address = addressOf(path, values)
    const paths = pathsOf(path, { address: 'IPAddress' })
    draft.change('/ip/address', instance.match, { address }, { path, paths })
    return address
  },
  async add({ table, above, values, row }, draft) {
    const name = above?.called
    if (name === undefined) throw new DraftRefusal(table, 7017, 'an address belongs to an interface')
    const address = addressOf(`${table}{i}.`, values)
    draft.add({
      menu: '/ip/address',
      values: { address, interface: name, disabled: disabledOf(values.Enable) },
      path: table,
      paths: pathsOf(`${table}{i}.`, { address: 'IPAddress', disabled: 'Enable' }),
      row,
    })
    return address
  },
  async remove({ path, instance }, draft) {
    draft.remove({ menu: '/ip/address', match: instance.match, path })
  },
}

function addressOf(path: string, { IPAddress = '', SubnetMask = '' }: Values): string {
  return prefixOf(IPAddress, SubnetMask, { address: `${path}IPAddress`, mask: `${path}SubnetMask` })
}

/** Static routes. */
const ROUTES: ObjectWriter = {
  object: 'Device.Routing.Router.{i}.IPv4Forwarding.{i}.',
  parameters: ['DestIPAddress', 'DestSubnetMask', 'GatewayIPAddress', 'Interface', 'ForwardingMetric'],
  async set(row, draft) {
    const { path, instance, values } = row
    const change = await routeOf(path, values, draft, wantsAddress(row))
    draft.change('/ip/route', instance.match, change, { path, paths: ROUTE_PATHS(path) })
    return instance.mapping.table?.key.of({ ...instance.row, ...change })
  },
  async add({ table, values, row }, draft) {
    const path = `${table}{i}.`
    const change = await routeOf(path, values, draft, (values.GatewayIPAddress ?? '') !== '')
    const own = { ...change, disabled: disabledOf(values.Enable) }
    draft.add({ menu: '/ip/route', values: own, path: table, paths: ROUTE_PATHS(path), row })
    return ''
  },
  async remove({ path, instance }, draft) {
    draft.remove({ menu: '/ip/route', match: instance.match, path })
  },
}

const ROUTE_PATHS = (path: string) =>
  pathsOf(path, {
    'dst-address': 'DestIPAddress',
    gateway: 'GatewayIPAddress',
    distance: 'ForwardingMetric',
    disabled: 'Enable',
  })

/** Of a route that has both, the gateway is meant unless the interface alone is given. */
function wantsAddress({ given, values }: ChangedRow): boolean {
  return (
    (values.GatewayIPAddress ?? '') !== '' && (given.Interface === undefined || given.GatewayIPAddress !== undefined)
  )
}

async function routeOf(
  path: string,
  values: Values,
  draft: Draft,
  byAddress: boolean,
): Promise<Record<string, string>> {
  const { DestIPAddress = '', DestSubnetMask = '', GatewayIPAddress = '', Interface = '' } = values
  const isDefault = DestIPAddress === '' || (DestIPAddress === '0.0.0.0' && ['', '0.0.0.0'].includes(DestSubnetMask))
  const paths = { address: `${path}DestIPAddress`, mask: `${path}DestSubnetMask` }
  const given = isDefault ? '0.0.0.0/0' : prefixOf(DestIPAddress, DestSubnetMask, paths)
  const [address = '', length = ''] = given.split('/')
  const gateway = byAddress ? GatewayIPAddress : await draft.nameAt(Interface, `${path}Interface`, [IP_INTERFACE])
  if (gateway === '') throw new DraftRefusal(`${path}GatewayIPAddress`, 7012, 'a route needs a gateway or an interface')
  if (byAddress && !isIPv4(gateway)) throw new DraftRefusal(`${path}GatewayIPAddress`, 7012, 'must be an IPv4 address')
  const metric = values.ForwardingMetric ?? '-1'
  return {
    'dst-address': networkOf(address, Number(length)),
    gateway,
    ...(metric === '-1' || metric === '0' ? {} : { distance: metric }),
  }
}

export const ADDRESS_WRITERS = [ADDRESSES, ROUTES]
