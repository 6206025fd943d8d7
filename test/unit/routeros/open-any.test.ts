import { X509Certificate } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '../../../src/base/index.ts'
import { newTlsKey, selfSigned } from '../../../src/pki/index.ts'
import { openAny, type RouterAccess } from '../../../src/routeros/index.ts'
import { FakeConsole } from '../../support/fake-console.ts'
import { FakeRouter } from '../../support/fake-router.ts'

const parts = { clock: systemClock, log: silentLog }
const ACCOUNT = { host: '127.0.0.1', user: 'isthmus', password: 'secret', connectMs: 5000 }
const key = newTlsKey()
const cert = selfSigned({
  key,
  commonName: 'router',
  names: ['127.0.0.1'],
  notBefore: Date.now() - 86_400_000,
  notAfter: Date.now() + 86_400_000,
  serial: Uint8Array.of(1),
})
const sha256 = new X509Certificate(cert).fingerprint256

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
async function api(tls?: { key: string; cert: string }): Promise<FakeRouter> {
  const router = await FakeRouter.start(tls)
  ends.push(() => router.stop())
  return router
}
async function ssh(): Promise<FakeConsole> {
  const router = await FakeConsole.start(ACCOUNT)
  ends.push(() => router.stop())
  return router
}
async function open(access: Partial<RouterAccess>) {
  const opened = await openAny({ ...ACCOUNT, ...access }, parts)
  ends.push(() => opened.session.close())
  return opened
}
const failure = (access: Partial<RouterAccess>) => open(access).catch((error: unknown) => error)
const CLOSED = 1

describe('the first way to a router that works', () => {
  it('is API-SSL, where the router is trusted', async () => {
    const { port } = await api({ key, cert })
    const { session, failed } = await open({ apiSsl: { port, security: { kind: 'fingerprint', sha256 } } })
    expect([session.transport, failed]).toEqual(['api-ssl', []])
  })

  it('is SSH where the API is closed, and the reason is given', async () => {
    const { port, hostKey } = await ssh()
    const { session, failed } = await open({
      apiSsl: { port: CLOSED, security: { kind: 'fingerprint', sha256 } },
      ssh: { port, hostKey },
    })
    expect(session.transport).toBe('ssh')
    expect(failed).toEqual([
      { transport: 'api-ssl', kind: 'unreachable', reason: expect.stringContaining('/ip service enable api-ssl') },
    ])
  })

  it('is never a weaker one than API-SSL where that is set up', async () => {
    const plain = await api()
    const error = await failure({
      apiSsl: { port: CLOSED, security: { kind: 'fingerprint', sha256 } },
      api: { port: plain.port, allowPlain: true },
    })
    expect(error).toMatchObject({ kind: 'unreachable', sent: false })
    expect(plain.heard).toEqual([])
  })

  it('is none where another certificate is shown, whatever else is set up', async () => {
    const plain = await api()
    const other = await api({ key, cert })
    const untrusted = await failure({
      apiSsl: { port: other.port, security: { kind: 'ca' } },
      api: { port: plain.port, allowPlain: true },
    })
    expect(untrusted).toMatchObject({ kind: 'untrusted', sent: false })
    expect([...plain.heard, ...other.heard]).toEqual([])
  })

  it('may be the plain API of this machine, or of another where that is allowed', async () => {
    const { port } = await api()
    expect((await open({ api: { port } })).session.transport).toBe('api')
    expect(await failure({ host: '192.0.2.1', api: { port } })).toMatchObject({ kind: 'refused' })
  })
})

describe('a router without a way', () => {
  it('is an error with the reason of each', async () => {
    const router = await api({ key, cert })
    router.onLogin = ({ send }, _words, tag) =>
      send(['!trap', `.tag=${tag}`, '=message=invalid user name or password (6)'], ['!done', `.tag=${tag}`])
    const { port, hostKey } = await ssh()
    const error = await failure({
      password: 'wrong',
      apiSsl: { port: router.port, security: { kind: 'fingerprint', sha256 } },
      ssh: { port, hostKey },
    })
    expect(error).toMatchObject({
      kind: 'login',
      message: expect.stringMatching(/^api-ssl: .*\(6\).*right `api`.*; ssh: .*right `ssh`/),
    })
  })

  it('may have services that have no certificate, a name that is none, or no settings at all', async () => {
    const router = await FakeRouter.start({
      ciphers: 'ADH-AES256-GCM-SHA384:@SECLEVEL=0',
      maxVersion: 'TLSv1.2',
      dhparam: 'auto',
    })
    ends.push(() => router.stop())
    const apiSsl = { port: router.port, security: { kind: 'fingerprint' as const, sha256 } }
    expect(await failure({ apiSsl })).toMatchObject({ message: expect.stringContaining('certificate=<name>') })
    expect(await failure({ host: 'router.invalid', apiSsl })).toMatchObject({
      message: expect.stringContaining('has no address'),
    })
    expect(await failure({})).toMatchObject({ kind: 'unreachable', message: 'no way to the router is given' })
  })

  it('is not looked for any more once that is cancelled', async () => {
    const router = await api()
    const abort = new AbortController()
    router.onLogin = () => abort.abort()
    await expect(
      openAny({ ...ACCOUNT, api: { port: router.port }, ssh: { port: CLOSED, hostKey: sha256 } }, parts, abort.signal),
    ).rejects.toMatchObject({ kind: 'cancelled' })
  })
})
