import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readRouterTable } from '../../../src/domain/index.ts'

const plain = { transport: 'auto', policy: 'L1', tags: [], mqtt: false }

describe('a table of routers', () => {
  it('is CSV with defaults for what is left out', () => {
    const text = [
      '\uFEFFaddress,port,transport,username,password,fingerprint,policy,tags,mqtt',
      '# a remark, with commas',
      '192.0.2.1,,,,,,,,',
      '',
      `r2.example.net,8729,api-ssl,admin," p ""w"", ",${'AB:'.repeat(31)}ab,l2,north  core,TRUE`,
      '2001:db8::1,,ssh,api,x,,,"a\r\nb",',
    ].join('\r\n')
    expect(readRouterTable(text)).toEqual({
      routers: [
        { address: '192.0.2.1', ...plain },
        {
          address: 'r2.example.net',
          port: 8729,
          transport: 'api-ssl',
          login: { username: 'admin', password: ' p "w", ' },
          fingerprint: 'ab'.repeat(32),
          policy: 'L2',
          tags: ['north', 'core'],
          mqtt: true,
        },
        {
          ...plain,
          address: '2001:db8::1',
          transport: 'ssh',
          login: { username: 'api', password: 'x' },
          tags: ['a', 'b'],
        },
      ],
    })
    expect(readRouterTable('address\n192.0.2.9')).toEqual({ routers: [{ address: '192.0.2.9', ...plain }] })
    expect(readRouterTable('address,tags\n192.0.2.9,')).toEqual({ routers: [{ address: '192.0.2.9', ...plain }] })
  })

  it.each([
    ['', 1, /no line of column names/],
    ['port\n1', 1, /address is missing/],
    ['address,colour\n1', 1, /no column colour; the columns are address/],
    ['address\n192.0.2.1\nnot an address', 3, /no address/],
    ['address;port\n192.0.2.1;80', 1, /separate them by commas/],
    ['address,port\na,0', 2, /no port/],
    ['address,port\na,70000', 2, /no port/],
    ['address,transport\na,telnet', 2, /transport is "telnet"; it is one of auto/],
    ['address,policy\na,X', 2, /policy is "X"/],
    ['address,fingerprint\na,12', 2, /no SHA-256/],
    ['address,mqtt\na,yes', 2, /mqtt is "yes"/],
    ['address,username,password\na,,p', 2, /no username/],
    ['address,snmp\na,yes', 2, /snmp is "yes"; it is one of off, auto, prefer/],
    ['address,snmp_port\na,0', 2, /snmp_port "0" is no port/],
    ['address,username,snmp_community\na,u,Public', 2, /known to everyone/],
    ['address,snmp_community\na,c', 2, /sealed together with username and password/],
    ['address,username,snmp_community,snmp_user\na,u,c,v', 2, /both snmp_community/],
    ['address,username,snmp_user,snmp_auth_key,snmp_privacy_key\na,u,v,12345678,1234567', 2, /8 characters at least/],
    ['address,username,snmp_auth_key\na,u,12345678', 2, /no snmp_user/],
    ['address,username,snmp_user,snmp_auth\na,u,v,sha512', 2, /snmp_auth is "sha512"/],
    ['address,username,password\na,u,"p\nq"', 2, /control characters/],
    [`address,username\na,${'u'.repeat(256)}`, 2, /255 bytes/],
    [`address,tags\na,${'t'.repeat(101)}`, 2, /tags/],
    ['address\n"a', 2, /no end/],
    ['address\n"a"b', 2, /behind its quote/],
    ['address\na,b', 2, /2 fields/],
    [`address\n${'a\n'.repeat(2001)}`, 1, /more than 2000/],
  ])('is refused with the line of the fault: %j', (text, line, message) => {
    expect(readRouterTable(text)).toEqual({
      problems: expect.arrayContaining([{ line, text: expect.stringMatching(message) }]),
    })
  })

  it('has the settings and the login of SNMP', () => {
    const columns = 'address,username,snmp,snmp_port,snmp_community,snmp_user,snmp_auth,snmp_auth_key,snmp_privacy_key'
    const text = `${columns}\na,u,auto,1161, c ,,,,\nb,u,prefer,,,mon,md5,12345678,87654321\n`
    expect(readRouterTable(text)).toEqual({
      routers: [
        {
          ...plain,
          address: 'a',
          snmp: 'auto',
          snmpPort: 1161,
          login: { username: 'u', password: '', snmp: { community: ' c ' } },
        },
        {
          ...plain,
          address: 'b',
          snmp: 'prefer',
          login: {
            username: 'u',
            password: '',
            snmp: {
              user: 'mon',
              auth: { protocol: 'md5', key: '12345678' },
              privacy: { protocol: 'aes', key: '87654321' },
            },
          },
        },
      ],
    })
  })

  it('names no password, and twenty faults at most', () => {
    const found = readRouterTable(`address,username,password\n${'a,,secret-word\n'.repeat(100)}`)
    expect(JSON.stringify(found)).not.toContain('secret-word')
    expect(found).toMatchObject({ problems: { length: 20 } })
  })

  it('is as docs/bridges.md has it', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../docs/bridges.md'), 'utf8')
    const [, sample = ''] = /```\n(address,[\s\S]*?)```/.exec(text) ?? []
    const [, columns = ''] = /\n\| column [^\n]*\n([\s\S]*?)\n\n/.exec(text) ?? []
    const table = readRouterTable(sample)
    expect(table).toMatchObject({ routers: [{ address: '192.0.2.1' }, { port: 8731, login: { password: 'a,b' } }] })
    const [head = ''] = sample.split('\n')
    const described = [...columns.matchAll(/^\| ([a-z_, ]+) \| /gm)].flatMap(([, names = '']) => names.split(', '))
    expect(described.sort()).toEqual(head.split(',').sort())
  })
})
