import { afterEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '../../src/base/index.ts'
import { openSnmp, openSsh, type RouterSession } from '../../src/routeros/index.ts'
import { type EmulatedRouter, type RouterOptions, startRouter } from '../../src/simulator/index.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'

const routers: EmulatedRouter[] = []
const sessions: RouterSession[] = []

afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close()
  for (const router of routers.splice(0)) router.close()
})

async function start(options: RouterOptions): Promise<EmulatedRouter> {
  const router = await startRouter(options)
  routers.push(router)
  return router
}

describe('the console of an emulated router', () => {
  const users = [
    { name: 'ops', password: 'pw 1', group: 'full' },
    { name: 'watch', password: 'w', group: ['ssh', 'read'] },
  ]

  async function console(router: EmulatedRouter, user = 'ops', password = 'pw 1'): Promise<RouterSession> {
    const session = await openSsh(
      { host: '127.0.0.1', port: router.sshPort, user, password, hostKey: router.sshHostKey },
      { clock: systemClock, log: silentLog },
    )
    sessions.push(session)
    return session
  }

  it('runs the commands of the API, line by line', async () => {
    const router = await start({ ssh: true, users })
    const session = await console(router)
    const { rows } = await session.command({
      path: '/interface/print',
      query: ['type=ether'],
      proplist: ['.id', 'name'],
    })
    expect(rows.map(({ name }) => name)).toEqual(['ether1', 'ether2', 'ether3', 'ether4', 'ether5'])
    const address = { address: '10.9.0.1/24', interface: 'bridge', comment: 'by the console' }
    const { ret } = await session.command({ path: '/ip/address/add', args: address, writes: true })
    expect(ret).toMatch(/^\*[0-9A-F]+$/)
    const set = { '.id': ret ?? '', disabled: 'yes' }
    await session.command({ path: '/ip/address/set', args: set, writes: true })
    const print = await session.command({ path: '/ip/address/print', query: [`.id=${ret}`] })
    expect(print.rows).toMatchObject([{ ...address, disabled: 'true' }])
    const monitor = { numbers: 'pppoe-out1', once: '' }
    expect((await session.command({ path: '/interface/pppoe-client/monitor', args: monitor })).rows[0]).toMatchObject({
      status: 'connected',
    })
    const [dns] = (await session.command({ path: '/ip/dns/print' })).rows
    expect(dns?.['dynamic-servers']).toBe('203.0.113.53,203.0.113.54')
    const [resource] = (await session.command({ path: '/system/resource/print' })).rows
    expect(resource).toMatchObject({ uptime: expect.stringMatching(/^1d00:00:/), version: '7.18.2 (stable)' })
  })

  it('refuses what the API refuses, and accounts without the right to it', async () => {
    const router = await start({ ssh: true, users })
    const watch = await console(router, 'watch', 'w')
    await expect(
      watch.command({ path: '/ip/dns/set', args: { servers: '203.0.113.1' }, writes: true }),
    ).rejects.toMatchObject({ kind: 'trap', message: 'not enough permissions (9)' })
    const session = await console(router)
    await expect(
      session.command({ path: '/ip/address/remove', args: { '.id': '*FFFF' }, writes: true }),
    ).rejects.toMatchObject({
      kind: 'trap',
      message: 'no such item',
    })
    await expect(console(router, 'ops', 'wrong')).rejects.toMatchObject({ kind: 'login' })
  })

  it('ends with a reboot, and is there again under the same key', async () => {
    const clock = createManualClock()
    const router = await start({ ssh: true, users, clock })
    const session = await console(router)
    router.powerCut()
    await session.ended
    clock.advance(2000)
    await until(() =>
      console(router).then(
        () => true,
        () => false,
      ),
    )
  })
})

describe('the SNMP agent of an emulated router', () => {
  async function reading(options: RouterOptions & { clock?: ReturnType<typeof createManualClock> }) {
    const login = { community: 'fleet' }
    const router = await start({ snmp: login, ...options })
    const source = openSnmp({ host: '127.0.0.1', port: router.snmpPort, login }, { clock: systemClock })
    return { router, read: () => source.read() }
  }

  it('shows identity, load, counters and sensors, as they are at the moment', async () => {
    const clock = createManualClock()
    const { router, read } = await reading({ profile: 'rb5009', clock })
    const first = await read()
    expect(first).toMatchObject({
      name: 'core',
      version: '7.18.2',
      serial: router.serial,
      upSeconds: 86_400,
      memoryTotal: 1_073_741_824n,
    })
    expect(first.interfaces.find(({ name }) => name === 'ether1')).toMatchObject({ isUp: true })
    expect(first.health.find(({ name }) => name === 'fan1-speed')).toMatchObject({ unit: 'rpm', value: 4200 })
    expect(first.optics).toMatchObject([{ name: 'sfp-sfpplus1' }])
    expect(first.optics[0]?.rxMilliDbm).toBeLessThan(-12_000)
    clock.advance(60_000)
    router.setLink('ether2', false)
    const second = await read()
    expect(second.upSeconds).toBe(86_460)
    expect(second.interfaces.find(({ name }) => name === 'ether2')).toMatchObject({ isUp: false })
    const bytes = ({ interfaces }: typeof first) => interfaces[0]?.receivedBytes ?? 0n
    expect(bytes(second)).toBeGreaterThan(bytes(first))
  })

  it('shows clients of the legacy driver, and none of the newer one', async () => {
    const old = await (await reading({ profile: 'v6.49' })).read()
    expect(old.clients.length).toBeGreaterThan(0)
    for (const { mac, signalDbm, snrDb } of old.clients) {
      expect(mac).toMatch(/^A4:83:E7:/)
      expect(snrDb).toBe(signalDbm + 104)
    }
    expect(old.health.find(({ name }) => name === 'voltage')).toMatchObject({ value: 24.1, unit: 'V' })
    expect((await (await reading({ profile: 'v7.18' })).read()).clients).toEqual([])
  })

  it('answers a user of v3 with its keys', async () => {
    const router = await start({ snmp: { user: 'mon', authKey: 'auth secret', privKey: 'priv secret' } })
    const login = {
      user: 'mon',
      auth: { protocol: 'sha', key: 'auth secret' },
      privacy: { protocol: 'aes', key: 'priv secret' },
    } as const
    const source = openSnmp({ host: '127.0.0.1', port: router.snmpPort, login }, { clock: systemClock })
    expect(await source.read()).toMatchObject({ name: 'MikroTik', serial: router.serial })
  })
})
