import { describe, expect, it } from 'vitest'
import { resultWithoutSecrets, shownValue, storable, withoutSecrets } from '../../../src/domain/index.ts'
import { requestForAudit } from '../../../src/operations/request-for-audit.ts'

const SECRET = 'Abcdefghij_klmno-pqrs1'
const VALUE = `/usp/${SECRET}`
const ROW = 'Device.USPAgent.Controller.2.MTP.1.'
const PATH = `${ROW}WebSocket.Path`

describe('a login inside a URL', () => {
  it.each([
    [
      'Device.ManagementServer.ConnectionRequestURL',
      'http://user:pw@192.0.2.1:7547/x',
      'http://[secret]@192.0.2.1:7547/x',
    ],
    ['Device.ManagementServer.URL', 'https://:pw@acs.example', 'https://[secret]@acs.example'],
    ['Device.X_ACME.Server', 'FTP://a@b:p@w@files.example/a@b', 'FTP://[secret]@files.example/a@b'],
    ['Device.X_ACME.Servers', 'http://a:b@x/,http://c:d@y/', 'http://[secret]@x/,http://[secret]@y/'],
    // A user name without a password is none, and an @ behind the host belongs to the path.
    ['Device.X_ACME.Server', 'ssh://git@host/x', 'ssh://git@host/x'],
    ['Device.X_ACME.Server', 'http://host:80/a@b', 'http://host:80/a@b'],
    ['Device.X_ACME.Server', 'http://host?a:b@c', 'http://host?a:b@c'],
    ['Device.X_ACME.Contact', 'sip:1234:5@host', 'sip:1234:5@host'],
  ])('is masked: %s %j is shown as %j', (path, value, shown) => {
    expect(shownValue(path, value)).toBe(shown)
    expect(shownValue(path, shown)).toBe(shown)
    const write = { path, value, type: 'string', source: 'cwmp', collectedAt: 1 } as const
    expect(storable(write)?.value).toBe(shown)
  })
})

describe('the secret in an MTP row of a Controller', () => {
  it.each([
    [PATH, VALUE, '/usp/[secret]'],
    ['Device.LocalAgent.Controller.2.MTP.1.WebSocket.Path', VALUE, '/usp/[secret]'],
    ['Device.LocalAgent.Controller.*.MTP.*.WebSocket.Path', `usp/${SECRET}/`, 'usp/[secret]'],
    ['Device.LocalAgent.Controller.[EndpointID=="a.b"].MTP.1.WebSocket.Path', VALUE, '/usp/[secret]'],
    ['Device.LocalAgent.Controller.2.MTP.1.STOMP.Destination', VALUE, '/usp/[secret]'],
    [PATH, `${VALUE}?eid=os::00256D-1`, '/usp/[secret]?eid=os::00256D-1'],
    [PATH, `%2Fusp%2f${SECRET}`, '%2Fusp%2f[secret]'],
    // A value of another form has no secret of this server, and a row of another table has none.
    [PATH, '/usp', '/usp'],
    [PATH, '/usp/short', '/usp/short'],
    [PATH, '', ''],
    ['Device.LocalAgent.MTP.1.WebSocket.Path', VALUE, VALUE],
    ['Device.LocalAgent.Controller.2.BootParameter.1.ParameterName', VALUE, VALUE],
  ])('is masked: %s %j is shown as %j', (path, value, shown) => {
    expect(shownValue(path, value)).toBe(shown)
    expect(shownValue(path, shown)).toBe(shown)
  })

  it('looks the same in a result, hidden by the device or not', () => {
    const path = 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase'
    for (const value of ['', 'a passphrase'])
      expect(resultWithoutSecrets({ outcome: 'done', results: [{ path, value }] }).results).toEqual([
        { path, value: '[secret]' },
      ])
  })

  it('is kept out of requests, results, the audit log and the record', () => {
    const set = { verb: 'set', values: [{ path: PATH, value: VALUE }] } as const
    const add = { verb: 'add', object: ROW, values: { 'WebSocket.Path': VALUE, Protocol: 'WebSocket' } } as const
    const request = (one: object) => one as Parameters<typeof withoutSecrets>[0]
    const kept = [
      withoutSecrets(request(set)),
      withoutSecrets(request(add)),
      requestForAudit(request(set)),
      requestForAudit(request(add)),
      resultWithoutSecrets({ outcome: 'done', results: [{ path: PATH, value: VALUE }] }),
      storable({ path: PATH, value: VALUE, type: 'string', source: 'usp', collectedAt: 1 }),
    ]
    for (const one of kept) {
      expect(JSON.stringify(one)).toContain('/usp/[secret]')
      expect(JSON.stringify(one)).not.toContain(SECRET)
    }
  })
})

it.each([
  ['ftp:', 'ftp:'],
  ['http://', 'http://'],
  ['http://user:pw@', '[secret]@'],
  ['http://user:pw@host/f', 'http://host/f'],
  ['no url', 'no url'],
])('a download of %s, of which some are no URLs, is in the audit log as %s', (url, shown) => {
  expect(withoutSecrets({ verb: 'download', url })).toEqual({ verb: 'download', url: shown })
})

it('an upgrade that is refused for a login in a URL is in the audit log without it', () => {
  const plain = { verb: 'upgrade' as const, packages: ['https://host/a-7.19-arm.npk'] }
  expect(withoutSecrets(plain)).toBe(plain)
  const request = { ...plain, packages: [...plain.packages, 'https://user:pw@host/b-7.19-arm.npk', 'user:pw@x'] }
  expect(requestForAudit(request)).toEqual({
    verb: 'upgrade',
    packages: [...plain.packages, 'https://host/b-7.19-arm.npk', '[secret]@x'],
  })
})
