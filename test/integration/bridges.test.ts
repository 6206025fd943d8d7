import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { BridgeIdentity, Enrolment, type FoundState, type RouterRow, ServerClient } from '../../src/bridge/index.ts'
import { deviceIdOf, newDevice } from '../../src/domain/index.ts'
import { sealTo } from '../../src/security/index.ts'
import { type ServerWithStore, startServerWithStore } from '../support/test-server.ts'
import { until } from '../support/until.ts'

type Answer = Record<string, unknown>
interface Made {
  id: string
  token: string
}
interface Router {
  id: string
  state?: Answer
}

const LOGIN = { username: 'isthmus', password: 'not-for-the-server' }
let world: ServerWithStore
let call: ServerWithStore['call']
const folders: string[] = []
const running: Enrolment[] = []
let names = 0

beforeAll(async () => {
  world = await startServerWithStore(inject('mongodbUri'), { plainUsp: 'false' })
  call = world.call
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((enrolment) => enrolment.stop()))
})
afterAll(async () => {
  await world.stop()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const makeBridge = async () =>
  (await call<Made & Answer>('POST', '/bridges', { name: `bridge ${++names}` })).body as Made

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-bridge-'))
  folders.push(folder)
  return folder
}

/** A bridge process as far as its server sees it: its rows as they came last. */
async function startBridge(token: string | undefined, folder = newFolder()) {
  const server = new ServerClient({ url: world.server.apiUrl, clock: systemClock })
  const identity = await BridgeIdentity.open(folder)
  const enrolment = new Enrolment({
    folder,
    identity,
    server,
    token,
    version: '1.2.3',
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    pollMs: 50,
  })
  const seen: { rows: readonly RouterRow[] } = { rows: [] }
  await enrolment.start((rows) => {
    seen.rows = rows
  })
  running.push(enrolment)
  return { enrolment, identity, server, folder, seen }
}

const identityOf = (serial: string) => ({
  oui: '18FD74',
  productClass: 'RB5009',
  serial,
  endpointId: `os::18FD74-${serial}`,
})
const found = (serial: string): FoundState => ({
  reachable: true,
  identity: identityOf(serial),
  missingRights: ['reboot'],
  revision: 1,
})

async function addRouter(bridgeId: string, address: string): Promise<Router> {
  const { status, body } = await call<Router & Answer>('POST', `/bridges/${bridgeId}/routers`, {
    address,
    login: LOGIN,
  })
  expect(status).toBe(201)
  return body
}

describe('a bridge', () => {
  it('registers with its token once, and gets a certificate of its own', async () => {
    const { id, token } = await makeBridge()
    expect(token).toMatch(/^isthmus-bridge_/)
    expect((await call('GET', `/bridges/${id}`)).body).toMatchObject({
      registered: false,
      connected: false,
      routers: 0,
    })
    const { identity, enrolment } = await startBridge(token)
    const { body } = await call<Answer>('GET', `/bridges/${id}`)
    expect(body).toMatchObject({ registered: true, connected: true, version: '1.2.3', routers: 0 })
    expect(body.tokenExpiresAt).toBeUndefined()
    expect(body.sealingKey).toBe(identity.sealing.publicKey)
    expect(JSON.stringify(body)).not.toContain(token.slice(-20))
    const certificate = new X509Certificate(identity.registered?.own.certificate ?? '')
    expect(certificate.subjectAltName).toBe(`URI:urn:isthmus:bridge:${id}`)
    expect(enrolment.controllers).toMatchObject([{ endpointId: 'proto::isthmus', tls: true, path: '/usp' }])
    const { body: log } = await call<{ items: Answer[] }>('GET', `/audit?target=${id}`)
    expect(log.items.map(({ action, actor }) => [action, String(actor).replace(/:.*/, '')])).toEqual([
      ['bridge.register', 'bridge'],
      ['bridge.create', 'apiKey'],
    ])
  })

  it('has a name that no other one has, and the refusal names it', async () => {
    const { id } = await makeBridge()
    const { name } = (await call<{ name: string }>('GET', `/bridges/${id}`)).body
    expect(await call('POST', '/bridges', { name })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining(`a bridge with the name ${name}`) },
    })
  })

  it.each(['a\u0000b', 'pop\nnorth', '\u001b[2J', 'a\u007f', 'a\u0085b', 'a\u2028b', '\ud800'])(
    'is refused with the name %j, and keeps the one that it has',
    async (name) => {
      const refusal = {
        status: 400,
        body: { errors: [{ path: 'body.name', message: 'has no control characters and no line breaks' }] },
      }
      expect(await call('POST', '/bridges', { name })).toMatchObject(refusal)
      expect(await call('POST', '/groups', { name })).toMatchObject(refusal)
      const { id } = await makeBridge()
      expect(await call('PATCH', `/bridges/${id}`, { name })).toMatchObject({ status: 400 })
      expect((await call('PATCH', `/bridges/${id}`, { name: `Größe ✓ 👩‍🔧 ${id}` })).status).not.toBe(400)
    },
  )

  it('may repeat its registration when the answer was lost; other keys may not', async () => {
    const { id, token } = await makeBridge()
    const { server, identity } = await startBridge(token)
    const body = {
      certificateRequest: identity.certificateRequest(),
      sealingKey: identity.sealing.publicKey,
      version: '1.2.3',
    }
    const repeat = { method: 'POST' as const, path: '/bridge/registration', body, proof: { token } }
    expect(await server.call(repeat)).toMatchObject({ id })
    await expect(startBridge(token)).rejects.toMatchObject({ code: 'conflict' })
    const held = await world.store.certificates.list({ owner: `bridge:${id}`, limit: 10 })
    expect(held.items).toHaveLength(2)
    expect(held.items.every(({ revokedAt }) => revokedAt === undefined)).toBe(true)
  })

  it('is refused with a reason when its requests for certificates are too large, too many, or none', async () => {
    const { id, token } = await makeBridge()
    const { server, identity, enrolment } = await startBridge(token)
    await enrolment.stop()
    const client = new ServerClient({ url: world.server.apiUrl, clock: systemClock })
    const ask = (path: string, body: object, proof: Parameters<typeof client.call>[0]['proof']) =>
      client.call({ method: 'POST', path, body, proof })
    const registration = (certificateRequest: string) =>
      ask(
        '/bridge/registration',
        { certificateRequest, sealingKey: identity.sealing.publicKey, version: '1' },
        { token },
      )
    await expect(registration(`${identity.certificateRequest()}${' '.repeat(9000)}`)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('certificateRequest'),
    })
    await expect(registration('x'.repeat(300_000))).rejects.toMatchObject({ code: 'tooLarge' })
    await expect(registration('x')).rejects.toMatchObject({ code: 'invalid', message: expect.stringMatching(/PEM/) })
    const key = identity.requestKey
    if (key === undefined) throw new Error('never registered')
    const many = Array.from({ length: 101 }, (_, i) => `r${i}`)
    await expect(ask('/bridge/agents/certificates', { routerIds: many }, key)).rejects.toMatchObject({
      code: 'invalid',
    })
    await expect(ask('/bridge/agents/certificates', { routerIds: ['r'.repeat(10_000)] }, key)).rejects.toMatchObject({
      code: 'invalid',
    })
    const renew = () => client.call({ method: 'POST', path: '/bridge/certificate', proof: key })
    for (let i = 0; i < 9; i++) await renew()
    await expect(renew()).rejects.toMatchObject({
      code: 'rateLimited',
      message: expect.stringMatching(/10 certificates/),
    })
    await expect(registration(identity.certificateRequest())).rejects.toMatchObject({ code: 'rateLimited' })
    expect((await world.store.certificates.list({ owner: `bridge:${id}`, limit: 50 })).items).toHaveLength(10)
    // The one that it has is good all the same.
    expect(await client.call({ method: 'GET', path: '/bridge', proof: key })).toMatchObject({ id })
    client.close()
    server.close()
  })

  it('that is lost is replaced with a new token, which revokes its certificates', async () => {
    const { id, token } = await makeBridge()
    const lost = await startBridge(token)
    await addRouter(id, '192.0.2.1')
    await until(() => lost.seen.rows.length === 1)
    expect(lost.seen.rows[0]?.login).toEqual(LOGIN)
    const { body } = await call<Made & Answer>('POST', `/bridges/${id}/token`, {})
    expect(body.tokenExpiresAt).toBeDefined()
    const next = await startBridge(body.token)
    expect(next.seen.rows).toMatchObject([{ address: '192.0.2.1', login: undefined }])
    const { requestKey } = lost.identity
    if (requestKey === undefined) throw new Error('never registered')
    await expect(lost.server.call({ method: 'GET', path: '/bridge', proof: requestKey })).rejects.toThrow(/revoked/)
    // The login was sealed to the keys that are lost: it is sent again.
    const row = next.seen.rows[0]
    await call('PATCH', `/bridges/${id}/routers/${row?.id}`, { login: LOGIN })
    await until(() => next.seen.rows[0]?.login !== undefined)
    expect(next.seen.rows[0]?.login).toEqual(LOGIN)
  })

  it('renews its certificate when two thirds of its life have passed', async () => {
    const { id, token } = await makeBridge()
    const first = await startBridge(token)
    await first.enrolment.stop()
    const ahead = 61 * 86_400_000
    const clock = { ...systemClock, now: () => systemClock.now() + ahead }
    const identity = await BridgeIdentity.open(first.folder)
    const before = identity.registered?.own.certificate
    const enrolment = new Enrolment({
      folder: first.folder,
      identity,
      server: new ServerClient({ url: world.server.apiUrl, clock }),
      token: undefined,
      version: '1',
      clock,
      random: systemRandom,
      log: silentLog,
      pollMs: 50,
    })
    running.push(enrolment)
    await enrolment.start(() => undefined)
    expect(identity.registered?.own.certificate).not.toBe(before)
    const { items } = await world.store.certificates.list({ owner: `bridge:${id}`, limit: 10 })
    expect(items.length).toBeGreaterThan(1)
    expect((await BridgeIdentity.open(first.folder)).registered).toEqual(identity.registered)
  })

  it('goes on with the routers that it knows while its server is away', async () => {
    const { id, token } = await makeBridge()
    const first = await startBridge(token)
    await addRouter(id, '192.0.2.1')
    await until(() => first.seen.rows.length === 1)
    await first.enrolment.stop()
    const away = new ServerClient({ url: 'http://127.0.0.1:1', clock: systemClock })
    const identity = await BridgeIdentity.open(first.folder)
    const deps = { folder: first.folder, identity, server: away, token: undefined, version: '1' }
    const enrolment = new Enrolment({
      ...deps,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      pollMs: 50,
    })
    running.push(enrolment)
    let rows: readonly RouterRow[] = []
    await enrolment.start((all) => {
      rows = all
    })
    expect(rows).toMatchObject([{ address: '192.0.2.1', login: LOGIN }])
    const kept = readdirSync(first.folder).map((name) => readFileSync(join(first.folder, name), 'utf8'))
    expect(kept.join('\n')).not.toContain(LOGIN.password)
  })

  it('that is deleted is refused, with its certificates and its routers', async () => {
    const { id, token } = await makeBridge()
    const { server, identity } = await startBridge(token)
    const router = await addRouter(id, '192.0.2.1')
    expect((await call('DELETE', `/bridges/${id}`)).status).toBe(204)
    expect((await call('DELETE', `/bridges/${id}`)).status).toBe(404)
    expect((await call('GET', `/bridges/${id}/routers/${router.id}`)).status).toBe(404)
    const { requestKey } = identity
    if (requestKey === undefined) throw new Error('never registered')
    await expect(server.call({ method: 'GET', path: '/bridge', proof: requestKey })).rejects.toThrow(/revoked/)
    const { body } = await call<{ items: Answer[] }>('GET', '/events?type=bridge.deleted')
    expect(JSON.stringify(body.items)).toContain(id)
  })
})

describe('the routes of bridges', () => {
  const own = [
    ['GET', '/bridge'],
    ['GET', '/bridge/routers'],
    ['POST', '/bridge/certificate'],
    ['POST', '/bridge/states'],
    ['POST', '/bridge/agents/certificates'],
    ['POST', '/bridge/registration'],
  ] as const
  it('take no API key, and those of people take no bridge', async () => {
    for (const [method, path] of own)
      expect((await call(method, path, method === 'GET' ? undefined : {})).status).toBe(401)
    const { token } = await makeBridge()
    const base = `${world.server.apiUrl}/api/v1`
    const answer = await fetch(`${base}/bridges`, { headers: { authorization: `Bearer ${token}` } })
    expect(answer.status).toBe(401)
  })

  it('refuse tokens that are wrong, have expired, or are used with a body that is none', async () => {
    const { id, token } = await makeBridge()
    const base = `${world.server.apiUrl}/api/v1/bridge/registration`
    const register = (text: string, body: unknown) =>
      fetch(base, {
        method: 'POST',
        headers: { authorization: `Bearer ${text}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    expect((await register(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`, {})).status).toBe(401)
    for (const body of [
      {},
      { certificateRequest: 'x', sealingKey: 'x', version: '1' },
      {
        certificateRequest: '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END',
        sealingKey: 'A'.repeat(43),
        version: '1',
      },
      { certificateRequest: 'A'.repeat(9000), sealingKey: 'A'.repeat(43), version: '1' },
    ])
      expect((await register(token, body)).status).toBe(400)
    const bridge = await world.store.bridges.get(id)
    if (bridge?.enrolment === undefined) throw new Error('no token')
    const enrolment = { ...bridge.enrolment, expiresAt: Date.now() - 1 }
    await world.store.bridges.put({ ...bridge, enrolment, revision: bridge.revision + 1 }, [], bridge.revision)
    const late = await register(token, {})
    expect([late.status, await late.text()]).toEqual([401, expect.stringMatching(/expired/)])
  })

  it('refuse a body that was not signed', async () => {
    const { token } = await makeBridge()
    const { identity } = await startBridge(token)
    const { signRequest } = await import('../../src/security/index.ts')
    const { requestKey } = identity
    if (requestKey === undefined) throw new Error('never registered')
    const path = '/api/v1/bridge/states'
    const send = (signed: string | undefined, sent: string) =>
      fetch(world.server.apiUrl + path, {
        method: 'POST',
        headers: {
          ...signRequest({ method: 'POST', path, query: '' }, { ...requestKey, body: signed, now: Date.now() }),
          'content-type': 'application/json',
        },
        body: sent,
      })
    const body = JSON.stringify({ states: [{ routerId: 'none', reachable: false, missingRights: [], revision: 1 }] })
    expect((await send(body, body)).status).toBe(204)
    expect((await send(body, body.replace('none', 'some'))).status).toBe(400)
    expect((await send(undefined, body)).status).toBe(401)
  })

  it('correct the clock of a bridge by that of the server', async () => {
    const { token } = await makeBridge()
    const late = { now: () => systemClock.now() - 3_600_000 }
    const server = new ServerClient({ url: world.server.apiUrl, clock: late })
    const { identity } = await startBridge(token)
    const { requestKey } = identity
    if (requestKey === undefined) throw new Error('never registered')
    expect(await server.call({ method: 'GET', path: '/bridge', proof: requestKey })).toMatchObject({ name: /bridge/ })
    server.close()
  })
})

describe('routers of a bridge', () => {
  it('need a bridge that has registered', async () => {
    const { id } = await makeBridge()
    const body = { address: '192.0.2.1', login: LOGIN }
    const refused = await call<{ detail: string }>('POST', `/bridges/${id}/routers`, body)
    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringMatching(/not registered yet/) } })
    expect((await call('POST', '/bridges/none/routers', body)).status).toBe(404)
  })

  it('have SNMP settings, whose login is sealed with that of the router', async () => {
    const { id, token } = await makeBridge()
    const { seen } = await startBridge(token)
    const auth = { protocol: 'sha', key: 'snmp-auth-secret' }
    const snmp = { user: 'monitor', auth, privacy: { protocol: 'aes', key: 'snmp-privacy-secret' } }
    const row = { address: 'snmp.example.net', snmp: 'prefer', snmpPort: 1161, login: { ...LOGIN, snmp } }
    const { body: router, headers } = await call<Router & Answer>('POST', `/bridges/${id}/routers`, row)
    expect(router).toMatchObject({ snmp: 'prefer', snmpPort: 1161 })
    expect(JSON.stringify(router)).not.toMatch(/monitor|secret/)
    await until(() => seen.rows.length === 1)
    expect(seen.rows[0]).toMatchObject({ snmp: 'prefer', snmpPort: 1161, login: { ...LOGIN, snmp } })
    const path = `/bridges/${id}/routers/${router.id}`
    const etag = { 'if-match': headers.get('etag') ?? '' }
    const changed = await call<Answer>('PATCH', path, { snmp: 'off', snmpPort: null }, etag)
    expect(changed.body).toMatchObject({ snmp: 'off' })
    expect(changed.body.snmpPort).toBeUndefined()
    await until(() => seen.rows[0]?.snmp === 'off')
    for (const bad of [
      { community: 'public' },
      { ...snmp, auth: { protocol: 'sha', key: 'short' } },
      { ...snmp, community: 'x' },
    ])
      expect((await call('POST', `/bridges/${id}/routers`, { ...row, login: { ...LOGIN, snmp: bad } })).status).toBe(
        400,
      )
    const table = 'address,username,password,snmp,snmp_community\nsnmp2.example.net,u,p,auto,not-public\n'
    const imported = await fetch(`${world.server.apiUrl}/api/v1/bridges/${id}/routers/import`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv', authorization: `Bearer ${world.server.firstKey}` },
      body: table,
    })
    expect(await imported.json()).toMatchObject({ added: 1 })
    await until(() => seen.rows.length === 2)
    expect(seen.rows.find(({ address }) => address === 'snmp2.example.net')).toMatchObject({
      snmp: 'auto',
      login: { username: 'u', snmp: { community: 'not-public' } },
    })
  })

  it('are added, changed and deleted, and come to the bridge with logins that it alone can open', async () => {
    const { id, token } = await makeBridge()
    const { seen } = await startBridge(token)
    const { body: router, headers } = await call<Router & Answer>('POST', `/bridges/${id}/routers`, {
      address: 'r1.example.net',
      port: 8729,
      transport: 'api-ssl',
      fingerprint: 'AB'.repeat(32),
      policy: 'L2',
      tags: ['north'],
      mqtt: true,
      login: LOGIN,
    })
    expect(router).toMatchObject({ address: 'r1.example.net', fingerprint: 'ab'.repeat(32), revision: 1 })
    expect(JSON.stringify(router)).not.toMatch(/login|isthmus"|not-for/)
    expect(
      (await call('POST', `/bridges/${id}/routers`, { address: 'R1.example.net', port: 8729, login: LOGIN })).status,
    ).toBe(409)
    await until(() => seen.rows.length === 1)
    expect(seen.rows[0]).toMatchObject({ id: router.id, policy: 'L2', mqtt: true, login: LOGIN })
    const path = `/bridges/${id}/routers/${router.id}`
    const etag = headers.get('etag') ?? ''
    const changed = await call<Answer>(
      'PATCH',
      path,
      { policy: 'L0', port: null, fingerprint: null },
      { 'if-match': etag },
    )
    expect(changed.body).toMatchObject({ policy: 'L0', revision: 2, tags: ['north'] })
    expect(changed.body.port).toBeUndefined()
    expect((await call('PATCH', path, { policy: 'L1' }, { 'if-match': etag })).status).toBe(412)
    expect((await call('PATCH', path, { address: '192.0.2.9' })).status).toBe(400)
    expect((await call('PATCH', path, { address: '192.0.2.9', login: LOGIN })).status).toBe(200)
    await until(() => seen.rows[0]?.revision === 3)
    expect(seen.rows[0]).toMatchObject({ address: '192.0.2.9', login: LOGIN })
    const stored = await world.store.db.collection('bridgeRouters').find({ bridgeId: id }).toArray()
    expect(JSON.stringify(stored)).not.toContain('not-for')
    expect((await call('DELETE', path, undefined, { 'if-match': etag })).status).toBe(412)
    expect((await call('DELETE', path)).status).toBe(204)
    await until(() => seen.rows.length === 0)
    const { body: log } = await call<{ items: Answer[] }>('GET', `/audit?target=${router.id}`)
    expect(log.items.map(({ action }) => action)).toEqual([
      'router.delete',
      'router.change',
      'router.change',
      'router.add',
    ])
    expect(JSON.stringify(log)).not.toContain('not-for')
  })

  it('may come with a login that the client has sealed itself, for that address alone', async () => {
    const { id, token } = await makeBridge()
    const { seen, identity } = await startBridge(token)
    const context = { info: 'isthmus router login', about: `${id}|192.0.2.1` }
    const sealed = sealTo(identity.sealing.publicKey, JSON.stringify(LOGIN), context)
    for (const address of ['192.0.2.1', '192.0.2.2'])
      expect((await call('POST', `/bridges/${id}/routers`, { address, login: { sealed } })).status).toBe(201)
    await until(() => seen.rows.length === 2)
    expect(seen.rows.map(({ login }) => login)).toEqual([LOGIN, undefined])
  })

  it.each([
    [{ address: 'no address' }],
    [{ address: '' }],
    [{ address: `${'a'.repeat(64)}.example` }],
    [{ port: 0 }],
    [{ transport: 'telnet' }],
    [{ policy: 'X' }],
    [{ fingerprint: '12' }],
    [{ tags: Array(51).fill('t') }],
    [{ login: { username: 'a' } }],
    [{ login: { ...LOGIN, sealed: 'A'.repeat(80) } }],
    [{ login: { username: 'a\nb', password: '' } }],
    [{ login: { username: 'ä'.repeat(130), password: '' } }],
    [{ colour: 'red' }],
  ])('are refused with %j', async (over) => {
    const { id, token } = await makeBridge()
    await startBridge(token)
    const body = { address: '192.0.2.1', login: LOGIN, ...over }
    expect((await call('POST', `/bridges/${id}/routers`, body)).status).toBe(400)
  })

  it('come from a table, all or none, and again without an effect', async () => {
    const { id, token } = await makeBridge()
    const { seen } = await startBridge(token)
    const base = `${world.server.apiUrl}/api/v1/bridges/${id}/routers/import`
    const send = async (text: string, type = 'text/csv') => {
      const headers = { authorization: `Bearer ${world.server.firstKey}`, 'content-type': type }
      const response = await fetch(base, { method: 'POST', headers, body: text })
      return { status: response.status, body: (await response.json()) as Answer }
    }
    const head = 'address,username,password,tags'
    const table = [head, ...Array.from({ length: 300 }, (_, i) => `10.0.${i >> 8}.${i & 255},isthmus,secret ${i},a b`)]
    expect(await send(table.join('\n'))).toEqual({ status: 200, body: { added: 300, changed: 0, unchanged: 0 } })
    await until(() => seen.rows.length === 300)
    expect(seen.rows.find(({ address }) => address === '10.0.1.5')?.login?.password).toBe('secret 261')
    expect(await send(`address,tags\n10.0.0.0,a b\n10.0.0.1,c`)).toMatchObject({ body: { changed: 1, unchanged: 1 } })
    expect(await send(`${head}\n10.9.0.1,u,p,\n10.9.0.2,,,`)).toMatchObject({ status: 400 })
    const bad = await send(`${head}\n10.9.0.1,u,p,\n10.9.0.2 x,u,p,`)
    expect(bad).toMatchObject({ status: 400, body: { errors: [{ path: 'body.3' }] } })
    expect(await send(`${head}\n10.9.0.1,u,p,\n10.9.0.1,u,p,`)).toMatchObject({ status: 400 })
    expect(await send('{}', 'application/json')).toMatchObject({ status: 415 })
    expect((await call('GET', `/bridges/${id}`)).body).toMatchObject({ routers: 300 })
    const list = async (query: string) =>
      (await call<{ items: Router[]; next?: string }>('GET', `/bridges/${id}/routers?${query}`)).body
    expect((await list('tag=c')).items).toHaveLength(1)
    const first = await list('tag=a&limit=200')
    expect((await list(`tag=a&limit=200&cursor=${first.next}`)).items).toHaveLength(99)
    expect((await call('GET', `/bridges/${id}/routers?tag=a&reachable=true`)).status).toBe(400)
    expect((await call('GET', `/bridges/${id}/routers?colour=a`)).status).toBe(400)
  })

  it('show the state that the bridge reports, and what the identity says', async () => {
    const { id, token } = await makeBridge()
    const { enrolment } = await startBridge(token)
    const router = await addRouter(id, '192.0.2.1')
    const path = `/bridges/${id}/routers/${router.id}`
    enrolment.report(router.id, found('SHOWN1'))
    enrolment.report('gone', found('SHOWN2'))
    await until(async () => (await call<Router & Answer>('GET', path)).body.state !== undefined)
    expect((await call('GET', path)).body).toMatchObject({
      deviceId: '18FD74-RB5009-SHOWN1',
      state: { reachable: true, identity: { endpointId: 'os::18FD74-SHOWN1' }, missingRights: ['reboot'] },
    })
    const reachable = async (value: string) =>
      (await call<{ items: Router[] }>('GET', `/bridges/${id}/routers?reachable=${value}`)).body.items.length
    expect([await reachable('true'), await reachable('false')]).toEqual([1, 0])
    enrolment.report(router.id, { ...found('SHOWN1'), reachable: false, lastError: 'connection refused: open API-SSL' })
    await until(async () => (await reachable('false')) === 1)
    await call('PATCH', path, { policy: 'L3' })
    expect((await call('GET', path)).body).toMatchObject({ policy: 'L3', state: { reachable: false } })
  })

  it('report no Endpoint ID that is not that of their identity', async () => {
    const { id, token } = await makeBridge()
    const { server, identity } = await startBridge(token)
    const router = await addRouter(id, '192.0.2.1')
    const { requestKey } = identity
    if (requestKey === undefined) throw new Error('never registered')
    const state = { routerId: router.id, reachable: true, missingRights: [], revision: 1 }
    for (const endpointId of ['os::18FD74-OTHER', 'proto::isthmus', 'x', 'ops::18FD74-OTHER-S'])
      await expect(
        server.call({
          method: 'POST',
          path: '/bridge/states',
          body: { states: [{ ...state, identity: { ...identityOf('S'), endpointId } }] },
          proof: requestKey,
        }),
      ).rejects.toMatchObject({ code: 'invalid' })
  })
})

describe('certificates of Agents', () => {
  it('prove the Endpoint IDs of routers, and serve until they are due', async () => {
    const { id, token } = await makeBridge()
    const { enrolment, identity, folder } = await startBridge(token)
    const router = await addRouter(id, '192.0.2.1')
    await expect(enrolment.proofOf(router.id, 'os::18FD74-AG1')).rejects.toMatchObject({ code: 'conflict' })
    enrolment.report(router.id, found('AG1'))
    const proof = await enrolment.proofOf(router.id, 'os::18FD74-AG1')
    expect(proof.key).toBe(identity.key)
    expect(new X509Certificate(proof.certificate).subjectAltName).toBe('URI:urn:bbf:usp:id:os::18FD74-AG1')
    const again = await startBridge(undefined, folder)
    expect(await again.enrolment.proofOf(router.id, 'os::18FD74-AG1')).toEqual(proof)
  })

  it('are refused for routers of another bridge, until they are deleted there', async () => {
    const [one, two] = [await makeBridge(), await makeBridge()]
    const [first, second] = [await startBridge(one.token), await startBridge(two.token)]
    const [here, there] = [await addRouter(one.id, '192.0.2.1'), await addRouter(two.id, '192.0.2.1')]
    first.enrolment.report(here.id, found('MOVES'))
    const proof = await first.enrolment.proofOf(here.id, 'os::18FD74-MOVES')
    second.enrolment.report(there.id, found('MOVES'))
    await expect(second.enrolment.proofOf(there.id, 'os::18FD74-MOVES')).rejects.toThrow(
      /speaks for .*delete the router/,
    )
    await call('DELETE', `/bridges/${one.id}/routers/${here.id}`)
    await second.enrolment.proofOf(there.id, 'os::18FD74-MOVES')
    const serial = new X509Certificate(proof.certificate).serialNumber.toLowerCase()
    expect((await world.store.certificates.get(serial))?.revokedAt).toBeDefined()
  })

  it('are refused for the Endpoint ID of a device that another Agent has proven', async () => {
    const { id, token } = await makeBridge()
    const { enrolment } = await startBridge(token)
    const router = await addRouter(id, '192.0.2.1')
    const triple = { oui: '18FD74', productClass: 'RB5009', serial: 'TAKEN' }
    const binding = { endpointId: 'os::18FD74-TAKEN' as never, proof: 'operator' as const, at: 1 }
    const device = { ...newDevice(deviceIdOf(triple), triple, 'usp', 1), binding }
    await world.store.devices.commit({ deviceId: device.id, create: device })
    enrolment.report(router.id, found('TAKEN'))
    await expect(enrolment.proofOf(router.id, 'os::18FD74-TAKEN')).rejects.toThrow(/bound to .* by another Agent/)
  })

  it('are refused when another Agent was bound after the bridge that had one lost its router', async () => {
    const [one, two] = [await makeBridge(), await makeBridge()]
    const [first, second] = [await startBridge(one.token), await startBridge(two.token)]
    const [here, there] = [await addRouter(one.id, '192.0.2.1'), await addRouter(two.id, '192.0.2.1')]
    first.enrolment.report(here.id, found('REBOUND'))
    const endpointId = 'os::18FD74-REBOUND'
    await first.enrolment.proofOf(here.id, endpointId)
    await world.store.certificates.revoke({ name: `urn:bbf:usp:id:${endpointId}` }, 'lost', systemClock.now())
    await call('DELETE', `/bridges/${one.id}/routers/${here.id}`)
    const triple = { oui: '18FD74', productClass: 'RB5009', serial: 'REBOUND' }
    const binding = { endpointId: endpointId as never, proof: 'certificate' as const, at: systemClock.now() + 1000 }
    const device = { ...newDevice(deviceIdOf(triple), triple, 'usp', 1), binding }
    await world.store.devices.commit({ deviceId: device.id, create: device })
    second.enrolment.report(there.id, found('REBOUND'))
    await expect(second.enrolment.proofOf(there.id, endpointId)).rejects.toThrow(/bound to .* by another Agent/)
  })
})
