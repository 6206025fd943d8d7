import { X509Certificate } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { newTlsKey, selfSigned } from '../../src/pki/index.ts'
import {
  type ApiSecurity,
  openApi,
  RouterConnection,
  type RouterRow,
  type RouterSession,
} from '../../src/routeros/index.ts'
import {
  type EmulatedRouter,
  ROUTER_PROFILES,
  type RouterFaults,
  type RouterOptions,
  startRouter,
} from '../../src/simulator/index.ts'
import { until } from '../support/until.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
const parts = { clock: systemClock, log: silentLog }
const USER = { name: 'isthmus', password: 'pässwörd', group: ['api', 'read', 'write', 'test', 'reboot'] }
const ACCOUNT = { user: USER.name, password: USER.password }

async function start(options: RouterOptions = {}): Promise<EmulatedRouter> {
  const router = await startRouter({ users: [USER], ...options })
  ends.push(async () => router.close())
  return router
}

async function open(router: EmulatedRouter, security: ApiSecurity = { kind: 'plain' }): Promise<RouterSession> {
  const port = security.kind === 'plain' ? router.port : router.tlsPort
  const session = await openApi({ host: '127.0.0.1', port, security, ...ACCOUNT }, parts)
  ends.push(() => session.close())
  return session
}

describe.each(ROUTER_PROFILES)('a router of profile %s', (profile) => {
  it('is read, written and listened to', async () => {
    const router = await start({ profile })
    const session = await open(router)
    const resource = await session.command({ path: '/system/resource/print', proplist: ['version', 'board-name'] })
    expect(Object.keys(resource.rows[0] ?? {}).sort()).toEqual(['board-name', 'version'])

    const rows: RouterRow[] = []
    const stream = session.stream(
      { path: '/ip/firewall/nat/listen' },
      { onRow: (row) => rows.push(row), onEnd: () => undefined },
    )
    const comment = 'Büro 東京 a=b'
    const added = await session.command({
      path: '/ip/firewall/nat/add',
      args: {
        chain: 'dstnat',
        action: 'dst-nat',
        protocol: 'tcp',
        'dst-port': '8080',
        'to-addresses': '192.168.88.10',
        comment,
      },
      writes: true,
    })
    const id = added.ret ?? ''
    expect(id).toMatch(/^\*[0-9A-F]+$/)
    await session.command({ path: '/ip/firewall/nat/set', args: { '.id': id, 'to-ports': '80' }, writes: true })
    const read = () =>
      session.command({ path: '/ip/firewall/nat/print', proplist: ['comment', 'to-ports'], query: ['dst-port=8080'] })
    expect((await read()).rows).toMatchObject([{ comment, 'to-ports': '80' }])
    await session.command({ path: '/ip/firewall/nat/remove', args: { '.id': id }, writes: true })
    expect((await read()).rows).toEqual([])
    await until(() => rows.some((row) => row['.id'] === id && row['.dead'] !== undefined))
    await stream.stop()

    await expect(
      session.command({ path: '/ip/firewall/nat/remove', args: { '.id': id }, writes: true }),
    ).rejects.toMatchObject({ kind: 'trap', category: 0 })
    await expect(session.command({ path: '/no/such/print' })).rejects.toMatchObject({ kind: 'trap', category: 0 })
  })
})

describe('a router that departs from the usual', () => {
  it.each<[string, RouterFaults]>([
    ['sends byte by byte', { delivery: 'bytes' }],
    ['cuts inside lengths', { delivery: 'splitLength' }],
    ['sends each end mark alone', { delivery: 'splitEnd' }],
    ['sends all at once', { delivery: 'whole' }],
    ['has its tags last', { isTagLast: true }],
    ['sends rows after the end', { sendsLateRow: true }],
    ['ends late', { doneDelayMs: 20 }],
  ])('and %s is read like any other', async (_name, faults) => {
    const router = await start({ faults })
    const print = { path: '/interface/print', proplist: ['name'], query: ['type=ether'] }
    const expected = (await (await open(await start())).command(print)).rows
    const session = await open(router)
    const replies = await Promise.all([1, 2, 3].map(() => session.command(print, { deadlineMs: 25_000 })))
    for (const { rows } of replies) expect(rows).toEqual(expected)
  })

  it('and refuses twice has both texts', async () => {
    const session = await open(await start({ faults: { trapsTwice: true } }))
    const error = await session
      .command({ path: '/interface/set', args: { '.id': '*FFFF', comment: 'x' }, writes: true })
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ kind: 'trap', all: [expect.stringContaining('no such item'), 'second trap'] })
  })

  it.each(['fin', 'rst', 'doThenFin', 'doThenRst'] as const)(
    'and ends the connection by %s ends the command',
    async (act) => {
      const router = await start({ faults: { steps: [{ path: '/system/identity/set', act }] } })
      const session = await open(router)
      await expect(
        session.command({ path: '/system/identity/set', args: { name: 'new' }, writes: true }),
      ).rejects.toMatchObject({ kind: 'closed', sent: true })
    },
  )

  it('and says nothing ends the command in time', async () => {
    const session = await open(await start({ faults: { steps: [{ path: '/interface/print', act: 'silence' }] } }))
    await expect(session.command({ path: '/interface/print' }, { deadlineMs: 100 })).rejects.toMatchObject({
      kind: 'timeout',
    })
  })

  it('and gives its reason ends the connection with that', async () => {
    const session = await open(
      await start({ faults: { steps: [{ path: '/interface/print', act: { fatal: 'out of memory' } }] } }),
    )
    await expect(session.command({ path: '/interface/print' })).rejects.toMatchObject({
      kind: 'fatal',
      message: expect.stringContaining('out of memory'),
    })
  })
})

describe('a connection to a router', () => {
  it.each(['done', 'nothing', 'silence'] as const)(
    'comes back after a reboot that answers with %s',
    async (rebootAnswer) => {
      const router = await start({ faults: { rebootAnswer, bootMs: 200 } })
      const connection = new RouterConnection({
        ...parts,
        random: systemRandom,
        open: (signal) =>
          openApi({ host: '127.0.0.1', port: router.port, security: { kind: 'plain' }, ...ACCOUNT }, parts, signal),
      })
      ends.push(() => connection.close())
      connection.start()
      await connection.command({ path: '/system/identity/print' })
      await connection.command({ path: '/system/reboot', writes: true }, { deadlineMs: 500 }).catch(() => undefined)
      await until(async () => {
        const reply = await connection
          .command({ path: '/system/resource/print' }, { deadlineMs: 500 })
          .catch(() => undefined)
        return router.state.reboots === 1 && reply !== undefined
      })
    },
  )
})

describe('API-SSL of a router', () => {
  it('is trusted by its fingerprint, and without a certificate only where that is asked for', async () => {
    const key = newTlsKey()
    const day = 86_400_000
    const cert = selfSigned({
      key,
      commonName: 'router',
      names: ['127.0.0.1'],
      notBefore: Date.now() - day,
      notAfter: Date.now() + day,
      serial: Uint8Array.of(1),
    })
    const session = await open(await start({ tls: { cert, key } }), {
      kind: 'fingerprint',
      sha256: new X509Certificate(cert).fingerprint256,
    })
    expect((await session.command({ path: '/system/identity/print' })).rows).toHaveLength(1)
    const anonymous = await open(await start({ tls: 'anonymous' }), { kind: 'insecureAnonymous' })
    expect((await anonymous.command({ path: '/system/identity/print' })).rows).toHaveLength(1)
  })
})
