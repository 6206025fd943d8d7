import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '../../src/base/index.ts'
import { newTlsKey, selfSigned } from '../../src/pki/index.ts'
import { type ApiSecurity, openApi } from '../../src/routeros/index.ts'
import { type EmulatedRouter, type RouterFaults, type RouterOptions, startRouter } from '../../src/simulator/index.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { RawRouterClient, sentence } from '../support/raw-router-client.ts'
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

async function login(router: EmulatedRouter): Promise<RawRouterClient> {
  const client = await RawRouterClient.login(router.port)
  clients.push(client)
  return client
}

function refused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(true))
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
  })
}

describe('the framing of an emulated router', () => {
  it('takes sentences in any portions, and all forms of lengths up to four bytes', async () => {
    const client = await login(await start())
    const long = 'x'.repeat(20_000)
    const bytes = sentence(['/system/note/set', `=note=${long}`, '.tag=a'])
    for (const byte of bytes.subarray(0, 400)) client.socket.write(Buffer.from([byte]))
    client.socket.write(bytes.subarray(400))
    await until(() => client.of('a', '!done').length === 1)
    // A length that is written longer than it has to be, and an empty sentence before it.
    const print = Buffer.from('/system/note/print')
    client.socket.write(Buffer.concat([Buffer.from([0, 0xe0, 0, 0, print.length]), print, Buffer.from([0])]))
    await until(() => client.of('', '!done').length === 1)
    expect(client.of('', '!re')[0]?.values.note).toBe(long)
  })

  it.each([
    ['a reserved control byte', [0xf8]],
    ['a length of five bytes', [0xf0, 0, 0, 0, 1]],
    ['a long word before the login', [0xc0, 0x40, 0]],
  ])('ends the connection for %s', async (_, bytes) => {
    const client = await RawRouterClient.open((await start()).port)
    clients.push(client)
    client.socket.write(Buffer.from(bytes))
    await until(() => client.isClosed)
    expect(client.sentences).toEqual([])
  })

  it('answers a sentence of a keep-alive, and the wish to end', async () => {
    const client = await login(await start())
    expect((await client.call('#')).traps).toEqual([])
    client.send('/quit')
    await until(() => client.isClosed)
    expect(client.sentences.at(-1)).toMatchObject({ kind: '!fatal', words: ['session terminated on request'] })
  })
})

describe('the faults of an emulated router', () => {
  it.each(['bytes', 'splitLength', 'splitEnd', 'whole'] as const)('deliver answers by %s', async (delivery) => {
    const router = await start({ faults: { delivery } })
    const client = await login(router)
    await client.call('/system/note/set', `=note=${'n'.repeat(300)}`)
    expect((await client.call('/system/note/print')).rows[0]?.note).toHaveLength(300)
    expect((await client.call('/ip/service/print')).rows).toHaveLength(8)
  })

  it('end a connection in the middle of a sentence', async () => {
    for (const by of ['fin', 'rst'] as const) {
      const client = await login(await start({ faults: { cut: { sentence: 4, by } } }))
      client.send('/ip/service/print')
      await until(() => client.isClosed)
      // The end of the login, and two rows of eight.
      expect(client.sentences.map(({ kind }) => kind)).toEqual(['!done', '!re', '!re'])
    }
  })

  it('are silent, late, doubled, and out of order', async () => {
    const router = await start()
    const client = await login(router)
    const set = (faults: RouterFaults) => Object.assign(router.faults, faults)
    set({ trapsTwice: true, isTagLast: true })
    expect((await client.call('/ip/address/remove', '=.id=*FFFF')).traps).toEqual(['no such item', 'second trap'])
    expect(client.sentences.at(-1)?.words.at(-1)).toMatch(/^\.tag=/)
    set({ sendsLateRow: true })
    await client.call('/system/identity/print')
    await until(() => client.sentences.at(-1)?.kind === '!re')
    set({
      steps: [
        { path: '/ip/dns/set', act: 'doThenRst' },
        { path: '/ip/dns/print', act: { trap: 'std failure: timeout (13)' } },
      ],
    })
    expect((await client.call('/ip/dns/print')).trap).toBe('std failure: timeout (13)')
    client.send('/ip/dns/set', '=servers=203.0.113.99', '.tag=lost')
    await until(() => client.isClosed)
    expect(client.of('lost', '!done')).toEqual([])
    expect(router.store.table('/ip/dns')[0]?.values.servers).toBe('203.0.113.99')
    set({ isSilent: true })
    const silent = await RawRouterClient.open(router.port)
    clients.push(silent)
    silent.send('/login', '=name=admin', '=password=')
    expect(silent.sentences).toEqual([])
  })
})

describe('an emulated router that restarts', () => {
  it('refuses connections for the time of its boot, begins its uptime anew, and has other ids for dynamic rows', async () => {
    const clock = createManualClock()
    const router = await start({ clock, faults: { bootMs: 30_000 } })
    const client = await login(router)
    const ids = async (from: RawRouterClient) => (await from.call('/ip/route/print', '=.proplist=.id')).rows
    const before = await ids(client)
    await client.call('/system/identity/set', '=name=kept')
    expect(await client.call('/system/reboot')).toMatchObject({ traps: [] })
    await until(() => client.isClosed)
    expect(await refused(router.port)).toBe(true)
    clock.advance(30_000)
    await until(async () => !(await refused(router.port)))
    const again = await login(router)
    expect((await again.call('/system/resource/print')).rows[0]?.uptime).toBe('0s')
    expect((await again.call('/system/identity/print')).rows).toEqual([{ name: 'kept' }])
    const after = await ids(again)
    expect(after).toHaveLength(before.length)
    for (const [i, row] of after.entries()) expect(row['.id']).not.toBe(before[i]?.['.id'])
  })

  it('answers nothing, or never again, where its faults say so', async () => {
    const clock = createManualClock()
    const router = await start({ clock, faults: { rebootAnswer: 'nothing' } })
    const client = await login(router)
    client.send('/system/reboot', '.tag=r')
    await until(() => client.isClosed)
    expect(client.of('r', '!done')).toEqual([])
    clock.advance(2000)
    await until(async () => !(await refused(router.port)))
    router.faults.rebootAnswer = 'silence'
    const second = await login(router)
    second.send('/system/reboot', '.tag=r')
    await until(async () => refused(router.port))
    expect([second.isClosed, second.of('r', '!done')]).toEqual([false, []])
    clock.advance(2000)
    await until(() => second.isClosed)
  })

  it('has the configuration of delivery after a reset, and no user of its owner', async () => {
    const clock = createManualClock()
    const router = await start({ clock, users: [{ name: 'bridge', password: 'b', group: 'full' }] })
    const client = await login(router)
    await client.call('/system/identity/set', '=name=mine')
    await client.call('/system/reset-configuration', '=skip-backup=yes')
    clock.advance(2000)
    await until(async () => !(await refused(router.port)))
    await expect(RawRouterClient.login(router.port, 'bridge', 'b')).rejects.toThrow(/invalid user name or password/)
    expect((await (await login(router)).call('/system/identity/print')).rows).toEqual([{ name: 'MikroTik' }])
  })

  it('runs the version that it has downloaded, under the menus of that version', async () => {
    const clock = createManualClock()
    const router = await start({ profile: 'v7.12', clock })
    const client = await login(router)
    client.send('/system/package/update/install', '.tag=i')
    const states = () => client.of('i', '!re').map(({ values }) => values.status)
    await until(() => {
      clock.advance(500)
      return client.isClosed
    })
    expect(states()).toEqual([
      'calculating download size...',
      'downloading, 34% (4.1MiB)',
      'Downloaded, please reboot router to upgrade it',
    ])
    await until(async () => {
      clock.advance(2000)
      return !(await refused(router.port))
    })
    const again = await login(router)
    expect((await again.call('/system/resource/print', '=.proplist=version')).rows).toEqual([
      { version: '7.18.2 (stable)' },
    ])
    const [board] = (await again.call('/system/routerboard/print')).rows
    expect(board).toMatchObject({ 'current-firmware': '7.12.1', 'upgrade-firmware': '7.18.2' })
    const clientsNow = await again.call('/interface/wifi/registration-table/print')
    expect(clientsNow.rows.length).toBeGreaterThan(0)
    expect((await again.call('/interface/wifiwave2/print')).traps).toHaveLength(2)
  })
})

describe('the tools of an emulated router', () => {
  it('ping: a row for each packet, until a cancel', async () => {
    const clock = createManualClock()
    const client = await login(await start({ clock }))
    client.send('/ping', '=address=203.0.113.9', '.tag=p')
    await until(() => {
      clock.advance(1000)
      return client.of('p', '!re').length >= 3
    })
    client.send('/cancel', '=tag=p')
    await until(() => client.of('p', '!done').length === 1)
    const rows = client.of('p', '!re').map(({ values }) => values)
    expect(rows[2]).toMatchObject({
      '.section': '2',
      seq: '2',
      host: '203.0.113.9',
      sent: '3',
      received: '3',
      'packet-loss': '0',
    })
    expect(rows[2]?.time).toMatch(/^\d+ms(\d+us)?$/)
    client.send('/ping', '=address=192.0.2.1', '=count=1', '.tag=q')
    await until(() => client.of('q', '!done').length === 1)
    expect(client.of('q', '!re')[0]?.values).toMatchObject({ status: 'timeout', received: '0', 'packet-loss': '100' })
    expect((await client.call('/ping', '=address=x.invalid', '=count=1')).trap).toBe('failure: dns name does not exist')
  })

  it('traceroute: each section has one hop more', async () => {
    const clock = createManualClock()
    const client = await login(await start({ clock }))
    client.send('/tool/traceroute', '=address=203.0.113.9', '=count=1', '=use-dns=no', '.tag=t')
    await until(() => {
      clock.advance(200)
      return client.of('t', '!done').length === 1
    })
    const rows = client.of('t', '!re').map(({ values }) => values)
    expect(rows.filter((row) => row['.section'] === '3').map(({ address }) => address)).toEqual([
      '10.255.0.1',
      '10.255.1.1',
      '10.255.2.1',
      '203.0.113.9',
    ])
  })

  it('fetch nothing where the device mode forbids it', async () => {
    const client = await login(await start({ profile: 'home' }))
    const answer = await client.call('/tool/fetch', '=url=https://example.com/routeros-7.19.1-arm64.npk')
    expect(answer.trap).toBe('failure: not allowed by device-mode')
    expect((await client.call('/system/device-mode/print')).rows[0]).toMatchObject({ mode: 'home', fetch: 'false' })
  })
})

describe('rows of an emulated router that have an order', () => {
  it('are put in front of others, and moved', async () => {
    const client = await login(await start())
    const nat = '/ip/firewall/nat'
    const order = async () => (await client.call(`${nat}/print`)).rows.map(({ comment }) => comment)
    const [first] = (await client.call(`${nat}/print`)).rows
    const { ret } = await client.call(
      `${nat}/add`,
      '=chain=dstnat',
      '=action=accept',
      '=comment=mine',
      `=place-before=${first?.['.id']}`,
    )
    expect(await order()).toEqual(['mine', 'defconf: masquerade', 'camera'])
    await client.call(`${nat}/move`, `=numbers=${ret}`)
    expect(await order()).toEqual(['defconf: masquerade', 'camera', 'mine'])
    await client.call(`${nat}/move`, `=numbers=${ret}`, `=destination=${first?.['.id']}`)
    expect(await order()).toEqual(['mine', 'defconf: masquerade', 'camera'])
  })
})

describe('a network of an emulated router', () => {
  it('has what its profile says, until the interface has a value of its own', async () => {
    const client = await login(await start({ users: [] }))
    const read = async () => (await client.call('/interface/wifi/print', '?name=wifi1')).rows[0]
    expect(await read()).toMatchObject({
      'configuration.country': 'Latvia',
      'security.authentication-types': 'wpa2-psk,wpa3-psk',
    })
    await client.call(
      '/interface/wifi/set',
      '=.id=wifi1',
      '=security.authentication-types=wpa3-psk',
      '=configuration.ssid=mine',
    )
    expect(await read()).toMatchObject({ 'configuration.ssid': 'mine', 'security.authentication-types': 'wpa3-psk' })
    const [client1] = (await client.call('/interface/wifi/registration-table/print', '?interface=wifi1')).rows
    expect(client1?.ssid).toBe('mine')
    await client.call('/interface/wifi/unset', '=.id=wifi1', '=value-name=security.authentication-types')
    expect(await read()).toMatchObject({ 'security.authentication-types': 'wpa2-psk,wpa3-psk' })
  })
})

describe('the client of this server', () => {
  const key = newTlsKey()
  const [now, day] = [Date.now(), 86_400_000]
  const dates = { notBefore: now - day, notAfter: now + day }
  const cert = selfSigned({ key, commonName: 'r', names: ['127.0.0.1'], ...dates, serial: Uint8Array.from([1, 2]) })
  const users = [{ name: 'b', password: 'ü=1', group: 'full' }]

  it.each(['plain', 'certificate', 'anonymous'] as const)('reaches an emulated router: %s', async (kind) => {
    const tls = kind === 'certificate' ? { tls: { cert, key } } : kind === 'anonymous' ? { tls: kind } : {}
    const router = await start({ ...tls, users })
    const security: ApiSecurity =
      kind === 'plain' ? { kind } : kind === 'certificate' ? { kind: 'ca', ca: cert } : { kind: 'insecureAnonymous' }
    const port = kind === 'plain' ? router.port : router.tlsPort
    const account = { host: '127.0.0.1', port, user: 'b', password: 'ü=1', security }
    const session = await openApi(account, { clock: systemClock, log: silentLog })
    const { ret } = await session.command({
      path: '/ip/pool/add',
      args: { name: 'pööl', ranges: '10.0.0.1-10.0.0.9' },
      writes: true,
    })
    const { rows } = await session.command({
      path: '/ip/pool/print',
      query: [`.id=${ret}`],
      proplist: ['name', 'total'],
    })
    expect(rows).toEqual([{ name: 'pööl', total: '9' }])
    await session.close()
    await until(() => router.sessions === 0)
  })
})
