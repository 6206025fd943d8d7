import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { networksOf, silentLog, systemRandom } from '../../../src/base/index.ts'
import { mayBeAsked } from '../../../src/cwmp/acs/connection-request/request-http.ts'
import { ConnectionRequester } from '../../../src/cwmp/acs/connection-request/requester.ts'
import { type Device, deviceIdOf, newDevice } from '../../../src/domain/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'

const IDENTITY = { oui: '00256D', productClass: 'Box', serial: '1' }
const login = { username: 'acs', password: 'cr secret' }
const md5 = (text: string) => createHash('md5').update(text).digest('hex')

const pem = (name: string) => readFileSync(join(import.meta.dirname, '../../vectors/tls', name), 'utf8')

const everything = networksOf('0.0.0.0/0,::/0')
const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** A device that listens for connection requests. */
async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/cr/random?x=1`
}

function requester(options: { allowBasicOverHttp?: boolean; here?: boolean; login?: boolean } = {}) {
  const clock = createManualClock()
  const id = deviceIdOf(IDENTITY)
  const made = new ConnectionRequester({
    credentials: {
      get: async () => (options.login === false ? undefined : { deviceId: id, connectionRequest: login, updatedAt: 0 }),
    },
    clock,
    random: systemRandom,
    log: silentLog,
    isHere: () => options.here === true,
    notes: { note: async () => undefined },
    ...options,
  })
  return { made, clock, id }
}

function deviceAt(connectionRequestUrl: string, remoteAddress = '127.0.0.1'): Device {
  const device = newDevice(deviceIdOf(IDENTITY), IDENTITY, 'cwmp', 0)
  device.cwmp = { lastInformAt: 0, events: [], version: '1.2', connectionRequestUrl, remoteAddress }
  return device
}

/** Fields of an Authorization header. */
const fieldsOf = (header = '') =>
  Object.fromEntries(
    [...header.matchAll(/([\w-]+)=(?:"([^"]*)"|([^\s,]+))/g)].map(([, name, quoted, bare]) => [
      name,
      quoted ?? bare ?? '',
    ]),
  )

/** The response that a client must give, worked out by hand; `body` with qop=auth-int. */
function proof(header: string | undefined): boolean {
  const { realm, nonce, nc, cnonce, qop, uri, response } = fieldsOf(header)
  const ha1 = md5(`${login.username}:${realm}:${login.password}`)
  const ha2 = md5(`GET:${uri}${qop === 'auth-int' ? `:${md5('')}` : ''}`)
  const middle = qop === undefined ? '' : `${nc}:${cnonce}:${qop}:`
  return response === md5(`${ha1}:${nonce}:${middle}${ha2}`) && uri === '/cr/random?x=1'
}

/** Challenges, and takes the right answer. */
const challenging =
  (...challenges: string[]): RequestListener =>
  (request, response) => {
    const given = request.headers.authorization
    if (given !== undefined && proof(given)) return response.writeHead(204).end()
    return response.writeHead(401, { 'www-authenticate': challenges }).end()
  }

describe('a connection request', () => {
  it.each([
    ['Digest with qop auth', ['Digest realm="r", nonce="n", qop="auth,auth-int"']],
    ['Digest with qop auth-int alone', ['Digest realm="r", nonce="n", qop="auth-int"']],
    ['Digest of RFC 2069', ['Digest realm="r", nonce="n"']],
    ['Digest behind Basic', ['Basic realm="r"', 'Digest realm="r", nonce="n", qop="auth"']],
    ['Digest and Basic in one header', ['Digest realm="r", nonce="n", qop=auth, Basic realm="other"']],
  ])('answers %s', async (_name, challenges) => {
    const url = await listening(challenging(...challenges))
    expect(await requester().made.wake(deviceAt(url))).toBe('ok')
  })

  it('answers once more when the nonce grew old, and no third time', async () => {
    let asked = 0
    const url = await listening((request, response) => {
      const { nonce } = fieldsOf(request.headers.authorization)
      asked++
      if (nonce === 'n2' && proof(request.headers.authorization)) return response.writeHead(200).end()
      const stale = nonce === undefined ? '' : ', stale=true'
      return response
        .writeHead(401, {
          'www-authenticate': `Digest realm="r", qop="auth", nonce="${nonce === undefined ? 'n1' : 'n2'}"${stale}`,
        })
        .end()
    })
    expect(await requester().made.wake(deviceAt(url))).toBe('ok')
    expect(asked).toBe(3)
    const always = await listening((_request, response) =>
      response.writeHead(401, { 'www-authenticate': 'Digest realm="r", qop="auth", nonce="n", stale=true' }).end(),
    )
    expect(await requester().made.wake(deviceAt(always))).toBe('unauthorized')
  })

  it('shows a password in the clear only where that is allowed', async () => {
    const seen: (string | undefined)[] = []
    const url = await listening((request, response) => {
      const given = request.headers.authorization
      seen.push(given)
      if (given?.startsWith('Basic ') === true) return response.writeHead(200).end()
      return response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end()
    })
    expect(await requester().made.wake(deviceAt(url))).toBe('basicOnly')
    expect(seen).toEqual([undefined])
    expect(await requester({ allowBasicOverHttp: true }).made.wake(deviceAt(url))).toBe('ok')
  })

  it('does not send a login that the URL brings', async () => {
    const seen: (string | undefined)[] = []
    const url = await listening((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(204).end()
    })
    expect(await requester().made.wake(deviceAt(url.replace('//', '//user:pass@')))).toBe('ok')
    expect(seen).toEqual([undefined])
  })

  it.each([
    [200, 'ok'],
    [204, 'ok'],
    [503, 'busy'],
    [202, 'http2xx'],
    [302, 'redirected'],
    [403, 'forbidden'],
    [404, 'http4xx'],
    [500, 'http5xx'],
  ])('%i is %s', async (status, outcome) => {
    const url = await listening((_request, response) =>
      response.writeHead(status, { location: 'http://127.0.0.1:9/' }).end(),
    )
    expect(await requester().made.wake(deviceAt(url))).toBe(outcome)
  })

  it('is refused, not an error, where nobody listens', async () => {
    expect(await requester().made.wake(deviceAt('http://127.0.0.1:9/'))).toBe('refused')
  })

  it('has an unknown host where the name means nothing', async () => {
    expect(await requester().made.wake(deviceAt('http://cpe.invalid/'))).toBe('unknownHost')
  })

  it('over TLS without a certificate that is trusted ends before anything is shown', async () => {
    const tls = createTlsServer({ cert: pem('server.pem'), key: pem('server.key') }, (_request, response) =>
      response.writeHead(204).end(),
    ).listen(0, '127.0.0.1')
    await once(tls, 'listening')
    closers.push(() => void tls.close())
    const { port } = tls.address() as AddressInfo
    expect(await requester().made.wake(deviceAt(`https://127.0.0.1:${port}/`))).toBe('tls')
  })

  it('that breaks off is unreachable', async () => {
    const url = await listening((request) => request.socket.destroy())
    expect(await requester().made.wake(deviceAt(url))).toBe('unreachable')
  })

  it('with a challenge that cannot be answered in a header harms nobody', async () => {
    const url = await listening((_request, response) =>
      response.socket?.end('HTTP/1.1 401 x\r\nWWW-Authenticate: Digest realm="\u00ff\u0001", nonce="n"\r\n\r\n'),
    )
    expect(await requester().made.wake(deviceAt(url))).toBe('unreachable')
  })

  it('to a device that wants a login of which there is none says so', async () => {
    const url = await listening(challenging('Digest realm="r", nonce="n", qop="auth"'))
    expect(await requester({ login: false }).made.wake(deviceAt(url))).toBe('noCredential')
  })

  it.each(['', 'ftp://127.0.0.1/', 'http://', 'http://127.0.0.1:0/', 'nonsense'])('is not tried at %j', async (url) => {
    expect(await requester().made.wake(deviceAt(url))).toBe('noUrl')
  })

  it('is not sent to a device that is here, nor within 30 s of one that it accepted', async () => {
    const url = await listening((_request, response) => response.writeHead(204).end())
    expect(await requester({ here: true }).made.wake(deviceAt(url))).toBe('alreadyHere')
    const { made, clock, id } = requester()
    expect(await made.wake(deviceAt(url))).toBe('ok')
    expect(await made.wake(deviceAt(url))).toBe('tooSoon')
    clock.advance(30_000)
    expect(await made.wake(deviceAt(url))).toBe('ok')
    made.came(id)
    expect(await made.wake(deviceAt(url))).toBe('ok')
  })

  it('is sent within 30 s to a CPE whose session was with another instance, even before its answer was read', async () => {
    let lastInformAt = 0
    const url = await listening((_request, response) => {
      lastInformAt = clock.now()
      clock.advance(50)
      response.writeHead(204).end()
    })
    const { made, clock } = requester()
    const cpe = deviceAt(url)
    expect(await made.wake(cpe)).toBe('ok')
    const come = { ...cpe, cwmp: { ...cpe.cwmp, lastInformAt } as Device['cwmp'] } as Device
    expect(await made.wake(come)).toBe('ok')
    const before = { ...cpe, cwmp: { ...cpe.cwmp, lastInformAt: lastInformAt - 1 } as Device['cwmp'] } as Device
    expect(await made.wake(before)).toBe('tooSoon')
  })
})

describe('where a device may be', () => {
  it.each(['0.0.0.0', '169.254.1.1', '224.0.0.1', '255.255.255.255', 'fe80::1', 'ff02::1'])(
    'is not %s, unless it came from there',
    (address) => {
      expect(mayBeAsked(address, undefined, everything)).toBe(false)
      expect(mayBeAsked(address, '10.0.0.1', everything)).toBe(false)
      expect(mayBeAsked(address, address)).toBe(true)
    },
  )

  it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '127.9.9.9'])(
    'is not %s, unless it came from this machine',
    (address) => {
      expect(mayBeAsked(address, undefined, everything)).toBe(false)
      expect(mayBeAsked(address, '10.0.0.1', everything)).toBe(false)
      expect(mayBeAsked(address, '127.0.0.1')).toBe(true)
    },
  )

  it.each([
    ['metadata of AWS, Azure, Google', '169.254.169.254'],
    ['the same, mapped into IPv6', '::ffff:a9fe:a9fe'],
    ['metadata of containers', '169.254.170.2'],
    ['metadata of Alibaba', '100.100.100.200'],
    ['the wire server of Azure', '168.63.129.16'],
    ['metadata of Oracle', '192.0.0.192'],
    ['metadata of AWS over IPv6', 'fd00:ec2::254'],
    ['metadata of Google over IPv6', 'fd20:ce::254'],
    ['NAT64', '64:ff9b::a9fe:a9fe'],
    ['local NAT64', '64:ff9b:1::7f00:1'],
    ['IPv4-compatible', '::7f00:1'],
    ['IPv4-translated', '::ffff:0:7f00:1'],
    ['6to4', '2002:7f00:1::'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['ISATAP', '2001:db8::5efe:7f00:1'],
  ])('is never asked at %s (%s)', (_name, address) => {
    for (const peer of [undefined, '203.0.113.9', address]) expect(mayBeAsked(address, peer, everything)).toBe(false)
  })

  it.each([
    ['203.0.113.9', '203.0.113.9', true],
    ['203.0.113.9', '::ffff:203.0.113.9', true],
    ['203.0.113.9', '203.0.113.10', false],
    ['203.0.113.9', undefined, false],
    ['10.0.0.1', '203.0.113.9', false],
    ['2001:db8:1:2::7', '2001:db8:1:2:aaaa::1', true],
    ['2001:db8:1:3::7', '2001:db8:1:2:aaaa::1', false],
    ['2001:DB8::0:1', '2001:db8::1', true],
  ])('at %s is asked when it came from %s: %s', (address, peer, want) => {
    expect(mayBeAsked(address, peer)).toBe(want)
  })

  it('is asked in allowed networks, wherever it came from', () => {
    const allowed = networksOf('10.0.0.0/8, 2001:db8::/32, 192.0.2.1')
    expect(
      ['10.9.9.9', '192.168.1.1', '2001:db8:9::1', '2001:db9::1', '192.0.2.1', '192.0.2.2'].map((address) =>
        mayBeAsked(address, '203.0.113.9', allowed),
      ),
    ).toEqual([true, false, true, false, true, false])
  })

  it('may be on this machine by either address when it came from one of them', () => {
    expect([mayBeAsked('127.0.0.1', '::1'), mayBeAsked('::1', '127.0.0.1'), mayBeAsked('169.254.1.1', '::1')]).toEqual([
      true,
      true,
      false,
    ])
  })

  it('is no matter of how the address is written', async () => {
    let asked = 0
    const url = await listening((_request, response) => {
      asked++
      response.writeHead(204).end()
    })
    const forms = ['127.0.0.1', '2130706433', '0x7f.1', 'localhost', '[::ffff:127.0.0.1]']
    for (const form of forms)
      expect(await requester().made.wake(deviceAt(url.replace('127.0.0.1', form), '198.51.100.1'))).toBe(
        'addressNotAllowed',
      )
    expect(asked).toBe(0)
  })
})
