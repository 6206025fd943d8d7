import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { OPTIONS, printOptions, readConfig } from '../../../src/config/index.ts'

describe('readConfig', () => {
  it('gives every option with a default a value and leaves the others out', () => {
    const config = readConfig({}, {})
    expect(config.cwmpPort).toBe(7547)
    expect(config.enrolment).toBe('credential')
    expect(config.allowBasicOverHttp).toBe(false)
    expect('mongodbUri' in config).toBe(false)
    expect(Object.isFrozen(config)).toBe(true)
  })

  it('lets a flag win over its variable and a variable over the default', () => {
    const env = { ISTHMUS_CWMP_PORT: '1000', ISTHMUS_API_PORT: '2000' }
    const config = readConfig({ cwmpPort: '1' }, env)
    expect([config.cwmpPort, config.apiPort, config.uspPort]).toEqual([1, 2000, 8183])
  })

  it('reports all problems together, by flag and variable', () => {
    const read = () =>
      readConfig({ cwmpPort: '70000', logLevel: 'loud', allowBasicOverHttp: 'perhaps' }, { MONGODB_URI: 'http://x' })
    expect(read).toThrow(/--cwmp-port \(ISTHMUS_CWMP_PORT\): takes a whole number from 0 to 65535, got "70000"/)
    expect(read).toThrow(/--log-level/)
    expect(read).toThrow(/--allow-basic-over-http/)
    expect(read).toThrow(/--mongodb-uri \(MONGODB_URI\)/)
  })

  it('never repeats a secret in a problem', () => {
    expect(() => readConfig({ mongodbUri: 'pass://hunter2' }, {})).not.toThrow(/hunter2/)
  })

  it.each([
    ['uspPath', 'usp', /--usp-path .* takes a path that begins with a slash, got "usp"/],
    ['databaseName', 'a.b', /--database-name .* takes a name that MongoDB allows/],
    ['uspPublicHost', 'wss://usp.example', /--usp-public-host .* takes a host name or address/],
    ['cwmpPublicUrl', 'acs.example.net', /--cwmp-public-url .* takes an address such as https:/],
    ['cwmpPublicUrl', 'https://u:p@acs.example.net', /--cwmp-public-url/],
    ['routerPackageUrls', 'https://packages.example.net/routeros', /--router-package-urls .* end in a slash/],
    ['routerPackageUrls', 'https://a.example/,https://b.example/%2e%2e/', /--router-package-urls/],
    ['routerPackageUrls', 'ftp://a.example/', /--router-package-urls/],
    ['endpointId', 'isthmus', /--endpoint-id .* takes scheme:authority:instance/],
    ['tlsClientCa', import.meta.filename, /--tls-client-ca needs --tls-cert/],
    ['agentAdmission', 'certificate', /--agent-admission certificate needs --tls-client-ca/],
  ])('refuses %s %s with what it takes', (key, text, problem) => {
    expect(() => readConfig({ [key]: text }, {})).toThrow(problem)
  })

  it('takes several places of packages for routers', () => {
    const places = 'https://download.mikrotik.com/routeros/,http://192.0.2.1:8080/'
    expect(readConfig({ routerPackageUrls: places }, {}).routerPackageUrls).toBe(places)
  })

  it('refuses two listeners on one port, but not two that take a free one', () => {
    expect(() => readConfig({ apiPort: '7547' }, {})).toThrow(/--api-port and --cwmp-port are both 7547/)
    // The TLS listener is there with a certificate only.
    expect(readConfig({ apiPort: '7548' }, {}).apiPort).toBe(7548)
    expect(readConfig({ apiPort: '0', cwmpPort: '0', uspPort: '0' }, {}).cwmpPort).toBe(0)
  })

  it('reads a secret from the file that its variable names, and no other option', () => {
    const folder = mkdtempSync(join(tmpdir(), 'isthmus-config-'))
    const file = join(folder, 'secret')
    writeFileSync(file, 'from a file\n')
    try {
      expect(readConfig({}, { ISTHMUS_SECRET_KEY_FILE: file }).secretKey).toBe('from a file')
      writeFileSync(file, 'mongodb://db/')
      expect(readConfig({}, { MONGODB_URI_FILE: file }).mongodbUri).toBe('mongodb://db/')
      expect(() => readConfig({}, { ISTHMUS_SECRET_KEY_FILE: file, ISTHMUS_SECRET_KEY: 'x' })).toThrow(/is given twice/)
      expect(() => readConfig({}, { ISTHMUS_SECRET_KEY_FILE: join(folder, 'none') })).toThrow(/_FILE cannot be read/)
      expect(() => readConfig({}, { ISTHMUS_HOST_FILE: file })).toThrow(/ISTHMUS_HOST_FILE is not an option/)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('takes an empty flag or variable for none', () => {
    expect(readConfig({ host: '' }, { ISTHMUS_USP_PATH: '' })).toMatchObject({ host: '0.0.0.0', uspPath: '/usp' })
  })

  it('refuses an ISTHMUS_ variable that no option has', () => {
    expect(() => readConfig({}, { ISTHMUS_CWMPPORT: '1' })).toThrow(/ISTHMUS_CWMPPORT is not an option/)
  })

  it('wants certificate and key together, and both files there', () => {
    expect(() => readConfig({ tlsCert: 'missing.pem' }, {})).toThrow(
      /--tls-cert and --tls-key go together[\s\S]*there is no file missing.pem/,
    )
  })
})

describe('the option table', () => {
  it('has unique keys, flags and a sentence each, and prints one line per option', () => {
    expect(new Set(OPTIONS.map((row) => row.key)).size).toBe(OPTIONS.length)
    expect(new Set(OPTIONS.map((row) => row.flag)).size).toBe(OPTIONS.length)
    for (const row of OPTIONS) expect(row.sentence).toMatch(/\.$/)
    expect(printOptions().split('\n')).toHaveLength(OPTIONS.length + 2)
  })
})
