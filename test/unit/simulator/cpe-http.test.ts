import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CpeHttpClient } from '../../../src/cwmp/cpe/http-client.ts'
import type { Fault } from '../../../src/simulator/index.ts'
import { ScriptedAcs } from '../../support/scripted-acs.ts'
import { makeDevice } from '../../support/simulated-device.ts'

const TLS = join(import.meta.dirname, '../../vectors/tls')
const login = { username: 'u', password: 'p' }

describe('a CPE over TLS', () => {
  const cert = readFileSync(join(TLS, 'server.pem'), 'utf8')
  const seen: (string | undefined)[] = []
  const server = createServer({ cert, key: readFileSync(join(TLS, 'server.key')) }, (request, response) => {
    seen.push(request.headers.authorization)
    if (request.headers.authorization !== undefined) return void response.writeHead(204).end()
    response.writeHead(401, { 'www-authenticate': 'Basic realm="acs"' }).end()
  })
  beforeEach(async () => {
    seen.length = 0
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(() => {
    server.close()
    server.closeAllConnections()
  })
  const url = () => {
    const address = server.address()
    return new URL(`https://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`)
  }

  it('sends its password when it is asked, to a server it trusts', async () => {
    const client = new CpeHttpClient({ keepCookies: true, timeoutMs: 5000, trusted: [cert] })
    expect((await client.post(url(), login, '')).status).toBe(204)
    expect(seen).toEqual([undefined, `Basic ${Buffer.from('u:p').toString('base64')}`])
    client.end()
  })

  it('does not speak to one it does not trust', async () => {
    const client = new CpeHttpClient({ keepCookies: true, timeoutMs: 5000 })
    await expect(client.post(url(), login, '')).rejects.toThrow(/self-signed/)
    expect(seen).toEqual([])
  })
})

describe('a CPE over HTTP', () => {
  let acs: ScriptedAcs
  beforeEach(async () => {
    acs = await ScriptedAcs.start()
  })
  afterEach(() => acs.stop())

  it('never sends its password in clear', async () => {
    acs.over = () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="acs"' } })
    const client = new CpeHttpClient({ keepCookies: true, timeoutMs: 5000 })
    expect((await client.post(new URL(acs.url), login, '')).status).toBe(401)
    expect(acs.posts.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
    client.end()
  })

  it('prefers Digest where both are offered, and gives opaque back', async () => {
    acs.over = ({ headers }) =>
      headers.authorization === undefined
        ? {
            status: 401,
            headers: {
              'www-authenticate': ['Basic realm="a"', 'Digest realm="a", qop="auth,auth-int", nonce="n", opaque="o"'],
            },
          }
        : undefined
    const client = new CpeHttpClient({ keepCookies: true, timeoutMs: 5000 })
    await client.post(new URL(acs.url), login, '')
    expect(acs.posts[1]?.headers.authorization).toMatch(
      /^Digest .*nonce="n".*qop=auth, nc=00000001, cnonce="[0-9a-f]{16}", opaque="o"$/,
    )
    client.end()
  })

  it('gives up at a second 401', async () => {
    acs.over = () => ({ status: 401, headers: { 'www-authenticate': 'Digest realm="a", qop="auth", nonce="n"' } })
    const client = new CpeHttpClient({ keepCookies: true, timeoutMs: 5000 })
    expect((await client.post(new URL(acs.url), login, '')).status).toBe(401)
    expect(acs.posts).toHaveLength(2)
    client.end()
  })
})

describe('habits of field devices', () => {
  let acs: ScriptedAcs
  let made: ReturnType<typeof makeDevice> | undefined
  beforeEach(async () => {
    acs = await ScriptedAcs.start()
  })
  afterEach(async () => {
    made?.device.stop(false)
    await acs.stop()
  })
  async function first(fault: Fault, ...queue: string[]): Promise<void> {
    acs.queue.push(...queue)
    made = makeDevice('tr181NoAgent', { acsUrl: acs.url, faults: [fault] })
    made.device.start()
    await vi.waitFor(() => expect(made?.device.cpe?.counters.sessions).toBe(1), 5000)
  }
  const get = (...names: string[]) =>
    `<c:GetParameterValues><ParameterNames>${names.map((name) => `<string>${name}</string>`).join('')}</ParameterNames></c:GetParameterValues>`
  const NAME = 'Device.DeviceInfo.ModelName'

  it('newConnections: each request comes over a connection of its own', async () => {
    await first('newConnections', get(NAME))
    expect(new Set(acs.posts.map(({ from }) => from)).size).toBe(3)
    expect(acs.posts.every(({ headers }) => headers.connection === 'close')).toBe(true)
  })

  it('noCookies: none comes back', async () => {
    acs.over = ({ name, id }) =>
      name === 'Inform'
        ? {
            headers: { 'set-cookie': 'a=1' },
            body: acs.envelope('<c:InformResponse><MaxEnvelopes>1</MaxEnvelopes></c:InformResponse>', id),
          }
        : undefined
    await first('noCookies')
    expect(acs.posts[1]?.headers.cookie).toBeUndefined()
  })

  it('authAfter401: every request is challenged first', async () => {
    acs.over = ({ headers }) =>
      headers.authorization === undefined
        ? { status: 401, headers: { 'www-authenticate': `Digest realm="a", qop="auth", nonce="n${acs.posts.length}"` } }
        : undefined
    await first('authAfter401', get(NAME))
    expect(acs.posts.map(({ name, headers }) => [name, headers.authorization !== undefined])).toEqual(
      ['Inform', '', 'GetParameterValuesResponse'].flatMap((name) => [
        [name, false],
        [name, true],
      ]),
    )
  })

  it('fault9002: more than five names at once are too many', async () => {
    await first('fault9002', get(NAME, NAME, NAME, NAME, NAME, NAME), get(NAME))
    expect(acs.posts.slice(2).map(({ name, body }) => [name, /<FaultCode>(\d+)/.exec(body)?.[1]])).toEqual([
      ['Fault', '9002'],
      ['GetParameterValuesResponse', undefined],
    ])
  })

  it('cutsBatches: a read of the whole tree ends the connection, and the session', async () => {
    await first('cutsBatches', get('Device.'))
    expect(acs.posts.map(({ name }) => name)).toEqual(['Inform', ''])
    expect(made?.device.cpe?.counters.failedSessions).toBe(1)
  })

  it('ghosts: what is listed cannot be read', async () => {
    const names =
      '<c:GetParameterNames><ParameterPath>Device.Hosts.Host.1.</ParameterPath><NextLevel>1</NextLevel></c:GetParameterNames>'
    await first('ghosts', names, get('Device.Hosts.Host.1.HostName'), get('Device.Hosts.Host.1.'))
    expect(acs.posts[2]?.body).toContain('Device.Hosts.Host.1.HostName')
    expect(acs.posts[3]?.body).toContain('<FaultCode>9005</FaultCode>')
    expect(acs.posts[4]?.body).not.toContain('HostName')
  })

  it.each([
    ['emptyTypes', '<Value>0</Value>'],
    ['allStrings', '<Value xsi:type="xsd:string">0</Value>'],
    ['booleanLiterals', '<Value xsi:type="xsd:boolean">false</Value>'],
  ] as const)('%s: a boolean is told as %s', async (fault, value) => {
    await first(fault, get('Device.ManagementServer.AliasBasedAddressing'))
    expect(acs.posts[2]?.body).toContain(value)
  })

  it('emptyTable9005: a partial path to nothing is no path', async () => {
    await first('emptyTable9005', get('Device.NAT.PortMapping.'))
    expect(acs.posts[2]?.body).toContain('<FaultCode>9005</FaultCode>')
  })
})
