import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { clientAddress, networksOf } from '../../../src/base/index.ts'
import { EntryBudget } from '../../../src/cwmp/acs/http/entry-budget.ts'
import { LargeBodies } from '../../../src/cwmp/acs/http/large-bodies.ts'
import { deviceIdOf } from '../../../src/domain/index.ts'
import { startAcs, type TestAcs } from '../../support/cwmp-acs.ts'
import { CpeWire, digestFor, vector } from '../../support/cwmp-wire.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { post, rawHttp } from '../../support/raw-http.ts'

const MIB = 1_048_576
const device = (serial: string) => deviceIdOf({ oui: '00256D', productClass: 'Box', serial })
const login = { username: device('1'), password: 'secret of 1' }
const inform = vector('inform', { SERIAL: '1', '0 BOOTSTRAP': '2 PERIODIC' })
const XML = { 'content-type': 'text/xml; charset="utf-8"' }

let world: TestAcs
const wires: CpeWire[] = []
const wire = () => {
  const made = new CpeWire(world.acs.port)
  wires.push(made)
  return made
}
async function start(options: Parameters<typeof startAcs>[0] = {}): Promise<void> {
  world = await startAcs({ policy: 'closed', trustedProxies: networksOf('127.0.0.1'), ...options })
  world.credentials.set(device('1'), { deviceId: device('1'), current: login, connectionRequest: login, updatedAt: 0 })
}
afterEach(async () => {
  for (const made of wires.splice(0)) made.close()
  await world?.stop()
})

/** An Authorization header with a nonce of the server and a wrong password. */
const stranger = async () => digestFor(await wire().post(inform), { username: 'x', password: 'y' })
const from = (address: string) => ({ 'x-forwarded-for': address })

describe('a request of which nobody knows who sends it', () => {
  it.each([
    ['shows nothing', {}],
    [
      'shows a nonce that is made up',
      { authorization: 'Digest username="x", realm="Isthmus", nonce="abc", uri="/", response="0"' },
    ],
    ['shows Basic where that is not taken', { authorization: 'Basic eDp5' }],
    ['shows what nobody can read', { authorization: 'Bearer abc' }],
  ])('is challenged before its body is read when it %s', async (_name, headers: Record<string, string>) => {
    await start()
    const lines = Object.entries({ host: 'x', 'content-length': '200000', ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    )
    // The body never comes: only an answer that does not wait for it arrives.
    const answer = await rawHttp(world.acs.port, [`POST / HTTP/1.1\r\n${lines.join('')}\r\n`])
    expect(answer.status).toBe(401)
    expect(answer.text).toMatch(/www-authenticate: Digest /i)
  })

  it('proves nothing by a response that covers a body which nobody has read', async () => {
    await start()
    const cpe = wire()
    const { authorization } = digestFor(await cpe.post(inform), login)
    const [nonce, uri] = ['nonce', 'uri'].map((name) => new RegExp(`${name}="([^"]*)"`).exec(authorization)?.[1])
    const md5 = (text: string) => createHash('md5').update(text).digest('hex')
    const ha1 = md5(`${login.username}:Isthmus:${login.password}`)
    const proof = md5(`${ha1}:${nonce}:00000001:0a4f113b:auth-int:${md5(`POST:${uri}:${md5('')}`)}`)
    const header = authorization.replace('qop=auth', 'qop=auth-int').replace(/response="[^"]*"/, `response="${proof}"`)
    expect((await cpe.post(inform, { authorization: header })).status).toBe(401)
    expect((await cpe.post(inform, { authorization })).status).toBe(200)
  })

  it('keeps its connection when the body it sends all the same is as long as an Inform', async () => {
    await start()
    const cpe = wire()
    const large = `${inform}<!--${'x'.repeat(200_000)}-->`
    const challenge = await cpe.post(large)
    expect(challenge.status).toBe(401)
    expect((await cpe.post(inform, digestFor(challenge, login))).status).toBe(200)
  })

  it('has an Inform to send, and no more than that', async () => {
    await start({ maxInformBytes: 65_536 })
    const body = inform + ' '.repeat(65_536)
    expect((await wire().post(body, await stranger())).status).toBe(413)
    const padded = inform + ' '.repeat(60_000)
    expect((await wire().post(padded, digestFor(await wire().post(inform), login))).status).toBe(200)
  })

  it('may not unpack to many times its size', async () => {
    await start({ maxInformBytes: MIB })
    const headers = { ...XML, 'content-encoding': 'gzip' }
    const packed = gzipSync(Buffer.alloc(MIB - 1, '&'))
    const answer = await rawHttp(world.acs.port, post('/', packed, { ...headers, ...(await stranger()) }))
    expect(answer.status).toBe(413)
    expect(answer.text).toContain('more than 100 times its size')
    const good = gzipSync(Buffer.from(inform))
    const authorization = digestFor(await wire().post(inform), login)
    expect((await rawHttp(world.acs.port, post('/', good, { ...headers, ...authorization }))).status).toBe(200)
  })

  it('finds no more room when its address has sent too much; other addresses and good devices do', async () => {
    await start()
    const rubbish = `<a>${'&'.repeat(200_000)}</a>`
    const statuses: number[] = []
    for (let i = 0; i < 90; i++) {
      const headers = { ...(await stranger()), ...from('203.0.113.1') }
      statuses.push((await wire().post(rubbish, headers)).status)
    }
    expect(statuses.slice(0, 80).every((status) => status === 400)).toBe(true)
    expect(statuses.at(-1)).toBe(503)
    const proof = async () => digestFor(await wire().post(inform), login)
    expect((await wire().post(inform, { ...(await proof()), ...from('203.0.113.2') })).status).toBe(200)
    world.clock.advance(60_000)
    expect((await wire().post(inform, { ...(await proof()), ...from('203.0.113.1') })).status).toBe(200)
  })

  it('is turned away with 503 when too many wrong logins came from its address', async () => {
    await start()
    const guess = async (serial: string) => {
      const headers = { ...(await stranger()), ...from('203.0.113.1') }
      return (await wire().post(vector('inform', { SERIAL: serial }), headers)).status
    }
    for (let i = 0; i < 30; i++) expect(await guess('1')).toBe(401)
    expect(await guess('1')).toBe(503)
    expect(await guess('2')).toBe(401)
  })
})

describe('the budget of requests that led to no session', () => {
  it('costs good devices nothing, however many share an address', () => {
    const budget = new EntryBudget(createManualClock())
    for (let i = 0; i < 20_000; i++) {
      const entry = budget.enter('192.0.2.1', 10_000)
      expect(entry).toBeDefined()
      entry?.leave(true, 10_000)
    }
    expect(budget.underWay).toBe(0)
  })

  it('is one for an IPv6 network of 64 bits, and comes back with time', () => {
    const clock = createManualClock()
    const budget = new EntryBudget(clock)
    for (let i = 0; i < 16; i++) budget.enter(`2001:db8::${i}`, MIB)?.leave(false, MIB)
    expect(budget.enter('2001:db8::ffff', MIB)).toBeUndefined()
    expect(budget.enter('2001:db8:0:1::1', MIB)).toBeDefined()
    clock.advance(2000)
    expect(budget.enter('2001:db8::ffff', MIB)).toBeDefined()
  })

  it('bounds what is under way over all addresses', () => {
    const budget = new EntryBudget(createManualClock())
    const entries = Array.from({ length: 100 }, (_, i) => budget.enter(`192.0.2.${i}`, MIB))
    expect(entries.filter((entry) => entry !== undefined)).toHaveLength(64)
    entries[0]?.leave(true, MIB)
    expect(budget.enter('198.51.100.1', MIB)).toBeDefined()
  })

  it('counts a request at its least, however short it is', () => {
    const budget = new EntryBudget(createManualClock())
    let served = 0
    for (let entry = budget.enter('192.0.2.1', 10); entry !== undefined && served < 10_000; served++) {
      entry.leave(false, 10)
      entry = budget.enter('192.0.2.1', 10)
    }
    expect(served).toBe(8192)
  })
})

describe('large bodies', () => {
  it('are parsed two at once; others wait in their order, and too many are turned away', async () => {
    const bodies = new LargeBodies()
    const ends: (() => void)[] = []
    let running = 0
    let most = 0
    const work = async () => {
      most = Math.max(most, ++running)
      await new Promise<void>((resolve) => ends.push(resolve))
      running--
      return true
    }
    const all = Array.from({ length: 18 }, () => bodies.run(2 * MIB, work))
    expect(await bodies.run(2 * MIB, work)).toBeUndefined()
    expect(await bodies.run(1000, async () => 'small')).toBe('small')
    for (let i = 0; i < 18; i++) {
      ends.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await Promise.all(all)).toEqual(Array.from({ length: 18 }, () => true))
    expect(most).toBe(2)
  })
})

describe('the address of a CPE', () => {
  const request = (remoteAddress: string, forwarded?: string) =>
    ({
      socket: { remoteAddress },
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    }) as Partial<IncomingMessage> as IncomingMessage
  const proxies = networksOf('10.0.0.0/8,2001:db8:ffff::/48')

  it.each([
    ['no proxies are trusted', '10.0.0.1', '203.0.113.9', undefined, '10.0.0.1'],
    ['it is mapped into IPv6', '::ffff:192.0.2.1', undefined, proxies, '192.0.2.1'],
    ['a stranger writes the header', '192.0.2.1', '203.0.113.9', proxies, '192.0.2.1'],
    ['a proxy writes the header', '10.0.0.1', '203.0.113.9', proxies, '203.0.113.9'],
    ['the CPE wrote a part of it', '10.0.0.1', '127.0.0.1, 203.0.113.9', proxies, '203.0.113.9'],
    ['there are two proxies', '10.0.0.1', '1.1.1.1, 203.0.113.9, 10.0.0.2', proxies, '203.0.113.9'],
    ['there are ports', '10.0.0.1', '203.0.113.9:4711', proxies, '203.0.113.9'],
    ['there are brackets', '2001:db8:ffff::1', '"[2001:db8::9]:4711"', proxies, '2001:db8::9'],
    ['there is rubbish', '10.0.0.1', 'unknown', proxies, '10.0.0.1'],
    ['there is nothing', '10.0.0.1', undefined, proxies, '10.0.0.1'],
  ])('when %s', (_name, remote, forwarded, trusted, want) => {
    expect(clientAddress(request(remote, forwarded), trusted)).toBe(want)
  })
})
