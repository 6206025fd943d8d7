import { randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { Certificates } from '../../src/cli/parts/certificates.ts'
import { type Config, readConfig } from '../../src/config/index.ts'
import { newTlsKey, selfSigned } from '../../src/pki/index.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { until } from '../support/until.ts'

const DAY = 86_400_000
let folder: string
let server: TestServer | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-tls-'))
})
afterEach(async () => {
  await server?.stop()
  server = undefined
  rmSync(folder, { recursive: true, force: true })
})

/** A pair of files; made again, it is another certificate in the same files. */
function makePair(name: string): { cert: string; key: string } {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) }
  const key = newTlsKey()
  const [notBefore, notAfter] = [Date.now() - DAY, Date.now() + DAY]
  const serial = randomBytes(8).fill(1, 0, 1)
  writeFileSync(files.key, key)
  writeFileSync(files.cert, selfSigned({ key, commonName: name, names: ['127.0.0.1'], notBefore, notAfter, serial }))
  return files
}
const serialOf = (file: string) => new X509Certificate(readFileSync(file)).serialNumber

/** The serial of the certificate that a listener shows in a handshake. */
async function shownAt(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  try {
    await once(socket, 'secureConnect')
    return socket.getPeerCertificate().serialNumber
  } finally {
    socket.destroy()
  }
}
const start = async (options: Partial<Record<keyof Config, string>>) => {
  server = await startTestServer(inject('mongodbUri'), { cwmpsPort: '0', ...options })
  return server
}

describe('certificates', () => {
  it('are read again on request, and new handshakes get them on every listener', async () => {
    const devices = makePair('devices')
    const api = makePair('api')
    const { cwmpsPort, uspPort, apiPort, reloadCertificates } = await start({
      tlsCert: devices.cert,
      tlsKey: devices.key,
      apiTlsCert: api.cert,
      apiTlsKey: api.key,
    })
    const shown = () => Promise.all([cwmpsPort, uspPort, apiPort].map(shownAt))
    const first = [devices, devices, api].map(({ cert }) => serialOf(cert))
    expect(await shown()).toEqual(first)
    makePair('devices')
    makePair('api')
    expect(await shown()).toEqual(first)
    reloadCertificates()
    const second = [devices, devices, api].map(({ cert }) => serialOf(cert))
    expect(second).not.toEqual(first)
    expect(await shown()).toEqual(second)
    // Half of a renewal: the certificate before stays.
    writeFileSync(devices.key, newTlsKey())
    reloadCertificates()
    expect(await shown()).toEqual(second)
  })

  it('are read again when their files change', async () => {
    const pair = makePair('devices')
    const config = readConfig({ dataDir: folder, tlsCert: pair.cert, tlsKey: pair.key }, {})
    const certificates = new Certificates(config, {
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      watchMs: 20,
    })
    await certificates.start()
    try {
      makePair('devices')
      await until(() => certificates.cwmp?.cert === readFileSync(pair.cert, 'utf8'))
      expect(certificates.cwmp?.key).toBe(readFileSync(pair.key, 'utf8'))
      expect(certificates.expiries().given).toBeCloseTo((Date.now() + DAY) / 1000, -2)
    } finally {
      await certificates.stop()
    }
  })

  it('are made by the server where none is given, and kept over restarts', async () => {
    const dataDir = join(folder, 'data')
    const options = { dataDir, apiTls: 'on', plainCwmp: 'false', plainUsp: 'false' }
    const first = await start(options)
    expect(first.apiUrl).toBe(`https://127.0.0.1:${first.apiPort}`)
    expect(first.cwmpPort).toBe(0)
    const shown = await Promise.all([first.apiPort, first.cwmpsPort, first.uspPort].map(shownAt))
    const serial = serialOf(join(dataDir, 'own-certificate.pem'))
    expect(shown).toEqual([serial, serial, serial])
    await first.stop()
    const second = await start(options)
    expect(await shownAt(second.apiPort)).toBe(serial)
  })

  it('are made anew, with the same key, when they end soon or lack a name', async () => {
    const make = (now: number, host = 'a.example') =>
      new Certificates(readConfig({ dataDir: folder, apiTls: 'on', uspPublicHost: host }, {}), {
        clock: { ...systemClock, now: () => now },
        random: systemRandom,
        log: silentLog,
      }).api
    const first = make(Date.now())
    expect(make(Date.now() + 600 * DAY)).toEqual(first)
    const second = make(Date.now() + 700 * DAY)
    expect(second?.cert).not.toBe(first?.cert)
    expect(second?.key).toBe(first?.key)
    const third = make(Date.now() + 700 * DAY, 'b.example')
    expect(new X509Certificate(third?.cert ?? '').checkHost('b.example')).toBe('b.example')
  })
})

describe('the API', () => {
  it('answers pages of the origins that it is given, and no others', async () => {
    const { apiUrl, firstKey } = await start({ apiCorsOrigins: 'https://a.example,http://localhost:5173' })
    const ask = (origin: string, init: RequestInit = {}) =>
      fetch(`${apiUrl}/api/v1/devices`, { ...init, headers: { origin, ...init.headers } })
    const preflight = { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } }
    const allowed = await ask('https://a.example', preflight)
    expect(allowed.status).toBe(204)
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://a.example')
    expect(allowed.headers.get('access-control-allow-headers')).toContain('authorization')
    const answer = await ask('http://localhost:5173', { headers: { authorization: `Bearer ${firstKey}` } })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('access-control-allow-origin')).toBe('http://localhost:5173')
    expect(answer.headers.get('vary')).toContain('Origin')
    // Without a key the page can read the refusal.
    expect((await ask('https://a.example')).headers.get('access-control-allow-origin')).toBe('https://a.example')
    for (const other of ['https://b.example', 'http://a.example', 'null'])
      for (const init of [preflight, {}])
        expect((await ask(other, init)).headers.get('access-control-allow-origin')).toBe(null)
  })

  it('promises HTTPS to browsers only over HTTPS', async () => {
    const plain = await start({})
    expect((await fetch(`${plain.apiUrl}/healthz`)).headers.get('strict-transport-security')).toBe(null)
  })

  it('binds to this machine alone unless --api-host says otherwise', async () => {
    const { apiUrl } = await start({ host: '0.0.0.0' })
    expect(apiUrl).toMatch(/^http:\/\/127\.0\.0\.1:/)
  })
})
