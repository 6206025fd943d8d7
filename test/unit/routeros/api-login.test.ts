import { createHash, X509Certificate } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '../../../src/base/index.ts'
import { newTlsKey, selfSigned } from '../../../src/pki/index.ts'
import { type ApiOptions, type ApiSecurity, openApi, type RouterSession } from '../../../src/routeros/index.ts'
import { FakeRouter } from '../../support/fake-router.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { until } from '../../support/until.ts'

const parts = { clock: systemClock, log: silentLog }
const CHALLENGE = '856780b7411eefd3abadee2058c149a3'

let router: FakeRouter
const sessions: RouterSession[] = []
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close()
  await router.stop()
})

async function open(options: Partial<ApiOptions> = {}, clock = systemClock): Promise<RouterSession> {
  const session = await openApi(
    {
      host: '127.0.0.1',
      port: router.port,
      security: { kind: 'plain' },
      user: 'isthmus',
      password: 'secret',
      ...options,
    },
    { ...parts, clock },
  )
  sessions.push(session)
  return session
}

describe('the login', () => {
  beforeEach(async () => {
    router = await FakeRouter.start()
  })

  it('sends name and password, and knows both ends of its connection', async () => {
    const session = await open({ password: 'pässwörd' })
    expect(router.heard[0]?.slice(0, 3)).toEqual(['/login', '=name=isthmus', '=password=pässwörd'])
    expect(session).toMatchObject({ transport: 'api', localAddress: '127.0.0.1', remoteAddress: '127.0.0.1' })
  })

  it('a refused account is an error that says so', async () => {
    router.onLogin = (connection, _words, tag) =>
      connection.send(['!trap', `.tag=${tag}`, '=message=invalid user name or password (6)'], ['!done', `.tag=${tag}`])
    await expect(open()).rejects.toMatchObject({ kind: 'login', message: expect.stringContaining('(6)') })
    await until(() => router.connections.every(({ socket }) => socket.destroyed))
  })

  it.each([
    ['!fatal', 'login', (at: number) => router.connections[at]!.send(['!fatal', 'too many commands before login'])],
    ['FIN', 'unreachable', (at: number) => router.connections[at]!.socket.end()],
    ['RST', 'unreachable', (at: number) => router.connections[at]!.socket.resetAndDestroy()],
    ['a word without an end', 'protocol', (at: number) => router.connections[at]!.raw(Buffer.from([0xe8, 0, 0, 0]))],
  ])('%s during the login ends it', async (_name, kind, end) => {
    router.onLogin = () => end(0)
    await expect(open()).rejects.toMatchObject({ kind, sent: false })
  })

  it('silence during the login ends in time, and the error says what to look at', async () => {
    const clock = createManualClock()
    const reached = new Promise<void>((resolve) => {
      router.onLogin = () => resolve()
    })
    const opening = open({ connectMs: 3000 }, clock).catch((error: unknown) => error)
    await reached
    clock.advance(3000)
    expect(await opening).toMatchObject({ kind: 'timeout', message: expect.stringContaining('/ip/service') })
  })

  it('a closed port and an abort are errors', async () => {
    const closed = await FakeRouter.start()
    await closed.stop()
    await expect(
      openApi(
        { host: '127.0.0.1', port: 1, security: { kind: 'plain' }, user: 'a', password: 'b' },
        { clock: systemClock, log: silentLog },
      ),
    ).rejects.toMatchObject({ kind: 'unreachable', message: expect.stringContaining('ECONNREFUSED') })
    router.onLogin = () => abort.abort()
    const abort = new AbortController()
    await expect(
      openApi(
        { host: '127.0.0.1', port: router.port, security: { kind: 'plain' }, user: 'a', password: 'b' },
        parts,
        abort.signal,
      ),
    ).rejects.toMatchObject({ kind: 'cancelled' })
    await expect(
      openApi(
        { host: '127.0.0.1', port: router.port, security: { kind: 'plain' }, user: 'a', password: 'b' },
        parts,
        abort.signal,
      ),
    ).rejects.toMatchObject({ kind: 'cancelled' })
  })

  it('the MD5 login of earlier versions is used where it is allowed, and nowhere else', async () => {
    router.onLogin = (connection, words, tag) => {
      const response = words.find((word) => word.startsWith('=response='))
      if (response === undefined) connection.send(['!done', `.tag=${tag}`, `=ret=${CHALLENGE}`])
      else if (response === '=response=009622e621f0892961a28bcf7a0cea13e4') connection.send(['!done', `.tag=${tag}`])
      else connection.send(['!trap', `.tag=${tag}`, '=message=cannot log in'], ['!done', `.tag=${tag}`])
    }
    await expect(open()).rejects.toMatchObject({ kind: 'login', message: expect.stringContaining('MD5') })
    expect(router.heard).toHaveLength(1)
    await open({ legacyLogin: true })
    await expect(open({ legacyLogin: true, password: 'wrong' })).rejects.toMatchObject({ kind: 'login' })
  })

  it('a challenge that is none is refused', async () => {
    router.onLogin = (connection, _words, tag) => connection.send(['!done', `.tag=${tag}`, '=ret=12'])
    await expect(open({ legacyLogin: true })).rejects.toMatchObject({ kind: 'login' })
  })

  it('an account that cannot be sent is refused before', async () => {
    await expect(open({ user: 'a\nb' })).rejects.toMatchObject({ kind: 'login', sent: false })
    expect(router.heard).toEqual([])
  })

  it('the plain API goes to this machine alone unless it is allowed', async () => {
    await expect(open({ host: '192.0.2.1' })).rejects.toMatchObject({ kind: 'refused', sent: false })
    const allowed = open({ host: '127.0.0.1', allowPlain: true })
    expect((await allowed).transport).toBe('api')
  })
})

describe('API-SSL', () => {
  const key = newTlsKey()
  const cert = selfSigned({
    key,
    commonName: 'router',
    names: ['router.example', '127.0.0.1'],
    notBefore: Date.now() - 86_400_000,
    notAfter: Date.now() + 86_400_000,
    serial: Uint8Array.of(1, 2, 3),
  })
  const fingerprint = new X509Certificate(cert).fingerprint256
  const other = createHash('sha256').update('other').digest('hex')

  beforeEach(async () => {
    router = await FakeRouter.start({ key, cert })
  })

  it.each<[string, ApiSecurity]>([
    ['an authority', { kind: 'ca', ca: cert }],
    ['an authority, for a name', { kind: 'ca', ca: cert, servername: 'router.example' }],
    ['a pinned fingerprint', { kind: 'fingerprint', sha256: fingerprint }],
    [
      'a pinned fingerprint without colons',
      { kind: 'fingerprint', sha256: fingerprint.replaceAll(':', '').toLowerCase() },
    ],
  ])('knows the router by %s', async (_name, security) => {
    router.answer = (connection, _words, tag) =>
      connection.send(['!re', `.tag=${tag}`, '=name=r'], ['!done', `.tag=${tag}`])
    const session = await open({ security })
    expect(session.transport).toBe('api-ssl')
    expect((await session.command({ path: '/system/identity/print' })).rows).toEqual([{ name: 'r' }])
  })

  it.each<[string, ApiSecurity, string]>([
    ['no authority that vouches', { kind: 'ca' }, 'untrusted'],
    ['another name', { kind: 'ca', ca: cert, servername: 'other.example' }, 'untrusted'],
    ['another fingerprint', { kind: 'fingerprint', sha256: other }, 'untrusted'],
    ['a fingerprint that is none', { kind: 'fingerprint', sha256: 'abc' }, 'refused'],
    ['an anonymous connection where a certificate is', { kind: 'insecureAnonymous' }, 'unreachable'],
  ])('sends no password to a router with %s', async (_name, security, kind) => {
    await expect(open({ security })).rejects.toMatchObject({ kind, sent: false })
    expect(router.heard).toEqual([])
  })

  it('speaks to a router without a certificate only where that is asked for', async () => {
    await router.stop()
    router = await FakeRouter.start({
      ciphers: 'ADH-AES256-GCM-SHA384:@SECLEVEL=0',
      maxVersion: 'TLSv1.2',
      dhparam: 'auto',
    })
    await expect(open({ security: { kind: 'fingerprint', sha256: fingerprint } })).rejects.toMatchObject({
      kind: 'unreachable',
    })
    await expect(open({ security: { kind: 'ca', ca: cert } })).rejects.toMatchObject({ kind: 'unreachable' })
    expect((await open({ security: { kind: 'insecureAnonymous' } })).transport).toBe('api-ssl')
  })

  it('a router that speaks no TLS is unreachable', async () => {
    await router.stop()
    router = await FakeRouter.start()
    router.onConnection = (connection) => connection.raw(Buffer.from('SSH-2.0-ROSSSH\r\n'))
    await expect(open({ security: { kind: 'ca' } })).rejects.toMatchObject({ kind: 'unreachable' })
  })
})
