import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { examineCertificates } from '../../src/cli/doctor/certificates.ts'
import { Certificates, plainApiNote } from '../../src/cli/parts/certificates.ts'
import { readConfig } from '../../src/config/index.ts'
import { newTlsKey, selfSigned } from '../../src/pki/index.ts'

const DAY = 86_400_000
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-certificates-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const rsaKey = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey

/** Writes a certificate with an EC key, and the key that is named as its own. */
function write(shownKey?: string) {
  const key = newTlsKey()
  const serial = randomBytes(8).fill(1, 0, 1)
  const validity = { notBefore: Date.now() - DAY, notAfter: Date.now() + 90 * DAY }
  const cert = selfSigned({ key, commonName: 'test', names: ['127.0.0.1'], ...validity, serial })
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, shownKey ?? key)
  return files
}
const options = { given: ['tlsCert', 'tlsKey'], api: ['apiTlsCert', 'apiTlsKey'] } as const
const flags = { given: '--tls-cert and --tls-key', api: '--api-tls-cert and --api-tls-key' }
const configOf = (source: 'given' | 'api', files: { cert: string; key: string }, more: Record<string, string> = {}) => {
  const [cert, key] = options[source]
  return readConfig({ dataDir: folder, host: '127.0.0.1', [cert]: files.cert, [key]: files.key, ...more }, {})
}
const parts = { clock: systemClock, random: systemRandom, log: silentLog }

describe.each(['given', 'api'] as const)('the %s certificate', (source) => {
  it('is refused with a key of another type, at the start and by doctor', () => {
    const config = configOf(source, write(rsaKey()))
    expect(() => new Certificates(config, parts)).toThrow(`${flags[source]} do not make a working pair`)
    expect(examineCertificates(config, systemClock, systemRandom).map(({ text }) => text)).toEqual([
      expect.stringContaining(`${flags[source]} do not make a working pair`),
    ])
  })

  it('is refused with a key of another type when it is read again; the one before stays', () => {
    const config = configOf(source, write())
    const certificates = new Certificates(config, parts)
    const before = source === 'api' ? certificates.api : certificates.usp
    write(rsaKey())
    certificates.reload()
    expect(source === 'api' ? certificates.api : certificates.usp).toEqual(before)
  })

  it('is refused when its file holds only a key', () => {
    const files = write()
    writeFileSync(files.cert, readFileSync(files.key))
    expect(() => new Certificates(configOf(source, files), parts)).toThrow(
      `${flags[source]} do not make a working pair`,
    )
  })
})

it('authorities of client certificates are refused when the file holds no certificate', () => {
  const files = write()
  const config = configOf('given', files, { tlsClientCa: files.key })
  expect(() => new Certificates(config, parts)).toThrow('--tls-client-ca')
  const damaged = join(folder, 'ca.pem')
  writeFileSync(damaged, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
  const other = configOf('given', files, { tlsClientCa: damaged })
  expect(() => new Certificates(other, parts)).toThrow('--tls-client-ca')
})

it('the address of an API that stays plain beside a certificate for devices has a note', () => {
  const note = (source: 'given' | 'api', more: Record<string, string> = {}) =>
    plainApiNote(configOf(source, write(), more))
  expect(note('given')).toMatch(/plain HTTP on 127\.0\.0\.1.*--api-tls on/)
  expect(note('given', { apiTls: 'on' })).toBe('')
  expect(note('given', { apiTls: 'off' })).toBe('')
  expect(note('given', { apiHost: '0.0.0.0' })).toBe('')
  expect(note('api')).toBe('')
  expect(plainApiNote(readConfig({ dataDir: folder }, {}))).toBe('')
})
