import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { examineStore } from '../../src/cli/doctor/database.ts'
import { examine } from '../../src/cli/doctor/doctor.ts'
import type { Finding } from '../../src/cli/doctor/finding.ts'
import { readConfig } from '../../src/config/index.ts'
import { newTlsKey, selfSigned } from '../../src/pki/index.ts'
import { startAedes } from '../support/aedes-broker.ts'
import { startTestServer } from '../support/test-server.ts'

const DAY = 86_400_000
let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'isthmus-doctor-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

/** An installation on free ports without a fault, but for what a test adds. */
const config = (options: Record<string, string> = {}) =>
  readConfig(
    {
      dataDir,
      mongodbUri: inject('mongodbUri'),
      databaseName: 'doctor',
      host: '127.0.0.1',
      endpointId: 'oui:00256D:acs',
      ...{ apiPort: '0', cwmpPort: '0', uspPort: '0' },
      ...options,
    },
    {},
  )
const of = (found: Finding[], about: Finding['about']) =>
  found.filter((one) => one.about === about).map(({ state, text }) => `${state}: ${text}`)
const examined = async (about: Finding['about'], options: Record<string, string> = {}) =>
  of(await examine(config(options)), about).join('\n')

function makeCertificate(names: string[], validDays: number): Record<string, string> {
  const key = newTlsKey()
  const [notBefore, notAfter] = [Date.now() - 9 * DAY, Date.now() + validDays * DAY]
  const serial = randomBytes(8).fill(1, 0, 1)
  writeFileSync(join(dataDir, 'key.pem'), key)
  const cert = selfSigned({ key, commonName: 'test', names, notBefore, notAfter, serial })
  writeFileSync(join(dataDir, 'cert.pem'), cert)
  return { tlsCert: join(dataDir, 'cert.pem'), tlsKey: join(dataDir, 'key.pem'), cwmpsPort: '0' }
}

describe('isthmus doctor', () => {
  it('finds no problem where there is none', async () => {
    const found = await examine(config())
    expect(found.filter(({ state }) => state === 'problem')).toEqual([])
    expect(new Set(found.map(({ about }) => about))).toEqual(
      new Set(['folder', 'database', 'clock', 'ports', 'files', 'certificates', 'addresses']),
    )
  })

  it('names the option of a port that is taken, unless a server of Isthmus has it', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    expect(await examined('ports', { cwmpPort: String(port) })).toContain(
      `problem: CWMP: port ${port} is in use by another program; give another one with --cwmp-port`,
    )
    other.close()
    const server = await startTestServer(inject('mongodbUri'))
    expect(await examined('ports', { apiPort: String(server.apiPort) })).toMatch(/^ok: a server answers/)
    await server.stop()
  })

  it('says why the data folder cannot be used, and who can look into it', async () => {
    const file = join(dataDir, 'file')
    writeFileSync(file, '')
    expect(await examined('folder', { dataDir: join(file, 'data') })).toMatch(
      /^problem: .*file and no folder.*--data-dir/,
    )
    if (process.platform === 'win32') return
    chmodSync(dataDir, 0o755)
    expect(await examined('folder')).toContain(`chmod 700 ${dataDir}`)
    chmodSync(dataDir, 0o700)
    expect(await examined('folder')).toMatch(/^(ok|warning|problem): data folder \S+: \d+\.\d GB free[^\n]*$/)
  })

  it('says that the database does not answer, and how far its clock is', async () => {
    expect(await examined('database', { mongodbUri: 'mongodb://127.0.0.1:9/?directConnection=true' })).toMatch(
      /^problem: MongoDB at \S+ does not answer.*MONGODB_URI/,
    )
    expect(of(await examineStore(config(), () => Date.now() + 90_000), 'clock').join()).toMatch(
      /^problem: the clocks .* are (89|9\d)\.\d s apart; use NTP/,
    )
  })

  it('says that a certificate ends, is for another name, or is no pair with its key', async () => {
    expect(await examined('certificates', makeCertificate(['127.0.0.1'], 90))).toMatch(
      /^ok: --tls-cert is valid for (89|90) days$/,
    )
    expect(await examined('certificates', makeCertificate(['127.0.0.1'], 10))).toMatch(/^warning: --tls-cert ends in/)
    expect(await examined('certificates', makeCertificate(['127.0.0.1'], -2))).toMatch(/^problem: --tls-cert ended on/)
    expect(await examined('certificates', makeCertificate(['a.example'], 90))).toMatch(
      /problem: --tls-cert is not for 127\.0\.0\.1, .*--usp-public-host/,
    )
    const pair = makeCertificate(['127.0.0.1'], 90)
    writeFileSync(join(dataDir, 'key.pem'), newTlsKey())
    expect(await examined('certificates', pair)).toMatch(
      /^problem: --tls-cert and --tls-key do not make a working pair/,
    )
  })

  it('says that devices are led to an address that they cannot reach', async () => {
    expect(await examined('addresses', { host: '0.0.0.0' })).toMatch(/^problem: --usp-public-host 127\.0\.0\.1 is this/)
    expect(await examined('addresses', { uspPublicHost: 'no-such-name.invalid' })).toMatch(
      /^problem: .* has no address/,
    )
    expect(await examined('addresses', { endpointId: 'proto::isthmus' })).toMatch(/warning: --endpoint-id/)
  })

  it('says that the broker of telemetry cannot be reached, or does not let the server read', async () => {
    const rights = { isOpen: true }
    const { port, stop } = await startAedes({
      authorizeSubscribe: (_client, subscription, done) => done(null, rights.isOpen ? subscription : null),
    })
    const telemetryUrl = `mqtt://127.0.0.1:${port}`
    expect(await examined('telemetry')).toBe('')
    expect(await examined('telemetry', { telemetryUrl })).toMatch(
      /^ok: .* lets the server read below network\/mikrotik$/,
    )
    rights.isOpen = false
    expect(await examined('telemetry', { telemetryUrl })).toMatch(/^problem: .* refuses a subscription/)
    await stop()
    expect(await examined('telemetry', { telemetryUrl })).toMatch(/^problem: .*ECONNREFUSED/)
  })

  it('repeats the insecure settings', async () => {
    expect(await examined('security', { enrolment: 'open' })).toMatch(/^warning: --enrolment: every CPE may join/)
  })
})
