import { afterEach, describe, expect, it } from 'vitest'
import {
  type EmulatedRouter,
  ROUTER_PROFILES,
  RouterFleet,
  type RouterOptions,
  startRouter,
} from '../../src/simulator/index.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { RawRouterClient } from '../support/raw-router-client.ts'
import { until } from '../support/until.ts'

const routers: EmulatedRouter[] = []
const clients: RawRouterClient[] = []

afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  for (const router of routers.splice(0)) router.close()
})

async function start(options: RouterOptions = {}): Promise<EmulatedRouter> {
  const router = await startRouter(options)
  routers.push(router)
  return router
}

async function login(router: EmulatedRouter, name?: string, password?: string): Promise<RawRouterClient> {
  const client = await RawRouterClient.login(router.port, name, password)
  clients.push(client)
  return client
}

async function open(router: EmulatedRouter): Promise<RawRouterClient> {
  const client = await RawRouterClient.open(router.port)
  clients.push(client)
  return client
}

describe('an emulated router takes logins', () => {
  it('with name and password, and answers the first command after it', async () => {
    const client = await login(
      await start({ users: [{ name: 'ops', password: 'gehe=im', group: 'full' }] }),
      'ops',
      'gehe=im',
    )
    const { rows } = await client.call('/system/identity/print')
    expect(rows).toEqual([{ name: 'MikroTik' }])
  })

  it('and refuses a wrong one, four times; the fifth ends the connection', async () => {
    const client = await open(await start())
    for (let i = 0; i < 4; i++)
      expect(await client.call('/login', '=name=admin', '=password=no')).toMatchObject({
        trap: 'invalid user name or password (6)',
        category: '',
      })
    client.send('/login', '=name=admin', '=password=no')
    await until(() => client.isClosed)
    expect(client.sentences.at(-1)).toMatchObject({ kind: '!fatal', words: ['too many commands before login'] })
  })

  it('and ends a connection that begins with another command', async () => {
    const client = await open(await start())
    client.send('/system/resource/print')
    await until(() => client.isClosed)
    expect(client.sentences).toMatchObject([{ kind: '!fatal', words: ['not logged in'] }])
  })

  it('by challenge where that is switched on', async () => {
    const router = await start({
      users: [{ name: 'old', password: '', group: 'full' }],
      faults: { legacyLogin: 'accept' },
    })
    const challenge = Buffer.from('856780b7411eefd3abadee2058c149a3', 'hex')
    router.state.random.bytes = () => challenge
    const client = await open(router)
    expect((await client.call('/login')).ret).toBe(challenge.toString('hex'))
    const answer = await client.call('/login', '=name=old', '=response=005062f7a5ef124d34675bf3e81f56c556')
    expect(answer.trap).toBeUndefined()
  })
})

describe('the menus of an emulated router', () => {
  it('are printed with the query stack and the properties that are asked for', async () => {
    const client = await login(await start())
    const { rows } = await client.call('/interface/print', '?type=ether', '?type=bridge', '?#|', '=.proplist=name,type')
    expect(rows.map(({ name }) => name)).toEqual(['ether1', 'ether2', 'ether3', 'ether4', 'ether5', 'bridge'])
    expect(Object.keys(rows[0] ?? {})).toEqual(['name', 'type'])
    expect((await client.call('/interface/print', '=count-only=', '?type=ether')).ret).toBe('5')
    expect((await client.call('/interface/print', '=.proplist=nothing', '?type=bridge')).rows).toEqual([{}])
  })

  it('say that they are empty since 7.18 only', async () => {
    for (const [profile, empty] of [
      ['v7.18', true],
      ['v7.16', false],
    ] as const) {
      const client = await login(await start({ profile }))
      expect(await client.call('/queue/simple/print')).toMatchObject({ rows: [], empty })
    }
  })

  it('take rows, changes and removals, and refuse what no version has', async () => {
    const client = await login(await start())
    const { ret } = await client.call('/ip/address/add', '=address=10.9.0.1/24', '=interface=bridge', '=comment=a=b ü')
    expect(ret).toMatch(/^\*[0-9A-F]+$/)
    const print = () => client.call('/ip/address/print', `?.id=${ret}`)
    expect((await print()).rows).toMatchObject([{ network: '10.9.0.0', comment: 'a=b ü', disabled: 'false' }])
    await client.call('/ip/address/set', `=.id=${ret}`, '=disabled=yes')
    expect((await print()).rows).toMatchObject([{ disabled: 'true' }])
    await client.call('/ip/address/enable', `=.id=${ret}`)
    expect((await print()).rows).toMatchObject([{ disabled: 'false' }])
    const add = (...words: string[]) => client.call('/ip/address/add', ...words)
    expect(await add('=address=10.9.0.1/24', '=interface=bridge')).toMatchObject({
      trap: 'failure: already have such address',
      category: '4',
    })
    expect((await add('=address=10.9.0.1/99', '=interface=bridge')).trap).toBe('invalid value for argument address')
    expect(await add('=address=10.9.1.1/24', '=interface=nowhere')).toMatchObject({
      trap: 'input does not match any value of interface',
      category: '1',
    })
    expect((await add('=address=10.9.1.1/24', '=interface=bridge', '=colour=red')).trap).toBe(
      'unknown parameter colour',
    )
    expect((await client.call('/interface/vlan/add', '=vlan-id=5000', '=interface=bridge')).trap).toBe(
      'value of vlan-id is out of range (1 .. 4094)',
    )
    await client.call('/ip/address/remove', `=.id=${ret}`)
    expect(await client.call('/ip/address/remove', `=.id=${ret}`)).toMatchObject({
      trap: 'no such item',
      category: '0',
    })
  })

  it('that a router lacks are refused by two traps', async () => {
    const client = await login(await start({ profile: 'v6.49' }))
    const answer = await client.call('/interface/wifi/print')
    expect(answer).toMatchObject({
      category: '0',
      traps: ['no such command or directory (wifi)', 'no such command prefix'],
    })
    expect((await client.call('/ip/address/explode')).trap).toBe('no such command')
  })

  it('change only for users with the right', async () => {
    const users = [{ name: 'watch', password: 'w', group: ['api', 'read'] }]
    const client = await login(await start({ users }), 'watch', 'w')
    expect((await client.call('/ip/dns/print')).rows).toHaveLength(1)
    for (const words of [
      ['/ip/dns/set', '=servers=203.0.113.1'],
      ['/ping', '=address=203.0.113.1', '=count=1'],
      ['/system/reboot'],
    ])
      expect((await client.call(words[0]!, ...words.slice(1))).trap).toBe('not enough permissions (9)')
    expect((await client.call('/interface/pppoe-client/print')).rows[0]).not.toHaveProperty('password')
  })

  it.each(ROUTER_PROFILES)('of the profile %s can all be printed', async (profile) => {
    const router = await start({ profile })
    const client = await login(router)
    for (const path of router.state.menus.keys()) {
      const { trap, rows } = await client.call(`${path}/print`)
      expect([path, trap]).toEqual([path, undefined])
      for (const row of rows) for (const value of Object.values(row)) expect(value).not.toMatch(/undefined|NaN/)
    }
  })
})

describe('what goes on in an emulated router', () => {
  it('is pushed to listeners until they cancel', async () => {
    const router = await start()
    const client = await login(router)
    client.send('/interface/wifi/registration-table/listen', '.tag=l')
    await client.call('/system/identity/print')
    router.join('02:AA:BB:CC:DD:01', 'wifi1', -50)
    router.part('02:AA:BB:CC:DD:01')
    await until(() => client.of('l', '!re').length === 2)
    const [joined, left] = client.of('l', '!re').map(({ values }) => values)
    expect(joined).toMatchObject({ 'mac-address': '02:AA:BB:CC:DD:01', signal: '-50', interface: 'wifi1' })
    expect(left).toEqual({ '.id': joined?.['.id'], '.dead': 'true' })
    client.send('/cancel', '=tag=l', '.tag=c')
    await until(() => client.of('l', '!done').length === 1)
    expect(client.sentences.slice(-3).map(({ kind, tag }) => `${kind} ${tag}`)).toEqual([
      '!trap l',
      '!done c',
      '!done l',
    ])
    router.join('02:AA:BB:CC:DD:02', 'wifi1')
    await client.call('/system/identity/print')
    expect(client.of('l', '!re')).toHaveLength(2)
  })

  it('follows the clock: uptime, counters, levels', async () => {
    const clock = createManualClock()
    const client = await login(await start({ clock }))
    const read = async () => {
      const [system] = (await client.call('/system/resource/print')).rows
      const [port] = (await client.call('/interface/print', '?name=ether1')).rows
      const clients = (await client.call('/interface/wifi/registration-table/print')).rows
      return {
        uptime: system?.uptime,
        rx: BigInt(port?.['rx-byte'] ?? 0),
        signals: clients.map(({ signal }) => signal),
      }
    }
    const before = await read()
    expect(await read()).toEqual(before)
    clock.advance(120_000)
    const after = await read()
    expect([before.uptime, after.uptime]).toEqual(['1d', '1d2m'])
    expect(after.rx > before.rx).toBe(true)
    expect(after.signals).not.toEqual(before.signals)
  })

  it('shows in monitors', async () => {
    const router = await start({ profile: 'v7.18' })
    const client = await login(router)
    const monitor = async (menu: string, name: string) =>
      (await client.call(`${menu}/monitor`, `=numbers=${name}`, '=once=')).rows[0]
    expect(await monitor('/interface/pppoe-client', 'pppoe-out1')).toMatchObject({ status: 'connected', mtu: '1492' })
    expect(await monitor('/interface/wifi', 'wifi1')).toMatchObject({ state: 'running', channel: '5180/ax/Ceee' })
    expect(await monitor('/interface/ethernet', 'ether1')).toMatchObject({ status: 'link-ok', rate: '1Gbps' })
    router.setLink('ether1', false)
    expect(await monitor('/interface/ethernet', 'ether1')).toMatchObject({ status: 'no-link' })
    expect(await monitor('/interface/pppoe-client', 'pppoe-out1')).toEqual({ status: 'dialing' })
    const traffic = await client.call('/interface/monitor-traffic', '=interface=bridge', '=once=')
    expect(Number(traffic.rows[0]?.['rx-bits-per-second'])).toBeGreaterThan(0)
  })
})

it('clients of a fleet of routers come and go, and their line is lost and comes again', async () => {
  const clock = createManualClock()
  const fleet = new RouterFleet({
    count: 1,
    profiles: ['v7.18'],
    firstPort: 0,
    host: '127.0.0.1',
    timeScale: 10,
    clock,
    random: { bytes: (n) => new Uint8Array(n), fraction: () => 0.5 },
  })
  await fleet.start()
  const [router] = fleet.routers
  const clients = () => router?.store.table(router.clientTable).length ?? 0
  try {
    const before = clients()
    clock.advance(2 * 60_000)
    expect(clients()).toBe(before - 1)
    clock.advance(2 * 60_000)
    expect(clients()).toBe(before)
    clock.advance(20 * 60_000)
    const line = router?.store.find('interface', 'name', 'pppoe-out1')
    expect(line?.values['~downs']).toBe('1')
    clock.advance(2000)
    expect(line?.values['~link']).toBe('up')
  } finally {
    fleet.stop()
  }
})

describe('the settings of an emulated router', () => {
  it('come back with a backup, also those that were deleted', async () => {
    const clock = createManualClock()
    const router = await start({ clock })
    const client = await login(router)
    await client.call('/system/identity/set', '=name=before')
    expect(
      (await client.call('/system/backup/save', '=name=kept', '=password=x', '=encryption=aes-sha256')).traps,
    ).toEqual([])
    expect((await client.call('/file/print', '?type=backup')).rows).toMatchObject([{ name: 'kept.backup' }])
    await client.call('/system/identity/set', '=name=after')
    const nat = await client.call('/ip/firewall/nat/print', '=.proplist=.id')
    await client.call('/ip/firewall/nat/remove', `=.id=${nat.rows.map((row) => row['.id']).join(',')}`)
    expect((await client.call('/system/backup/load', '=name=none.backup')).trap).toBe('failure: backup file not found')
    await client.call('/system/backup/load', '=name=kept.backup', '=password=x')
    await until(() => client.isClosed)
    clock.advance(2000)
    const again = await untilLogin(router)
    expect((await again.call('/system/identity/print')).rows).toEqual([{ name: 'before' }])
    expect((await again.call('/ip/firewall/nat/print')).rows).toHaveLength(2)
  })

  it('follow an interface that gets another name', async () => {
    const client = await login(await start())
    await client.call('/interface/bridge/set', '=.id=bridge', '=name=lan')
    const { rows } = await client.call('/ip/address/print', '?interface=lan')
    expect(rows).toMatchObject([{ address: '192.168.88.1/24' }])
    expect((await client.call('/interface/bridge/port/print', '=count-only=', '?bridge=lan')).ret).toBe('6')
    expect((await client.call('/interface/set', '=.id=ether2', '=name=lan')).trap).toBe(
      'failure: already have interface with such name',
    )
  })

  it('that the router made by itself are neither changed nor removed', async () => {
    const client = await login(await start())
    const [route] = (await client.call('/ip/route/print', '?dynamic=true')).rows
    expect((await client.call('/ip/route/set', `=.id=${route?.['.id']}`, '=distance=9')).trap).toMatch(/dynamic item/)
    expect((await client.call('/ip/route/remove', `=.id=${route?.['.id']}`)).trap).toMatch(/dynamic item/)
    const [lease] = (await client.call('/ip/dhcp-server/lease/print', '?dynamic=true')).rows
    await client.call('/ip/dhcp-server/lease/make-static', `=.id=${lease?.['.id']}`)
    expect((await client.call('/ip/dhcp-server/lease/set', `=.id=${lease?.['.id']}`, '=comment=mine')).traps).toEqual(
      [],
    )
  })

  it('decide who comes in: addresses of services and of users', async () => {
    const router = await start({ users: [{ name: 'far', password: 'f', group: 'full' }] })
    const client = await login(router)
    await client.call('/user/set', '=.id=far', '=address=203.0.113.0/24')
    await expect(RawRouterClient.login(router.port, 'far', 'f')).rejects.toThrow(/invalid user name or password/)
    await client.call('/ip/service/set', '=.id=api', '=address=203.0.113.0/24')
    const shut = await open(router)
    await until(() => shut.isClosed)
    expect(shut.sentences).toEqual([])
    expect((await client.call('/user/print')).rows.map((row) => Object.keys(row).includes('password'))).toEqual([
      false,
      false,
    ])
  })

  it('of the device mode wait for a person, and are given up', async () => {
    const clock = createManualClock()
    const client = await login(await start({ clock, profile: 'home' }))
    client.send('/system/device-mode/update', '=mode=advanced', '.tag=m')
    await client.call('/system/identity/print')
    clock.advance(300_000)
    await until(() => client.of('m', '!trap').length === 1)
    expect(client.of('m', '!trap')[0]?.values.message).toBe('update canceled')
  })
})

it('an interface that loses its link is pushed with those above it', async () => {
  const router = await start()
  const client = await login(router)
  client.send('/interface/listen', '=.proplist=name,running', '.tag=i')
  await client.call('/system/identity/print')
  router.setLink('ether1', false)
  await until(() => client.of('i', '!re').length >= 1)
  await client.call('/system/identity/print')
  expect(client.of('i', '!re').map(({ values }) => values)).toEqual([
    { name: 'ether1', running: 'false' },
    { name: 'pppoe-out1', running: 'false' },
  ])
})

it('a monitor goes on until a cancel, or for its duration', async () => {
  const clock = createManualClock()
  const client = await login(await start({ clock }))
  client.send('/interface/monitor-traffic', '=interface=ether1', '.tag=m')
  client.send('/interface/monitor-traffic', '=interface=ether2', '=duration=2s', '.tag=d')
  await until(() => {
    clock.advance(1000)
    return client.of('m', '!re').length >= 3 && client.of('d', '!done').length === 1
  })
  client.send('/cancel', '.tag=c')
  await until(() => client.of('m', '!done').length === 1 && client.of('c', '!done').length === 1)
  expect(client.of('d', '!re').length).toBeLessThan(4)
  expect(client.of('m', '!trap')[0]?.values).toMatchObject({ category: '2', message: 'interrupted' })
})

async function untilLogin(router: EmulatedRouter): Promise<RawRouterClient> {
  let client: RawRouterClient | undefined
  await until(async () => {
    client = await login(router).catch(() => undefined)
    return client !== undefined
  })
  if (client === undefined) throw new Error('the router does not come back')
  return client
}

it('a new PPPoE client of a router waits to be enabled', async () => {
  const client = await login(await start())
  const { ret } = await client.call('/interface/pppoe-client/add', '=interface=ether2', '=user=u', '=password=p')
  const print = async () => (await client.call('/interface/pppoe-client/print', `?.id=${ret}`)).rows[0]
  expect(await print()).toMatchObject({ name: 'pppoe-out2', disabled: 'true', running: 'false' })
  await client.call('/interface/pppoe-client/enable', `=.id=${ret}`)
  expect(await print()).toMatchObject({ disabled: 'false', running: 'true' })
})
