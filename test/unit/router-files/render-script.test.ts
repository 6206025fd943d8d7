import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSecret } from '../../../src/datamodel/index.ts'
import { renderScript, SCRIPT_TEMPLATES, type ScriptTemplate, templateOf } from '../../../src/router-files/index.ts'
import { type StepValues, scriptParameters } from '../../../src/router-files/template.ts'

const VERSIONS = ['6.49.17 (long-term)', '7.9', '7.18.2 (stable)']
/** Values that every parameter takes, by the type of its kind. */
const GOOD: Readonly<Record<string, string>> = {
  'bridge-account.policies': 'api,read,write',
  'services-off.services': 'telnet,api',
  'address-list-add.address': '192.0.2.0/24',
  'address-list-remove.address': '192.0.2.1',
}
const BY_TYPE: Readonly<Record<string, string>> = {
  text: 'north-1234567890',
  integer: '10',
  boolean: 'true',
  network: '192.0.2.10',
  host: 'time.example.net',
  date: '2026-03-01',
  time: '03:30',
  timeZone: 'Europe/Riga',
}

function goodFor(template: ScriptTemplate): Record<string, string> {
  return Object.fromEntries(
    Object.entries(template.parameters).map(([name, { kind }]) => [
      name,
      GOOD[`${template.name}.${name}`] ?? BY_TYPE[kind.type] ?? '',
    ]),
  )
}

/** All words that the steps of a template may write, beside strings between quotation marks. */
function wordsOf(template: ScriptTemplate): Set<string> {
  const words = new Set(['add', 'set', 'remove', 'find', ':if', ':len', '=', '0', 'do=', 'else='])
  const note = (values: StepValues) => {
    for (const [property, value] of Object.entries(values)) {
      words.add(`${property}=`)
      if (typeof value === 'string') words.add(value)
    }
  }
  for (const step of template.steps) {
    for (const word of step.menu.split(' ')) words.add(word)
    if ('key' in step) note(step.key)
    if ('values' in step) note(step.values)
    if ('command' in step && step.command !== undefined) words.add(step.command)
  }
  return words
}

/** The words of a script, and the contents of its strings; throws for a string that is not written by plain bytes. */
function readScript(script: string): { words: string[]; strings: string[] } {
  const strings: string[] = []
  const words: string[] = []
  for (const line of script.trimEnd().split('\n').slice(1)) {
    const rest = line.replace(/"([^"]*)"/g, (_, content: string) => {
      if (!/^(?:[A-Za-z0-9 ._:/@,+=-]|\\[0-9A-F]{2})*$/.test(content)) throw new Error(`not plain: ${content}`)
      strings.push(content)
      return ' '
    })
    words.push(...rest.split(/[\s()[\]{};]+|(?<==)/).filter((word) => word !== ''))
  }
  return { words, strings }
}

const bytesOf = (literal: string) =>
  Buffer.from(
    literal.replace(/\\([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString()

describe('the templates of scripts', () => {
  it('have names of their own, and steps that use parameters which exist', () => {
    const names = SCRIPT_TEMPLATES.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const template of SCRIPT_TEMPLATES) {
      const used = template.steps.flatMap((step) => {
        const values = [
          ...('key' in step ? Object.values(step.key) : []),
          ...('values' in step ? Object.values(step.values) : []),
        ]
        return [...values.flatMap((value) => (typeof value === 'string' ? [] : [value.of])), step.each, step.if]
      })
      const known = Object.keys(template.parameters)
      expect([...new Set(used.filter((name) => name !== undefined))].sort(), template.name).toEqual(known.sort())
    }
  })

  it('have menus and words of plain letters, and secrets whose names say so', () => {
    for (const template of SCRIPT_TEMPLATES) {
      for (const { menu } of template.steps) expect(menu).toMatch(/^\/[a-z-]+( [a-z-]+)*$/)
      for (const [name, { secret, initial, kind, optional }] of Object.entries(template.parameters)) {
        expect(name).toMatch(/^[a-z][A-Za-z]{0,30}$/)
        expect(isSecret(name), name).toBe(secret === true)
        if (initial !== undefined) expect(kind.read(initial), name).toBeDefined()
        expect(initial !== undefined && optional === true, name).toBe(false)
      }
    }
  })

  it('never grant the rights over users and passwords, and touch no script and no schedule but the restart', () => {
    for (const template of SCRIPT_TEMPLATES)
      for (const version of VERSIONS) {
        const script = renderScript(template, goodFor(template), version)
        expect(script).not.toMatch(/[",](policy|sensitive|ftp|sniff)[",]/)
        expect(script).not.toMatch(/system script|\/execute|\/import|\/file|\/tool/)
      }
  })

  it('write their steps in the words of the version', () => {
    const lines = (name: string, version: string, given: Record<string, string>) =>
      renderScript(templateOf(name) as ScriptTemplate, given, version)
        .split('\n')
        .slice(1, -1)
    expect(lines('identity', '7.18.2', { name: 'core "1" $x' })).toEqual([
      '/system identity set name="core \\221\\22 \\24x"',
    ])
    const servers = { servers: '192.0.2.1,ntp.example.net,192.0.2.1,2001:DB8::0:1' }
    expect(lines('ntp-servers', '7.9', servers)).toEqual([
      '/system ntp client set enabled=yes mode=unicast servers="192.0.2.1,ntp.example.net,2001:db8::1"',
    ])
    expect(lines('ntp-servers', '6.49.17 (long-term)', servers)).toEqual([
      '/system ntp client set enabled=yes primary-ntp="192.0.2.1" secondary-ntp="2001:db8::1" server-dns-names="ntp.example.net"',
    ])
    const scheduled = (version: string) => lines('reboot-at', version, { date: '2026-03-01', time: '03:30' }).join('\n')
    expect(scheduled('7.9')).toContain('start-date="mar/01/2026" start-time="03:30:00"')
    expect(scheduled('7.10')).toContain('start-date="2026-03-01" start-time="03:30:00"')
    expect(lines('services-off', '7.18.2', { services: 'telnet,ftp' })).toEqual([
      '/ip service set [find name="telnet"] disabled=yes',
      '/ip service set [find name="ftp"] disabled=yes',
    ])
    const account = lines('bridge-account', '6.49.17', { password: 'a long secret', addresses: '192.0.2.10/32' })
    expect(account[1]).toBe(
      ':if ([:len [/user find name="isthmus"]] = 0) do={/user add name="isthmus" group="isthmus" password="a long secret" address="192.0.2.10"} ' +
        'else={/user set [find name="isthmus"] group="isthmus" password="a long secret" address="192.0.2.10"}',
    )
    expect(account[0]).not.toContain('rest-api')
    const tls = { host: 'r1.example.net', addresses: '192.0.2.10' }
    expect(lines('api-ssl', '7.18.2', tls)).toEqual([
      ':if ([:len [/certificate find name="isthmus-api"]] = 0) do={/certificate add name="isthmus-api" common-name="r1.example.net" days-valid="3650" ' +
        'key-usage=digital-signature,key-encipherment,tls-server; /certificate sign [find name="isthmus-api"]}',
      '/ip service set [find name=api-ssl] certificate="isthmus-api" address="192.0.2.10" port="8729" disabled=no',
      '/ip service set [find name=api] disabled=yes',
    ])
    expect(lines('api-ssl', '7.18.2', { ...tls, closePlain: 'false' })).toHaveLength(2)
    expect(lines('address-list-add', '7.18.2', { list: 'blocked', address: '203.0.113.9/32' })).toEqual([
      ':if ([:len [/ip firewall address-list find list="blocked" address="203.0.113.9"]] = 0) do={/ip firewall address-list add list="blocked" address="203.0.113.9"}',
    ])
  })
})

describe('values of parameters', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.constantFrom(
      '"; /system reset-configuration; #',
      'a" name="b',
      '$[/system reboot]',
      '[/user print]',
      '\\" ; :put "',
      'x\n/system reboot',
      'x\r/system reboot',
      '{/system reboot}',
      'a;b',
      '?',
      'ä€😀',
      '192.0.2.1; /system reboot',
      '192.0.2.1\n',
      '::1%eth0',
      '1e3',
      '0x7f.1',
      'constructor',
      '__proto__',
    ),
    fc
      .array(fc.constantFrom('"', '\\', '$', '[', ']', '{', '}', ';', '\n', ' ', 'a', '=', ','), { maxLength: 20 })
      .map((all) => all.join('')),
  )

  it('never become a word of a script: there are words of the template and strings of plain bytes alone', () => {
    const cases = fc.record({
      template: fc.constantFrom(...SCRIPT_TEMPLATES),
      version: fc.constantFrom(...VERSIONS),
      values: fc.array(fc.oneof({ weight: 3, arbitrary: hostile }, { weight: 1, arbitrary: fc.constant(undefined) }), {
        minLength: 8,
        maxLength: 8,
      }),
      extra: fc.option(fc.tuple(hostile, hostile), { nil: undefined }),
    })
    let rendered = 0
    fc.assert(
      fc.property(cases, ({ template, version, values, extra }) => {
        const given: Record<string, string> = { ...goodFor(template) }
        for (const [n, name] of Object.keys(template.parameters).entries()) given[name] = values[n] ?? given[name] ?? ''
        if (extra !== undefined) Object.defineProperty(given, extra[0], { value: extra[1], enumerable: true })
        let script: string
        try {
          script = renderScript(template, given, version)
        } catch (error) {
          expect(error).toMatchObject({ name: 'AppError', code: 'invalid' })
          return
        }
        rendered++
        const { words, strings } = readScript(script)
        const listed = wordsOf(template)
        expect(words.filter((word) => !listed.has(word))).toEqual([])
        const plain = strings.map(bytesOf).join('\n')
        expect(plain).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/)
        expect(renderScript(template, given, version)).toBe(script)
      }),
      { numRuns: 10_000 },
    )
    expect(rendered).toBeGreaterThan(100)
  })

  it('come back from their strings byte for byte', () => {
    const identity = templateOf('identity') as ScriptTemplate
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 64 }), (name) => {
        const { values, bad } = scriptParameters(identity, { name })
        if (bad.length > 0) return
        expect(readScript(renderScript(identity, { name }, '7.18')).strings.map(bytesOf)).toEqual([values.name])
      }),
    )
  })

  it('are read in one form, which is read as itself', () => {
    for (const { parameters } of SCRIPT_TEMPLATES)
      for (const { kind } of Object.values(parameters))
        fc.assert(
          fc.property(hostile, (text) => {
            const once = kind.read(text)
            if (once !== undefined) expect(kind.read(once)).toBe(once)
          }),
          { numRuns: 200 },
        )
  })

  it.each([
    ['192.0.2.77/24', '192.0.2.0/24'],
    ['192.0.2.77/27', '192.0.2.64/27'],
    ['255.255.255.255/1', '128.0.0.0/1'],
    ['203.0.113.9/0', '0.0.0.0/0'],
    ['203.0.113.9/32', '203.0.113.9'],
    ['2001:db8::beef:1/112', '2001:db8::beef:0/112'],
    ['2001:db8:ffff::1/33', '2001:db8:8000::/33'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/10', 'ffc0::/10'],
    ['::1/0', '::/0'],
  ])('that are networks are found again under the first address, as a router keeps them: %s', (given, kept) => {
    const values = { user: 'u', password: 'x'.repeat(12), addresses: given }
    const script = renderScript(templateOf('bridge-account') as ScriptTemplate, values, '7.18')
    expect(script).toContain(`address="${kept}"`)
  })

  it.each([
    ['bridge-account', { user: 'admin' }, /user is not a name .* other than admin/],
    ['bridge-account', { user: 'Admin' }, /user is not/],
    ['bridge-account', { policies: 'api,policy' }, /policies is not/],
    ['bridge-account', { password: 'short' }, /^password is not text of 12 to 64 bytes/],
    ['bridge-account', { group: 'full' }, /group is not/],
    ['bridge-account', { addresses: '0.0.0.0/33' }, /addresses is not/],
    ['identity', { name: '' }, /name is not text/],
    ['identity', { name: 'a\u0007' }, /name is not text/],
    ['identity', { name: 'x'.repeat(65) }, /name is not text/],
    ['reboot-at', { date: '2026-02-30' }, /date is not a day/],
    ['reboot-at', { time: '24:00' }, /time is not/],
    ['time-zone', { zone: 'Europe/Nowhere' }, /zone is not/],
    ['ntp-servers', { servers: 'a.example,,b.example' }, /servers is not/],
    ['ntp-servers', { servers: '1.2.3' }, /servers is not/],
    ['api-ssl', { port: '0' }, /port is not a whole number from 1 to 65535/],
    ['address-list-add', { address: '2001:db8::1' }, /address is not an IPv4 address/],
    ['identity', { script: 'x' }, /script is no parameter of identity/],
  ])('are refused with the name of their parameter: %s %j', (name, values, reason) => {
    const template = templateOf(name) as ScriptTemplate
    expect(() => renderScript(template, { ...goodFor(template), ...values }, '7.18')).toThrow(reason)
  })

  it('that are missing are all named, and no value is in the text', () => {
    const template = templateOf('bridge-account') as ScriptTemplate
    expect(() => renderScript(template, { password: 'hunter2' }, '7.18')).toThrow(
      /^password is not text of 12 to 64 bytes without control characters; addresses is missing: 1 to 8 values/,
    )
  })
})

it('a script is not written for a version that is not known', () => {
  const template = templateOf('identity') as ScriptTemplate
  for (const version of [undefined, '', 'next', '7'])
    expect(() => renderScript(template, { name: 'a' }, version)).toThrow(/version of RouterOS is not known/)
})
