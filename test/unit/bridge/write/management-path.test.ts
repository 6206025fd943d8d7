import { describe, expect, it } from 'vitest'
import { managementPath } from '../../../../src/bridge/write/management-path.ts'
import { RouterRows } from '../../../../src/bridge/write/router-rows.ts'
import { type RouterTables, TableRouter } from '../../../support/table-router.ts'

const DEFAULT_ROUTE = { '.id': '*1', 'dst-address': '0.0.0.0/0', gateway: '198.51.100.1', active: 'true' }
const LAN = { '.id': '*1', address: '192.168.88.1/24', interface: 'bridge' }
const WAN = { '.id': '*2', address: '198.51.100.7/24', interface: 'ether1' }

async function pathAt(tables: RouterTables, router: string, bridge: string) {
  const one = new TableRouter({ '/ip/address': [LAN, WAN], '/ip/route': [DEFAULT_ROUTE], ...tables })
  one.remoteAddress = router
  one.localAddress = bridge
  const { interfaces, ...path } = await managementPath(one, new RouterRows(one))
  return { ...path, interfaces: [...interfaces].sort() }
}

describe('the parts of a router that carry the connection of the bridge', () => {
  it('are the interface of the address that it connects to, and the port behind which it was seen', async () => {
    const ports = ['ether2', 'ether3'].map((name, i) => ({ '.id': `*${i + 1}`, bridge: 'bridge', interface: name }))
    const tables = { '/interface/bridge/port': ports }
    expect(await pathAt(tables, '192.168.88.1', '192.168.88.50')).toMatchObject({
      address: '192.168.88.1',
      route: undefined,
      interfaces: ['bridge', 'ether2', 'ether3'],
    })
    const seen = {
      ...tables,
      '/ip/arp': [{ '.id': '*1', address: '192.168.88.50', 'mac-address': '02:00:00:00:00:01' }],
      '/interface/bridge/host': [
        { '.id': '*1', bridge: 'bridge', 'on-interface': 'ether3', 'mac-address': '02:00:00:00:00:01' },
      ],
    }
    expect((await pathAt(seen, '::ffff:192.168.88.1', '::ffff:192.168.88.50')).interfaces).toEqual(['bridge', 'ether3'])
  })

  it('go down to the port below a VLAN and a PPPoE client', async () => {
    const tables = {
      '/ip/address': [{ '.id': '*1', address: '203.0.113.9/32', interface: 'pppoe-out1' }],
      '/interface/pppoe-client': [{ '.id': '*5', name: 'pppoe-out1', interface: 'vlan7' }],
      '/interface/vlan': [{ '.id': '*6', name: 'vlan7', interface: 'ether1' }],
    }
    const { interfaces } = await pathAt(tables, '203.0.113.9', '198.18.0.1')
    expect(interfaces).toEqual(['ether1', 'pppoe-out1', 'vlan7'])
  })

  it.each([
    ['an address that is translated', {}, '203.0.113.200'],
    ['IPv6', {}, '2001:db8::7'],
    ['version 7', { 'immediate-gw': '198.51.100.1%ether1' }, '203.0.113.200'],
    ['version 6', { 'gateway-status': '198.51.100.1 reachable via  ether1' }, '203.0.113.200'],
  ])('are those of the route to the bridge: %s', async (_, more, router) => {
    const tables = { '/ip/route': [{ ...DEFAULT_ROUTE, ...more }] }
    const peer = router.includes(':') ? '2001:db8::99' : '198.18.0.1'
    expect(await pathAt(tables, router, peer)).toMatchObject({
      address: undefined,
      route: '0.0.0.0/0',
      interfaces: ['ether1'],
    })
  })

  it('have the ports of the services by which the router is managed', async () => {
    const services = [
      { '.id': '*1', name: 'api', port: '8728' },
      { '.id': '*2', name: 'ssh', port: '2222', disabled: 'true' },
      { '.id': '*3', name: 'ftp', port: '21' },
    ]
    expect((await pathAt({ '/ip/service': services }, '192.168.88.1', '192.168.88.50')).ports).toEqual([8728])
  })
})
