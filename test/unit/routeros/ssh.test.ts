import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '../../../src/base/index.ts'
import { openSsh, type RouterCommand, type RouterSession, type SshOptions } from '../../../src/routeros/index.ts'
import { readAsValue } from '../../../src/routeros/ssh/as-value.ts'
import { commandLine } from '../../../src/routeros/ssh/command-line.ts'
import { matches } from '../../../src/routeros/ssh/query.ts'
import { FakeConsole, fail, reply } from '../../support/fake-console.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { until } from '../../support/until.ts'

const ACCOUNT = { user: 'isthmus', password: 'secret' }
let router: FakeConsole
const sessions: RouterSession[] = []
beforeEach(async () => {
  router = await FakeConsole.start(ACCOUNT)
})
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close()
  await router.stop()
})

async function open(options: Partial<SshOptions> = {}, clock = systemClock): Promise<RouterSession> {
  const session = await openSsh(
    { host: '127.0.0.1', port: router.port, hostKey: router.hostKey, ...ACCOUNT, ...options },
    { clock, log: silentLog },
  )
  sessions.push(session)
  return session
}

describe('a router over SSH', () => {
  it('has rows, the .id of an added row, and errors in words', async () => {
    router.answer = (line, channel) => {
      if (line.includes('print'))
        reply(channel, '.id=*1;address=192.0.2.1/24;interface=ether1;.id=*2;address=192.0.2.9/32;interface=lo')
      else if (line.includes(' add ')) reply(channel, '*3')
      else fail(channel, 'failure: already have such address')
    }
    const session = await open()
    expect(session).toMatchObject({ transport: 'ssh', localAddress: '127.0.0.1', remoteAddress: '127.0.0.1' })
    expect(
      await session.command({ path: '/ip/address/print', proplist: ['.id', 'address'], query: ['interface=ether1'] }),
    ).toEqual({ rows: [{ '.id': '*1', address: '192.0.2.1/24' }] })
    expect(await session.command({ path: '/ip/address/add', args: { address: '192.0.2.5/24' }, writes: true })).toEqual(
      { rows: [], ret: '*3' },
    )
    await expect(
      session.command({ path: '/ip/address/set', args: { '.id': '*1', comment: 'a b' }, writes: true }),
    ).rejects.toMatchObject({ kind: 'trap', message: 'failure: already have such address' })
    expect(router.lines).toEqual([
      ':put [/ip address print as-value]; :put "isthmus-done"',
      ':put [/ip address add address="192.0.2.5/24"]; :put "isthmus-done"',
      ':put [/ip address set numbers=*1 comment="a b"]; :put "isthmus-done"',
    ])
  })

  it('is known by its host key, in either form, and is sent no password with another', async () => {
    const hex = Buffer.from(router.hostKey.slice(7), 'base64').toString('hex')
    await open({ hostKey: hex })
    const other = `SHA256:${'A'.repeat(43)}`
    await expect(open({ hostKey: other })).rejects.toMatchObject({
      kind: 'untrusted',
      message: expect.stringContaining(router.hostKey),
    })
    await expect(open({ hostKey: 'none' })).rejects.toMatchObject({ kind: 'refused' })
  })

  it('refuses an account, a closed port and silence with errors', async () => {
    await expect(open({ password: 'wrong' })).rejects.toMatchObject({ kind: 'login', sent: false })
    await expect(open({ privateKey: 'no key' })).rejects.toMatchObject({ kind: 'unreachable' })
    await expect(open({ user: 'a+b' })).rejects.toMatchObject({ kind: 'refused' })
    await expect(open({ port: 1 })).rejects.toMatchObject({ kind: 'unreachable' })
    const clock = createManualClock()
    const opening = open({ connectMs: 1000 }, clock).catch((error) => error.kind)
    clock.advance(1000)
    expect(await opening).toBe('timeout')
    const abort = new AbortController()
    const aborted = openSsh(
      { host: '127.0.0.1', port: router.port, hostKey: router.hostKey, ...ACCOUNT },
      { clock: systemClock, log: silentLog },
      abort.signal,
    )
    abort.abort()
    await expect(aborted).rejects.toMatchObject({ kind: 'cancelled' })
  })

  it('ends commands by deadline, signal and the end of the connection', async () => {
    router.answer = () => undefined
    const clock = createManualClock()
    const session = await open({}, clock)
    const abort = new AbortController()
    const print: RouterCommand = { path: '/interface/print' }
    const calls = [
      session.command(print, { deadlineMs: 100 }),
      session.command(print, { signal: abort.signal }),
      ...[1, 2, 3].map(() => session.command(print)),
    ]
    const settled = Promise.allSettled(calls)
    await until(() => router.lines.length === 4)
    clock.advance(100)
    abort.abort()
    await until(() => router.lines.length === 5)
    for (const connection of router.connections) connection.end()
    const errors = (await settled).map((one) => one.status === 'rejected' && `${one.reason.kind} ${one.reason.sent}`)
    expect(errors).toEqual(['timeout true', 'cancelled true', 'closed true', 'closed true', 'closed true'])
    expect((await session.ended).kind).toBe('closed')
    await expect(session.command(print)).rejects.toMatchObject({ kind: 'closed', sent: false })
  })

  it('gives up an output without an end, and has no streams', async () => {
    router.answer = (_line, channel) => {
      channel.on('error', () => undefined)
      const more = (): void => void (channel.writable && channel.write('x'.repeat(65_536), more))
      more()
    }
    const session = await open()
    await expect(session.command({ path: '/log/print' })).rejects.toMatchObject({ kind: 'tooLarge' })
    const end = new Promise((resolve) => {
      session.stream({ path: '/interface/listen' }, { onRow: () => undefined, onEnd: resolve })
    })
    expect(await end).toMatchObject({ kind: 'refused', sent: false })
  })
})

describe('a line of the console', () => {
  it('carries plain values alone', () => {
    const set = (comment: string): RouterCommand => ({ path: '/ip/address/set', args: { '.id': '*1', comment } })
    expect(commandLine(set('a-b_c 1.2/3:4@5*6+7=8,9'))).toContain('comment="a-b_c 1.2/3:4@5*6+7=8,9"')
    for (const sign of [
      '"',
      '\\',
      '$',
      ';',
      '{',
      '}',
      '[',
      ']',
      '(',
      ')',
      '?',
      '#',
      '!',
      "'",
      '`',
      '<',
      '|',
      '&',
      'ü',
      '\t',
    ])
      expect(() => commandLine(set(`a${sign}b`))).toThrow(expect.objectContaining({ kind: 'refused' }))
  })

  it('has the form of its template, whatever the value', () => {
    const form = /^:put \[\/ip address set numbers=\*1 comment="[A-Za-z0-9 _.,:/@*+=-]*"\]; :put "isthmus-done"$/
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (comment) => {
        try {
          return form.test(commandLine({ path: '/ip/address/set', args: { '.id': '*1', comment } }))
        } catch {
          return true
        }
      }),
    )
  })

  it.each<[string, RouterCommand]>([
    ['another verb', { path: '/system/reboot' }],
    ['a command without an end', { path: '/interface/monitor-traffic', args: { interface: 'ether1' } }],
    ['a monitor that goes on', { path: '/interface/ethernet/monitor', args: { numbers: 'ether1' } }],
    ['a print with attributes', { path: '/interface/print', args: { 'count-only': '' } }],
    ['an attribute of the API', { path: '/interface/set', args: { '.x': '1' } }],
    ['an unset by sign', { path: '/interface/set', args: { '!mtu': '' } }],
  ])('is refused for %s', (_name, command) => {
    expect(() => commandLine(command)).toThrow(expect.objectContaining({ kind: 'refused', sent: false }))
  })

  it('takes a monitor once', () => {
    expect(commandLine({ path: '/interface/ethernet/monitor', args: { numbers: 'ether1', once: '' } })).toBe(
      ':put [/interface ethernet monitor numbers="ether1" once as-value]; :put "isthmus-done"',
    )
  })
})

describe('values of the console', () => {
  it.each([
    ['', []],
    ['uptime=1d02:03:04;version=7.16.1 (stable)', [{ uptime: '1d02:03:04', version: '7.16.1 (stable)' }]],
    [
      '.id=*1;name=a;.id=*2;name=b',
      [
        { '.id': '*1', name: 'a' },
        { '.id': '*2', name: 'b' },
      ],
    ],
    ['servers=192.0.2.1;192.0.2.2;cache-size=2048', [{ servers: '192.0.2.1,192.0.2.2', 'cache-size': '2048' }]],
    ['.id=*1;comment=a; b', [{ '.id': '*1', comment: 'a; b' }]],
    ['.id=*1;host-name=x;status=bound;status=waiting', [{ '.id': '*1', 'host-name': 'x' }]],
  ])('%j are rows', (text, rows) => expect(readAsValue(text)).toEqual(rows))

  it.each([
    [['a=1'], true],
    [['a=2'], false],
    [['=a=1'], true],
    [['a', '-b'], true],
    [['b'], false],
    [['a=2', 'a=1', '#|'], true],
    [['a=1', 'a=2', '#&'], false],
    [['a=2', '#!'], true],
    [['a=1', '#.&'], true],
  ])('a query %j lets a row through: %s', (query, passes) => expect(matches({ a: '1' }, query)).toBe(passes))

  it.each(['<a=1', '>a=1', '#1'])('a query %j is refused', (word) => {
    expect(() => matches({ a: '1' }, [word])).toThrow(expect.objectContaining({ kind: 'refused' }))
  })
})
