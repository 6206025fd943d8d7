import { randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { newTlsKey, selfSigned } from '../../../src/pki/index.ts'

const DAY = 86_400_000
const make = (over: Partial<Parameters<typeof selfSigned>[0]> = {}) =>
  selfSigned({
    key: newTlsKey(),
    commonName: 'Isthmus on a.example',
    names: ['a.example', 'localhost', '127.0.0.1', '2001:db8::17', '::1', '::ffff:192.0.2.1'],
    notBefore: Date.parse('2026-01-02T03:04:05.678Z'),
    notAfter: Date.parse('2027-01-02T03:04:05Z'),
    serial: Buffer.from([1, 2, 3]),
    ...over,
  })

it('names the hosts that it is made for, and has its own signature', () => {
  const certificate = new X509Certificate(make())
  expect(certificate.subject).toBe('CN=Isthmus on a.example')
  expect(certificate.issuer).toBe(certificate.subject)
  expect(certificate.serialNumber).toBe('010203')
  expect(certificate.subjectAltName).toBe(
    'DNS:a.example, DNS:localhost, IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:17, IP Address:0:0:0:0:0:0:0:1, IP Address:0:0:0:0:0:FFFF:C000:201',
  )
  expect(new Date(certificate.validFrom).toISOString()).toBe('2026-01-02T03:04:05.000Z')
  expect(new Date(certificate.validTo).toISOString()).toBe('2027-01-02T03:04:05.000Z')
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect(certificate.checkIssued(certificate)).toBe(true)
})

it('lasts beyond 2049', () => {
  expect(
    new Date(new X509Certificate(make({ notAfter: Date.parse('2051-05-06T07:08:09Z') })).validTo).getFullYear(),
  ).toBe(2051)
})

it('is accepted in a handshake by a client that trusts it, under each of its names, and by no other', async () => {
  const key = newTlsKey()
  const cert = make({
    key,
    notBefore: Date.now() - DAY,
    notAfter: Date.now() + DAY,
    serial: randomBytes(8).fill(1, 0, 1),
  })
  const server = createServer({ key, cert }, (_, response) => void response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const ask = (servername: string, ca?: string) =>
    new Promise<number | string>((resolve) => {
      request({ host: '127.0.0.1', port, servername, ca, agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
        .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
        .end()
    })
  try {
    expect(await ask('a.example', cert)).toBe(200)
    expect(await ask('', cert)).toBe(200)
    expect(await ask('b.example', cert)).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(await ask('a.example')).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
  } finally {
    server.close()
  }
})
