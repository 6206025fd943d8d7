import { createPublicKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { silentLog, systemRandom } from '../../src/base/index.ts'
import {
  Authority,
  keyIdOf,
  keyOfRequest,
  newTlsKey,
  renewalTime,
  selfSigned,
  writeCertificateRequest,
} from '../../src/pki/index.ts'
import { createSecretBox } from '../../src/security/index.ts'
import type { Store } from '../../src/store/index.ts'
import { type Link, WebSocketMtp } from '../../src/usp/mtp/index.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { testStore } from '../support/store.ts'
import { until } from '../support/until.ts'

const DAY_MS = 86_400_000
const EID = 'os::00256D-S1'
const URI = `urn:bbf:usp:id:${EID}`

describe('the certificate authority', () => {
  const clock = createManualClock(Date.parse('2026-05-06T07:08:09Z'))
  let store: Store & { databaseName: string }
  let authority: Authority
  const key = newTlsKey()
  const order = { owner: 'bridge:b1', publicKey: createPublicKey(key), commonName: EID, names: [URI] }
  beforeEach(async () => {
    store = await testStore(inject('mongodbUri'))
    authority = new Authority({ store: store.certificates, clock, random: systemRandom })
  })
  afterEach(() => store.close())

  async function issued() {
    const [made] = await authority.issue([order])
    if (made === undefined) throw new Error('nothing was issued')
    return made
  }
  const raw = (pem: string) => new Uint8Array(new X509Certificate(pem).raw)

  it('is the same one for all servers of a database, also of those that need it at once', async () => {
    const others = [1, 2, 3].map(() => new Authority({ store: store.certificates, clock, random: systemRandom }))
    const all = await Promise.all([authority, ...others].map((one) => one.certificate()))
    expect(new Set(all).size).toBe(1)
    const certificate = new X509Certificate(all[0] ?? '')
    expect(certificate.ca).toBe(true)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
  })

  it('keeps its key sealed: a server with another secret key cannot use it', async () => {
    await authority.certificate()
    const [document] = await store.db
      .collection('settings')
      .find({ key: { $exists: true } })
      .toArray()
    expect(String(document?.key)).toMatch(/^v1\./)
    const box = createSecretBox('another', systemRandom)
    expect(() => box.open(String(document?.key), 'certificateAuthority')).toThrow(/another|server key/)
  })

  it('issues client certificates for 90 days, which are due for renewal when two thirds have passed', async () => {
    const { pem, certificate } = await issued()
    const read = new X509Certificate(pem)
    expect(read.subjectAltName).toBe(`URI:${URI}`)
    expect(read.serialNumber.toLowerCase()).toBe(certificate.id)
    expect(certificate.id).toMatch(/^[0-9a-f]{32}$/)
    expect(read.checkIssued(new X509Certificate(await authority.certificate()))).toBe(true)
    expect(read.verify(new X509Certificate(await authority.certificate()).publicKey)).toBe(true)
    expect(read.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(read.ca).toBe(false)
    expect(certificate.notAfter - certificate.notBefore).toBe(90 * DAY_MS)
    expect(renewalTime(certificate)).toBe(certificate.notBefore + 60 * DAY_MS)
    expect(certificate.keyId).toBe(keyIdOf(createPublicKey(key)))
    expect(await authority.valid(certificate.id)).toEqual(certificate)
    expect(await store.certificates.ofName(URI)).toEqual([certificate])
    expect(await store.certificates.ofName('urn:bbf:usp:id:os::00256D-S2')).toEqual([])
  })

  it('refuses certificates that were revoked, that expired, and that it did not record', async () => {
    const [one, two] = [await issued(), await issued()]
    const own = selfSigned({
      key,
      commonName: 'other',
      names: [],
      notBefore: clock.now(),
      notAfter: clock.now() + DAY_MS,
      serial: Buffer.from([1]),
    })
    expect(await authority.refused([raw(one.pem), raw(two.pem), raw(own)])).toEqual(new Set())
    await store.certificates.revoke({ id: one.certificate.id }, 'lost', clock.now())
    await store.certificates.revoke({ id: one.certificate.id }, 'repeated', clock.now() + 5)
    expect((await store.certificates.get(one.certificate.id))?.reason).toBe('lost')
    const shown = [raw(one.pem), raw(two.pem)]
    expect(await authority.refused(shown)).toEqual(new Set([shown[0]]))
    await expect(authority.valid(one.certificate.id)).rejects.toMatchObject({ code: 'unauthorized' })
    await store.certificates.revoke({ owner: 'bridge:b1' }, 'deleted', clock.now())
    expect(await authority.refused(shown)).toEqual(new Set(shown))
    await store.db.collection('certificates').deleteMany({})
    expect(await authority.refused(shown)).toEqual(new Set(shown))
    const late = await issued()
    clock.advance(91 * DAY_MS)
    const after = [raw(late.pem)]
    expect(await authority.refused(after)).toEqual(new Set(after))
    await expect(authority.valid(late.certificate.id)).rejects.toThrow(/expired/)
  })

  it('lists certificates by their holder, page by page', async () => {
    for (let i = 0; i < 3; i++) await issued()
    await authority.issue([{ ...order, owner: 'bridge:b2' }])
    const first = await store.certificates.list({ owner: 'bridge:b1', limit: 2 })
    expect(first.items).toHaveLength(2)
    const rest = await store.certificates.list({ owner: 'bridge:b1', limit: 2, cursor: first.next ?? '' })
    expect(rest).toMatchObject({ items: [{ owner: 'bridge:b1' }] })
    expect(rest.next).toBeUndefined()
  })

  describe('over USP', () => {
    const files = (() => {
      const serverKey = newTlsKey()
      const dates = { notBefore: Date.now() - DAY_MS, notAfter: Date.now() + DAY_MS }
      const names = { commonName: 'server', names: ['localhost', '127.0.0.1'] }
      return { key: serverKey, cert: selfSigned({ key: serverKey, ...names, ...dates, serial: Buffer.from([9]) }) }
    })()
    const sockets: WebSocket[] = []
    const opened: Link[] = []
    const now = createManualClock(Date.now())
    let server: WebSocketMtp
    let live: Authority
    beforeEach(async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
      live = new Authority({ store: store.certificates, clock: now, random: systemRandom })
      server = new WebSocketMtp({
        host: '127.0.0.1',
        port: 0,
        path: '/usp',
        endpointId: 'self::tls-test',
        tls: files,
        ownAuthority: await live.certificate(),
        refused: (certificates) => live.refused(certificates),
        maxLinks: 10,
        clock: now,
        log: silentLog,
      })
      server.onLink({ onOpen: (link) => opened.push(link), onRecord: () => undefined, onClose: () => undefined })
      await server.start()
    })
    afterEach(async () => {
      vi.useRealTimers()
      for (const socket of sockets.splice(0)) socket.terminate()
      opened.length = 0
      await server.stop()
    })

    async function dial(cert: string): Promise<string | number | undefined> {
      const url = `wss://localhost:${server.port}/usp?eid=${EID}`
      const socket = new WebSocket(url, 'v1.usp', { perMessageDeflate: false, ca: files.cert, key, cert })
      socket.on('error', () => undefined)
      sockets.push(socket)
      return Promise.race([
        once(socket, 'open').then(() => 'open'),
        once(socket, 'unexpected-response').then(([, response]) => (response as IncomingMessage).statusCode),
      ])
    }
    const order90 = async () => (await live.issue([order]))[0] ?? { pem: '', certificate: undefined }

    it('an issued certificate proves the Endpoint ID in it', async () => {
      expect(await dial((await order90()).pem)).toBe('open')
      expect(opened).toMatchObject([{ endpointId: EID, proof: 'certificate' }])
      server.renewCertificate(files)
      expect(await dial((await order90()).pem)).toBe('open')
      expect(opened[1]).toMatchObject({ endpointId: EID, proof: 'certificate' })
    })

    it('a revoked certificate opens no link, and ends the one that is open', async () => {
      const { pem, certificate } = await order90()
      expect(await dial(pem)).toBe('open')
      await store.certificates.revoke({ id: certificate?.id ?? '' }, 'lost', now.now())
      expect(await dial(pem)).toBe(403)
      const [socket] = sockets
      vi.advanceTimersByTime(30_000)
      await until(() => socket?.readyState === WebSocket.CLOSED)
      expect(opened).toHaveLength(1)
    })
  })
})

describe('a request for a certificate', () => {
  it('names the key that signed it', () => {
    const key = newTlsKey()
    expect(keyIdOf(keyOfRequest(writeCertificateRequest(key, 'bridge')))).toBe(keyIdOf(createPublicKey(key)))
  })

  it.each([
    ['a text that is none', () => 'x'],
    ['PEM of something else', () => writeCertificateRequest(newTlsKey(), 'b').replace(/M[A-Za-z]{3}/, 'AAAA')],
    ['more than it may have', () => `${writeCertificateRequest(newTlsKey(), 'b')}${' '.repeat(9000)}`],
    [
      'a signature of another key',
      () => {
        const lines = (pem: string) => Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64')
        const [one, two] = [
          lines(writeCertificateRequest(newTlsKey(), 'b')),
          lines(writeCertificateRequest(newTlsKey(), 'b')),
        ]
        // The key of the first in the place of that of the second.
        const at = two.indexOf(Buffer.from('03420004', 'hex'))
        one.copy(two, at, one.indexOf(Buffer.from('03420004', 'hex')), one.indexOf(Buffer.from('03420004', 'hex')) + 68)
        return `-----BEGIN CERTIFICATE REQUEST-----\n${two.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
      },
    ],
  ])('is refused when it is %s', (_name, make) => {
    expect(() => keyOfRequest(make())).toThrow(expect.objectContaining({ code: 'invalid' }))
  })
})
