import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/base/index.ts'
import { renderScript, type ScriptTemplate, templateOf } from '../../../src/router-files/index.ts'
import { RouterScripts } from '../../../src/simulator/routeros/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'

const VERSIONS = { 'v6.49': '6.49.17', 'v7.18': '7.18.2', home: '7.18.2' } as const

function router(profile: keyof typeof VERSIONS = 'v7.18') {
  const scripts = new RouterScripts({ profile, serial: 'HF1', clock: createManualClock(), random: systemRandom })
  return {
    rows: (table: string) => scripts.rows(table),
    text: (text: string) => scripts.run(text, 'before'),
    run: (name: string, given: Record<string, string>) =>
      scripts.run(renderScript(templateOf(name) as ScriptTemplate, given, VERSIONS[profile]), 'before'),
  }
}

const named = (rows: readonly Record<string, string | undefined>[], name: string) =>
  rows.find((row) => row.name === name)

describe.each(['v6.49', 'v7.18'] as const)('a script of a template on an emulated router (%s)', (profile) => {
  const made = router(profile)

  it.each(['plain', 'a "quoted" name; /system reboot', '$[/user print] \\ ? {} #', 'Zürich ☎', "=,'"])(
    'sets the name of the router byte for byte: %s',
    (name) => {
      expect(made.run('identity', { name })).toEqual({ end: 'done', name })
    },
  )

  it('sets time zone and NTP servers', () => {
    expect(made.run('time-zone', { zone: 'Europe/Riga' })).toMatchObject({ end: 'done' })
    expect(made.rows('/system/clock')[0]).toMatchObject({
      'time-zone-name': 'Europe/Riga',
      'time-zone-autodetect': 'false',
    })
    expect(made.run('ntp-servers', { servers: '192.0.2.1,ntp.example.net' })).toMatchObject({ end: 'done' })
    expect(made.rows('/system/ntp/client')[0]).toMatchObject(
      profile === 'v6.49'
        ? {
            enabled: 'true',
            'primary-ntp': '192.0.2.1',
            'secondary-ntp': '0.0.0.0',
            'server-dns-names': 'ntp.example.net',
          }
        : { enabled: 'true', servers: '192.0.2.1,ntp.example.net' },
    )
  })

  it('makes the account and the service of a bridge, and sets them when it is repeated', () => {
    const account = { password: 'a long "secret"', addresses: '192.0.2.10', policies: 'api,read' }
    expect(made.run('bridge-account', account)).toMatchObject({ end: 'done' })
    expect(made.run('bridge-account', { ...account, policies: 'api,read,write' })).toMatchObject({ end: 'done' })
    const { policy = '' } = named(made.rows('/user/group'), 'isthmus') ?? {}
    expect(policy.split(',').filter((one) => !one.startsWith('!'))).toEqual(['read', 'write', 'api'])
    expect(made.rows('/user').filter(({ name }) => name === 'isthmus')).toMatchObject([
      { group: 'isthmus', password: 'a long "secret"', address: '192.0.2.10' },
    ])
    const service = { host: 'r1.example.net', addresses: '192.0.2.10', port: '9000' }
    expect(made.run('api-ssl', service)).toMatchObject({ end: 'done' })
    expect(made.run('api-ssl', service)).toMatchObject({ end: 'done' })
    const certificates = made.rows('/certificate').filter(({ name }) => name === 'isthmus-api')
    expect(certificates).toMatchObject([{ 'common-name': 'r1.example.net', 'private-key': 'true' }])
    const services = made.rows('/ip/service')
    expect(named(services, 'api-ssl')).toMatchObject({
      certificate: 'isthmus-api',
      address: '192.0.2.10',
      port: '9000',
      disabled: 'false',
    })
    expect(named(services, 'api')).toMatchObject({ disabled: 'true' })
  })

  it('adds to address lists once, and removes from them', () => {
    const entry = { list: 'blocked', address: '203.0.113.0/24' }
    const rows = () => made.rows('/ip/firewall/address-list').filter(({ list }) => list === 'blocked')
    for (const comment of ['first', 'second'])
      expect(made.run('address-list-add', { ...entry, comment })).toMatchObject({ end: 'done' })
    expect(rows()).toMatchObject([{ address: '203.0.113.0/24', comment: 'second' }])
    for (let i = 0; i < 2; i++) expect(made.run('address-list-remove', entry)).toMatchObject({ end: 'done' })
    expect(rows()).toEqual([])
  })

  it('schedules one restart, and takes it back', () => {
    for (const time of ['03:00', '04:00'])
      expect(made.run('reboot-at', { date: '2026-03-01', time })).toMatchObject({ end: 'done' })
    expect(made.rows('/system/scheduler')).toMatchObject([
      {
        name: 'isthmus-reboot',
        'start-date': profile === 'v6.49' ? 'mar/01/2026' : '2026-03-01',
        'start-time': '04:00:00',
        'on-event': '/system reboot',
      },
    ])
    expect(made.run('reboot-cancel', {})).toMatchObject({ end: 'done' })
    expect(made.rows('/system/scheduler')).toEqual([])
  })

  it('switches services off', () => {
    expect(made.run('services-off', { services: 'telnet,ftp' })).toMatchObject({ end: 'done' })
    for (const name of ['telnet', 'ftp'])
      expect(named(made.rows('/ip/service'), name), name).toMatchObject({ disabled: 'true' })
  })
})

describe('a script that fails on an emulated router', () => {
  it('is refused by the device-mode home where it schedules', () => {
    expect(router('home').run('reboot-at', { date: '2026-03-01', time: '03:00' })).toMatchObject({
      end: 'failed',
      text: 'failure: not allowed by device-mode',
    })
  })

  it.each([
    '/system identity set name="a',
    '/system identity set name="$x"',
    '/system identity set name="\\q"',
    '/system identity set name=[/user print]',
    ':if ([:len [/user find]] = 1) do={}',
    ':put "x"',
    'system identity set name=a',
    '/system identity set name=a }',
  ])('is not begun when it cannot be read: %s', (script) => {
    expect(router().text(`/system identity set name=begun\n${script}\n`)).toMatchObject({
      end: 'syntax',
      name: 'before',
    })
  })

  it('stays done as far as it went', () => {
    expect(router().text('/system identity set name=begun\n/user add name=x\n')).toMatchObject({
      end: 'failed',
      name: 'begun',
    })
  })
})
