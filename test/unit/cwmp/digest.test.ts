import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Random, silentLog, systemRandom } from '../../../src/base/index.ts'
import { ConnectionRequester } from '../../../src/cwmp/acs/connection-request/requester.ts'
import { Authenticator, type DigestAlgorithm } from '../../../src/cwmp/acs/login/authenticate.ts'
import { digestResponse, parseAuthorization } from '../../../src/cwmp/acs/login/digest.ts'
import { Nonces } from '../../../src/cwmp/acs/login/nonces.ts'
import { CpeHttpClient } from '../../../src/cwmp/cpe/http-client.ts'
import { httpTransport } from '../../../src/cwmp/cpe/http-transport.ts'
import { type CwmpCredential, deviceIdOf, newDevice } from '../../../src/domain/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

/** RFC 2617 3.5: the worked example. */
const MUFASA = { username: 'Mufasa', password: 'Circle Of Life' }
const NONCE = 'dcd98b7102dd2f0e8b11d0f600bfb0c093'
const OPAQUE = '5ccc069c403ebaf9f0171e9517f40e41'
const CHALLENGE = `Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="${NONCE}", opaque="${OPAQUE}"`
const ANSWER = [
  'Digest username="Mufasa"',
  'realm="testrealm@host.com"',
  `nonce="${NONCE}"`,
  'uri="/dir/index.html"',
  'qop=auth',
  'nc=00000001',
  'cnonce="0a4f113b"',
  'response="6629fae49393a05397450978507c4ef1"',
  `opaque="${OPAQUE}"`,
].join(', ')

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The HTTP client of a CPE; its connection ends with the test. */
function cpeClient(): CpeHttpClient {
  const client = new CpeHttpClient(httpTransport({ timeoutMs: 5000 }))
  closers.push(() => client.end())
  return client
}

/** The fields of an Authorization header, read without the code under test. */
function fieldsOf(header = ''): Record<string, string> {
  const found = header.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)
  return Object.fromEntries([...found].map(([, name, quoted, bare]) => [name, quoted ?? bare ?? '']))
}

/** The response that RFC 2617 3.2.2.1 asks for, worked out by hand. */
function expected({ username, password }: typeof MUFASA, method: string, fields: Record<string, string>): string {
  const ha1 = md5(`${username}:${fields.realm}:${password}`)
  const { nonce, nc, cnonce, qop, uri } = fields
  return md5(`${ha1}:${nonce}:${nc}:${cnonce}:${qop}:${md5(`${method}:${uri}`)}`)
}

describe('the worked example of RFC 2617', () => {
  it('is read and proves the password', () => {
    const given = parseAuthorization(ANSWER)
    expect(given).toEqual({
      scheme: 'digest',
      username: 'Mufasa',
      fields: {
        realm: 'testrealm@host.com',
        nonce: NONCE,
        uri: '/dir/index.html',
        response: '6629fae49393a05397450978507c4ef1',
        algorithm: 'MD5',
        qop: 'auth',
        nc: '00000001',
        cnonce: '0a4f113b',
      },
    })
    if (given?.scheme !== 'digest') throw new Error('no digest')
    expect(digestResponse('Mufasa', MUFASA.password, 'GET', given.fields)).toBe(given.fields.response)
    expect(digestResponse('Mufasa', 'circle of life', 'GET', given.fields)).not.toBe(given.fields.response)
    expect(digestResponse('Mufasa', MUFASA.password, 'POST', given.fields)).not.toBe(given.fields.response)
  })

  it('without qop gives the response of RFC 2069, as corrected', () => {
    const fields = { realm: 'testrealm@host.com', nonce: NONCE, uri: '/dir/index.html', algorithm: 'MD5' }
    expect(digestResponse('Mufasa', 'CircleOfLife', 'GET', fields)).toBe('1949323746fe6a43ef61f9606e7febea')
  })

  it('with MD5-sess hashes nonce and cnonce into the secret', () => {
    const fields = { ...fieldsOf(ANSWER), algorithm: 'MD5-SESS' } as unknown as Parameters<typeof digestResponse>[3]
    const ha1 = md5(`${md5('Mufasa:testrealm@host.com:Circle Of Life')}:${NONCE}:0a4f113b`)
    const ha2 = md5('GET:/dir/index.html')
    expect(digestResponse('Mufasa', MUFASA.password, 'GET', fields)).toBe(
      md5(`${ha1}:${NONCE}:00000001:0a4f113b:auth:${ha2}`),
    )
  })

  it('is answered by the ACS as a client, opaque and all', async () => {
    const seen: string[] = []
    const origin = await listen((request, response) => {
      const { authorization } = request.headers
      if (authorization === undefined) return response.writeHead(401, { 'www-authenticate': CHALLENGE }).end()
      seen.push(authorization)
      const { response: given, ...fields } = fieldsOf(authorization)
      return response.writeHead(given === expected(MUFASA, 'GET', fields) ? 200 : 401).end()
    })
    const identity = { oui: '00256D', productClass: 'Box', serial: '1' }
    const id = deviceIdOf(identity)
    const fixed: Random = { bytes: (n) => Buffer.alloc(n, 0x0a), fraction: () => 0 }
    const requester = new ConnectionRequester({
      credentials: {
        get: async () => ({ deviceId: id, connectionRequest: MUFASA, updatedAt: 0 }),
      },
      clock: createManualClock(),
      random: fixed,
      log: silentLog,
      isHere: () => false,
      notes: { note: async () => undefined },
    })
    const device = newDevice(id, identity, 'cwmp', 0)
    device.cwmp = {
      ...device.cwmp!,
      connectionRequestUrl: `${origin}/dir/index.html`,
      remoteAddress: '127.0.0.1',
    }
    expect(await requester.wake(device)).toBe('ok')
    expect(fieldsOf(seen[0])).toMatchObject({
      username: 'Mufasa',
      realm: 'testrealm@host.com',
      nonce: NONCE,
      uri: '/dir/index.html',
      qop: 'auth',
      nc: '00000001',
      cnonce: '0a'.repeat(8),
      opaque: OPAQUE,
    })
  })

  it('is answered by the CPE as a client, and the nonce is used on with a growing count', async () => {
    const counts: (string | undefined)[] = []
    const origin = await listen((request, response) => {
      const { authorization } = request.headers
      if (authorization === undefined) return response.writeHead(401, { 'www-authenticate': CHALLENGE }).end()
      const { response: given, ...fields } = fieldsOf(authorization)
      counts.push(fields.nc)
      return response.writeHead(given === expected(MUFASA, 'POST', fields) ? 204 : 401).end()
    })
    const client = cpeClient()
    const url = new URL('/dir/index.html', origin)
    for (let i = 0; i < 3; i++) expect((await client.post(url, MUFASA, '')).status).toBe(204)
    expect(counts).toEqual(['00000001', '00000002', '00000003'])
  })
})

describe('what an Authorization header may be', () => {
  it.each([
    ['nothing', undefined],
    ['another scheme', 'Bearer abc'],
    ['Basic without a colon', `Basic ${Buffer.from('nobody').toString('base64')}`],
    ['Digest without a response', ANSWER.replace('response=', 'reply=')],
    ['a header without end', `${ANSWER}, x="${'y'.repeat(3000)}"`],
  ])('%s is none', (_name, header) => {
    expect(parseAuthorization(header)).toBeUndefined()
  })

  it('Basic keeps colons of the password', () => {
    const header = `basic ${Buffer.from('user:a:b').toString('base64')}`
    expect(parseAuthorization(header)).toEqual({ scheme: 'basic', username: 'user', password: 'a:b' })
  })

  it('quotes in quoted texts are taken off', () => {
    expect(parseAuthorization(ANSWER.replace('"Mufasa"', '"Mu\\"fasa"'))).toMatchObject({ username: 'Mu"fasa' })
  })
})

describe('nonces', () => {
  const minute = 60_000

  it('hold for five minutes and are stale after', () => {
    const clock = createManualClock()
    const nonces = new Nonces(clock, systemRandom)
    const nonce = nonces.issue()
    clock.advance(5 * minute)
    expect(nonces.check(nonce, '1')).toBe('fresh')
    clock.advance(1)
    expect(nonces.check(nonce, '2')).toBe('stale')
  })

  it('from the future were made before the clock was set back, and are stale', () => {
    const clock = createManualClock()
    const nonces = new Nonces(clock, systemRandom)
    const nonce = nonces.issue()
    clock.advance(-2 * minute)
    expect(nonces.check(nonce, '1')).toBe('stale')
  })

  it('are 32 characters long, which every CPE keeps', () => {
    expect(new Nonces(createManualClock(), systemRandom).issue()).toMatch(/^[\w-]{32}$/)
  })

  it('are good once without a count', () => {
    const nonces = new Nonces(createManualClock(), systemRandom)
    const nonce = nonces.issue()
    expect([nonces.use(nonce, undefined), nonces.use(nonce, undefined), nonces.use(nonce, 'ff')]).toEqual([
      true,
      false,
      false,
    ])
  })

  it('are not good again when their use was forgotten: they are stale then', () => {
    const clock = createManualClock()
    const nonces = new Nonces(clock, systemRandom)
    const nonce = nonces.issue()
    expect(nonces.use(nonce, '1')).toBe(true)
    clock.advance(1)
    for (let i = 0; i < 200_001; i++) nonces.use(nonces.issue(), '1')
    expect(nonces.use(nonce, '1')).toBe(false)
  })

  it('hold however many were issued after them', () => {
    const nonces = new Nonces(createManualClock(), systemRandom)
    const nonce = nonces.issue()
    for (let i = 0; i < 20_001; i++) nonces.issue()
    expect(nonces.check(nonce, '1')).toBe('fresh')
    expect(nonces.use(nonce, '1')).toBe(true)
    expect(nonces.use(nonce, '1')).toBe(false)
  })

  it('are never the same twice', () => {
    const nonces = new Nonces(createManualClock(), systemRandom)
    expect(new Set(Array.from({ length: 100 }, () => nonces.issue())).size).toBe(100)
  })

  it('want a count that goes up; gaps are allowed', () => {
    const nonces = new Nonces(createManualClock(), systemRandom)
    const nonce = nonces.issue()
    const states = ['00000001', '00000001', '00000003', '00000002', '0000000A', '00000000', 'zz', '-1', ''].map((nc) =>
      nonces.use(nonce, nc),
    )
    expect(states).toEqual([true, false, true, false, true, false, false, false, false])
  })

  it('of another server, or altered, are forged', () => {
    const clock = createManualClock()
    const nonces = new Nonces(clock, systemRandom)
    const nonce = nonces.issue()
    const later = `${nonce[0] === 'A' ? 'B' : 'A'}${nonce.slice(1)}`
    const forged = [
      '',
      'x',
      '..',
      later,
      `${nonce}x`,
      `${nonce}=`,
      nonce.slice(0, 31),
      new Nonces(clock, systemRandom).issue(),
    ]
    expect(forged.map((text) => nonces.check(text, '1'))).toEqual(forged.map(() => 'forged'))
  })
})

describe('the check of a CPE', () => {
  const identity = { oui: '00256D', productClass: 'Box', serial: '1' }
  const id = deviceIdOf(identity)
  const login = { username: id as string, password: 'secret' }

  function setup(digestAlgorithms?: readonly DigestAlgorithm[]) {
    const clock = createManualClock()
    const credential: CwmpCredential = { deviceId: id, current: login, updatedAt: 0 }
    const authenticator = new Authenticator({
      policy: 'closed',
      enrolmentSecret: 'enrol',
      allowBasicOverHttp: false,
      ...(digestAlgorithms === undefined ? {} : { digestAlgorithms }),
      credentials: { get: async () => credential },
      clock,
      random: systemRandom,
    })
    const check = (header: string | undefined, from = '192.0.2.1') =>
      authenticator.check(id, identity, { header, tls: false, address: from })
    const challenge = async () => {
      const refused = await check(undefined)
      if (refused.ok) throw new Error('let in without a word')
      return refused.challenges.join(', ')
    }
    return { clock, check, challenge }
  }

  /** The header of a client that knows the password. */
  function answer(challenge: string, more: Record<string, string> = {}, password = login.password): string {
    const { realm = '', nonce = '', qop = '' } = fieldsOf(challenge)
    const fields: Record<string, string> = { realm, nonce, qop, uri: '/', nc: '00000001', cnonce: 'c', ...more }
    const given = Object.entries(fields).map(([name, value]) => `${name}="${value}"`)
    return `Digest username="${id}", ${given.join(', ')}, response="${expected({ ...login, password }, 'POST', fields)}"`
  }

  it('challenges with qop=auth, MD5 and SHA-256, a new nonce each time', async () => {
    const { challenge } = setup()
    const first = await challenge()
    const each = (algorithm: string) => `Digest realm="[^"]+", qop="auth", algorithm=${algorithm}, nonce="[^"]+"`
    expect(first).toMatch(new RegExp(`^${each('MD5')}, ${each('SHA-256')}$`))
    expect(await challenge()).not.toBe(first)
  })

  it.each(['SHA-256', 'SHA-256-sess'])('takes the right answer of %s', async (algorithm) => {
    const { check, challenge } = setup()
    const sha = (text: string) => createHash('sha256').update(text).digest('hex')
    const { realm = '', nonce = '' } = fieldsOf(await challenge())
    const secret = sha(`${id}:${realm}:secret`)
    const ha1 = algorithm === 'SHA-256' ? secret : sha(`${secret}:${nonce}:c`)
    const proof = sha(`${ha1}:${nonce}:00000001:c:auth:${sha('POST:/')}`)
    const header = `Digest username="${id}", realm="${realm}", nonce="${nonce}", uri="/", algorithm=${algorithm}, qop=auth, nc=00000001, cnonce="c", response="${proof}"`
    expect(await check(header)).toMatchObject({ ok: true, proof: 'current' })
  })

  it('takes an answer without qop once: anybody could play it again', async () => {
    const { check, challenge } = setup()
    const { realm = '', nonce = '' } = fieldsOf(await challenge())
    const proof = md5(`${md5(`${id}:${realm}:secret`)}:${nonce}:${md5('POST:/')}`)
    const header = `Digest username="${id}", realm="${realm}", nonce="${nonce}", uri="/", response="${proof}"`
    expect(await check(header)).toMatchObject({ ok: true })
    expect(await check(header)).toMatchObject({ ok: false, reason: 'stale' })
    // The response does not cover a count that is made up.
    expect(await check(`${header}, nc=00000002`)).toMatchObject({ ok: false, reason: 'stale' })
  })

  it('keeps the count of a login however many wrong ones come after it', async () => {
    const { check, challenge } = setup()
    const header = answer(await challenge())
    expect(await check(header)).toMatchObject({ ok: true })
    for (let i = 0; i < 2000; i++) await check(answer(await challenge(), {}, 'wrong'), `198.51.100.${i % 250}`)
    expect(await check(header)).toMatchObject({ ok: false, reason: 'stale' })
  })

  it('does not note the count of a login that is wrong', async () => {
    const { check, challenge } = setup()
    const asked = await challenge()
    expect(await check(answer(asked, { nc: '0000ffff' }, 'wrong'))).toMatchObject({ ok: false, reason: 'wrong' })
    expect(await check(answer(asked))).toMatchObject({ ok: true })
  })

  it('takes no answer to a challenge of another realm', async () => {
    const { check, challenge } = setup()
    expect(await check(answer(await challenge(), { realm: 'Evil' }))).toMatchObject({ ok: false, reason: 'missing' })
  })

  it('compares no more logins of a device from an address after many wrong ones from there', async () => {
    const { clock, check, challenge } = setup()
    const guess = async (from: string) => check(answer(await challenge(), {}, 'wrong'), from)
    const reasons: unknown[] = []
    for (let i = 0; i < 40; i++) {
      const result = await guess('198.51.100.1')
      reasons.push(result.ok ? 'ok' : result.reason)
    }
    expect(reasons.filter((reason) => reason === 'wrong')).toHaveLength(30)
    expect(reasons.at(-1)).toBe('limited')
    // The right password is not compared either, and so nothing is learnt.
    expect(await check(answer(await challenge()), '198.51.100.1')).toMatchObject({ reason: 'limited' })
    clock.advance(60_000)
    expect(await guess('198.51.100.1')).toMatchObject({ reason: 'wrong' })
  })

  it('takes the right login from every other address, however many wrong ones strangers send for the device', async () => {
    const { check, challenge } = setup()
    for (let i = 0; i < 200; i++) await check(answer(await challenge(), {}, 'wrong'), `198.51.100.${i % 5}`)
    // An address at which it never was: after a restart of this server, or with a new address from its provider.
    expect(await check(answer(await challenge()), '192.0.2.77')).toMatchObject({ ok: true })
  })

  it('counts the addresses of one IPv6 network together', async () => {
    const { check, challenge } = setup()
    for (let i = 0; i < 30; i++) await check(answer(await challenge(), {}, 'wrong'), `2001:db8:0:1::${i + 1}`)
    expect(await check(answer(await challenge()), '2001:db8:0:1::ffff')).toMatchObject({ reason: 'limited' })
    expect(await check(answer(await challenge()), '2001:db8:0:2::1')).toMatchObject({ ok: true })
  })

  it('takes the right answer', async () => {
    const { check, challenge } = setup()
    expect(await check(answer(await challenge()))).toMatchObject({ ok: true, proof: 'current' })
  })

  it('takes an answer without qop from an old client', async () => {
    const { check, challenge } = setup()
    const { realm = '', nonce = '' } = fieldsOf(await challenge())
    const proof = md5(`${md5(`${id}:${realm}:secret`)}:${nonce}:${md5('POST:/')}`)
    const header = `Digest username="${id}", realm="${realm}", nonce="${nonce}", uri="/", response="${proof}"`
    expect(await check(header)).toMatchObject({ ok: true, proof: 'current' })
  })

  it.each(['http://acs.example/acs', '/acs?x=1', '/behind/a/proxy'])(
    'takes %s in uri: every path is the same ACS',
    async (uri) => {
      const { check, challenge } = setup()
      expect(await check(answer(await challenge(), { uri }))).toMatchObject({ ok: true })
      const header = answer(await challenge(), { uri })
      expect(await check(header.replace(uri, '/other'))).toMatchObject({ reason: 'wrong' })
    },
  )

  it('refuses the same answer sent twice, and says that the nonce is stale', async () => {
    const { check, challenge } = setup()
    const header = answer(await challenge())
    await check(header)
    const again = await check(header)
    expect(again).toMatchObject({ ok: false, reason: 'stale' })
    expect('challenges' in again && again.challenges[0]).toMatch(/, stale=true$/)
  })

  it('says stale for an old nonce, so that the client need not ask its user', async () => {
    const { clock, check, challenge } = setup()
    const old = await challenge()
    clock.advance(600_000)
    const refused = await check(answer(old))
    expect(refused).toMatchObject({ ok: false, reason: 'stale' })
    const fresh = 'challenges' in refused ? (refused.challenges[0] ?? '') : ''
    expect(await check(answer(fresh))).toMatchObject({ ok: true })
  })

  it.each([
    ['a wrong password', (challenge: string) => answer(challenge, {}, 'Secret'), 'wrong'],
    ['an unknown algorithm', (challenge: string) => `${answer(challenge)}, algorithm=SHA-512-256`, 'missing'],
    ['a nonce made up', (challenge: string) => answer(challenge, { nonce: NONCE }), 'missing'],
    [
      'the enrolment secret of a device that has its own',
      (challenge: string) => answer(challenge, {}, 'enrol'),
      'wrong',
    ],
    ['the user of another device', (challenge: string) => answer(challenge).replace(id, '00256D-Box-2'), 'wrong'],
  ])('refuses %s without calling it stale', async (_name, header, reason) => {
    const { check, challenge } = setup()
    const refused = await check(header(await challenge()))
    expect(refused).toMatchObject({ ok: false, reason })
    expect('challenges' in refused && refused.challenges[0]).not.toContain('stale')
  })

  it('is answered by the CPE with the first algorithm that is offered', async () => {
    for (const digestAlgorithms of [['SHA-256', 'MD5'], ['MD5', 'SHA-256'], ['SHA-256']] as const) {
      const { check } = setup(digestAlgorithms)
      const used: (string | undefined)[] = []
      const origin = await listen((request, response) => {
        used.push(fieldsOf(request.headers.authorization).algorithm)
        check(request.headers.authorization).then((result) => {
          if (!result.ok) response.setHeader('www-authenticate', result.challenges)
          response.writeHead(result.ok ? 204 : 401, { connection: 'close' }).end()
        })
      })
      const client = cpeClient()
      expect((await client.post(new URL(origin), login, '')).status).toBe(204)
      expect(used).toEqual([undefined, digestAlgorithms[0]])
    }
  })

  it('goes on over new TCP connections with one nonce', async () => {
    const { check } = setup()
    const statuses: number[] = []
    const ports = new Set<number | undefined>()
    const origin = await listen((request, response) => {
      ports.add(request.socket.remotePort)
      check(request.headers.authorization).then((result) => {
        if (!result.ok) response.setHeader('www-authenticate', result.challenges)
        statuses.push(result.ok ? 204 : 401)
        response.writeHead(result.ok ? 204 : 401, { connection: 'close' }).end()
      })
    })
    const client = cpeClient()
    for (let i = 0; i < 3; i++) await client.post(new URL(origin), login, '')
    expect(statuses).toEqual([401, 204, 204, 204])
    expect(ports.size).toBe(4)
  })
})
