import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '../../../src/base/index.ts'
import {
  type ApiOptions,
  openApi,
  type RouterCommand,
  type RouterRow,
  type RouterSession,
} from '../../../src/routeros/index.ts'
import { type FakeConnection, FakeRouter, sentence } from '../../support/fake-router.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { until } from '../../support/until.ts'

const PRINT: RouterCommand = { path: '/interface/print', proplist: ['name'] }
const ACCOUNT = { user: 'isthmus', password: 'secret' }
const parts = { clock: systemClock, log: silentLog }

let router: FakeRouter
const sessions: RouterSession[] = []
beforeEach(async () => {
  router = await FakeRouter.start()
})
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close()
  await router.stop()
})

async function open(options: Partial<ApiOptions> = {}, clock = systemClock): Promise<RouterSession> {
  const session = await openApi(
    { host: '127.0.0.1', port: router.port, security: { kind: 'plain' }, ...ACCOUNT, ...options },
    { ...parts, clock },
  )
  sessions.push(session)
  return session
}
const last = (): FakeConnection => router.connections[router.connections.length - 1]!

describe('replies', () => {
  it('rows, an empty reply and the .id of an added row come as they are', async () => {
    router.answer = (connection, [path], tag) => {
      if (path === '/interface/print')
        connection.send(
          ['!re', `.tag=${tag}`, '=name=ether1', '=comment=a=b=c'],
          ['!re', '=name=ether2', `.tag=${tag}`],
          ['!done', `.tag=${tag}`],
        )
      else if (path === '/ip/address/add') connection.send(['!done', `.tag=${tag}`, '=ret=*1F'])
      else connection.send(['!empty', `.tag=${tag}`], ['!done', `.tag=${tag}`])
    }
    const session = await open()
    expect(await session.command(PRINT)).toEqual({
      rows: [{ name: 'ether1', comment: 'a=b=c' }, { name: 'ether2' }],
    })
    expect(await session.command({ path: '/ip/arp/print' })).toEqual({ rows: [] })
    expect(await session.command({ path: '/ip/address/add', args: { address: '192.0.2.1/24' }, writes: true })).toEqual(
      { rows: [], ret: '*1F' },
    )
  })

  it('that nobody asked for, or that do not end when they are cancelled, end the connection', async () => {
    const clock = createManualClock()
    const rows = (tag: string) => Array.from({ length: 5000 }, () => ['!re', `.tag=${tag}`, '=name=a'])
    let timer: NodeJS.Timeout | undefined
    const flood = (connection: FakeConnection, tag: string) => {
      timer = setInterval(() => connection.send(...rows(tag)), 5)
    }
    router.answer = (connection, [path], tag) => {
      if (path === '/interface/print') flood(connection, tag)
      else if (path === '/ip/arp/print') flood(connection, 'other')
    }
    for (const path of ['/interface/print', '/ip/arp/print']) {
      const session = await open({}, clock)
      const failed = session.command({ path }).catch((error: unknown) => error)
      // No time passes for this side.
      await session.ended
      clearInterval(timer)
      expect(await failed).toMatchObject({ kind: path === '/interface/print' ? 'tooLarge' : 'protocol' })
    }
  })

  it('a row without attributes is a row', async () => {
    router.answer = (connection, _words, tag) =>
      connection.send(['!re', `.tag=${tag}`], ['!re', `.tag=${tag}`], ['!done', `.tag=${tag}`])
    expect(await (await open()).command(PRINT)).toEqual({ rows: [{}, {}] })
  })

  it('texts are UTF-8 on both ways, and windows-1252 where they cannot be that', async () => {
    router.answer = (connection, words, tag) => {
      connection.raw(sentence('!re', `.tag=${tag}`, words[1]!))
      connection.raw(sentence('!re', `.tag=${tag}`, Buffer.from('=comment=B\xfcro', 'latin1')))
      connection.raw(sentence('!done', `.tag=${tag}`))
    }
    const { rows } = await (await open()).command({ path: '/interface/set', args: { comment: 'Büro 東京 🌍' } })
    expect(rows).toEqual([{ comment: 'Büro 東京 🌍' }, { comment: 'Büro' }])
  })

  it('bytes may be cut anywhere: in a length, before the end mark, one by one', async () => {
    const long = 'x'.repeat(300)
    const longer = 'y'.repeat(20_000)
    router.answer = (connection, [path = ''], tag) => {
      const bytes = Buffer.concat([
        sentence('!re', `.tag=${tag}`, `=name=${long}`, `=comment=${longer}`),
        sentence('!done', `.tag=${tag}`),
      ])
      const cut = path === '/cut/all/print' ? 1 : Number(path.split('/')[2])
      const pieces =
        cut === 1 ? [...bytes].map((byte) => Buffer.from([byte])) : [bytes.subarray(0, cut), bytes.subarray(cut)]
      const next = (): void => {
        const piece = pieces.shift()
        if (piece === undefined) return
        connection.raw(piece)
        setImmediate(next)
      }
      next()
    }
    const session = await open()
    const total = sentence('!re', '.tag=12345678901', `=name=${long}`, `=comment=${longer}`).length
    for (const cut of [4, 5, 21, 22, 23, 24, total - 5, total - 1, total, total + 1, total + 6, total + 20])
      expect(await session.command({ path: `/cut/${cut}/print` })).toEqual({ rows: [{ name: long, comment: longer }] })
    expect(await session.command({ path: '/cut/all/print' })).toEqual({ rows: [{ name: long, comment: longer }] })
  })

  it('replies of several commands may be mixed', async () => {
    const tags: string[] = []
    router.answer = (connection, _words, tag) => {
      tags.push(tag)
      if (tags.length < 3) return
      const [a, b, c] = tags
      connection.send(
        ['!re', `.tag=${c}`, '=name=c'],
        ['!re', `.tag=${a}`, '=name=a1'],
        ['!done', `.tag=${c}`],
        ['!re', `.tag=${b}`, '=name=b'],
        ['!re', `.tag=${a}`, '=name=a2'],
        ['!done', `.tag=${a}`],
        ['!done', `.tag=${b}`],
      )
    }
    const session = await open()
    const replies = await Promise.all([PRINT, PRINT, PRINT].map((command) => session.command(command)))
    expect(replies.map(({ rows }) => rows.map(({ name }) => name))).toEqual([['a1', 'a2'], ['b'], ['c']])
  })
})

describe('errors', () => {
  it('a trap has its category and every text, and ends with its !done', async () => {
    router.answer = (connection, _words, tag) =>
      connection.send(
        ['!trap', `.tag=${tag}`, '=category=0', '=message=no such command or directory (wifi)'],
        ['!trap', `.tag=${tag}`, '=message=no such command prefix'],
        ['!done', `.tag=${tag}`],
      )
    const session = await open()
    await expect(session.command({ path: '/interface/wifi/print' })).rejects.toMatchObject({
      kind: 'trap',
      category: 0,
      message: 'no such command or directory (wifi)',
      all: ['no such command or directory (wifi)', 'no such command prefix'],
      context: { path: '/interface/wifi/print' },
    })
  })

  it('a reply under a tag that is not in use any more is passed over', async () => {
    router.answer = (connection, _words, tag) =>
      connection.send(
        ['!re', '.tag=gone', '=name=x'],
        ['!done', `.tag=${tag}`],
        ['!re', `.tag=${tag}`],
        ['!done', `.tag=${tag}`],
        ['!done'],
      )
    const session = await open()
    expect(await session.command(PRINT)).toEqual({ rows: [] })
    expect(await session.command(PRINT)).toEqual({ rows: [] })
  })

  it.each([
    ['RST', (connection: FakeConnection) => connection.socket.resetAndDestroy(), 'closed', /ECONNRESET/],
    ['FIN', (connection: FakeConnection) => connection.socket.end(), 'closed', /closed the connection/],
    [
      '!fatal',
      (connection: FakeConnection) => connection.send(['!fatal', 'session terminated on request']),
      'fatal',
      /session terminated on request/,
    ],
    ['a control byte', (connection: FakeConnection) => connection.raw(Buffer.from([0xf8])), 'protocol', /control byte/],
    [
      'a reply of no kind',
      (connection: FakeConnection) =>
        connection.send([
          '!what',
          `.tag=${router.heard
            .at(-1)
            ?.find((word) => word.startsWith('.tag='))
            ?.slice(5)}`,
        ]),
      'protocol',
      /unknown kind/,
    ],
  ])('%s ends every command, and each knows if it was sent', async (_name, end, kind, message) => {
    const session = await open()
    const pending = Array.from({ length: 6 }, () => session.command(PRINT))
    const settled = Promise.allSettled(pending)
    await until(() => router.paths.length === 4)
    end(last())
    const errors = (await settled).map((one) => (one.status === 'rejected' ? one.reason : undefined))
    for (const error of errors.slice(0, 4)) expect(error).toMatchObject({ kind, sent: true })
    for (const error of errors.slice(4)) expect(error).toMatchObject({ sent: false })
    expect(errors[0].message).toMatch(message)
    expect(await session.ended).toMatchObject({ kind })
    await expect(session.command(PRINT)).rejects.toMatchObject({ sent: false })
    await session.close()
  })

  it('no word of a caller makes a path, a name or a control character', async () => {
    const session = await open()
    const commands: RouterCommand[] = [
      { path: '/ip/address/print\n/system/reboot' },
      { path: 'ip/address/print' },
      { path: '/login' },
      { path: '/cancel' },
      { path: '/a/print', args: { 'x=y': '1' } },
      { path: '/a/print', args: { '.tag': '1' } },
      { path: '/a/print', args: { comment: 'a\u0000b' } },
      { path: '/a/print', args: { comment: '\u007f' } },
      { path: '/a/print', args: { comment: '\ud800' } },
      { path: '/a/print', args: { comment: 'ü'.repeat(128) } },
      { path: '/a/print', proplist: ['name,comment'] },
      { path: '/a/print', query: ['name=x\r'] },
      { path: '/a/print', query: ['=name'] },
    ]
    for (const command of commands.slice(0, -1))
      await expect(session.command(command)).rejects.toMatchObject({ kind: 'refused', sent: false })
    const ends: unknown[] = []
    session.stream(commands[0]!, { onRow: () => undefined, onEnd: (error) => ends.push(error) })
    expect(ends).toEqual([])
    await until(() => ends.length === 1)
    expect(router.paths).toEqual([])
  })

  it('an error of a refused word does not show the value', async () => {
    const session = await open()
    const error = await session
      .command({ path: '/ppp/secret/set', args: { password: 'hunter2\n' } })
      .catch((reason: unknown) => reason)
    expect(JSON.stringify([error, String(error)])).not.toContain('hunter2')
  })

  it('a reply with too many rows or bytes is cancelled, and the next command works', async () => {
    router.answer = (connection, [path, target], tag) => {
      const rows = path === '/ip/route/print' ? 20 : 1
      const value = path === '/log/print' ? 'x'.repeat(5000) : 'x'
      if (path === '/cancel')
        connection.send(
          ['!trap', `.tag=${target?.slice(5)}`, '=category=2', '=message=interrupted'],
          ['!done', `.tag=${tag}`],
          ['!done', `.tag=${target?.slice(5)}`],
        )
      else connection.send(...Array.from({ length: rows }, () => ['!re', `.tag=${tag}`, `=name=${value}`]))
      if (path === '/interface/print') connection.send(['!done', `.tag=${tag}`])
    }
    const session = await open({ limits: { rows: 10, bytes: 1000 } })
    await expect(session.command({ path: '/ip/route/print' })).rejects.toMatchObject({ kind: 'tooLarge' })
    await expect(session.command({ path: '/log/print' })).rejects.toMatchObject({ kind: 'tooLarge' })
    expect((await session.command(PRINT)).rows).toHaveLength(1)
  })
})

describe('commands in flight', () => {
  it('are four at the most, and one write at a time', async () => {
    const waiting: (() => void)[] = []
    router.answer = (connection, _words, tag) => void waiting.push(() => connection.send(['!done', `.tag=${tag}`]))
    const session = await open()
    const commands = [
      session.command({ path: '/w/one/set', writes: true }),
      session.command({ path: '/w/two/set', writes: true }),
      ...[1, 2, 3, 4, 5].map((n) => session.command({ path: `/r/r${n}/print` })),
    ]
    await until(() => router.paths.length === 4)
    expect(router.paths).toEqual(['/w/one/set', '/r/r1/print', '/r/r2/print', '/r/r3/print'])
    waiting.shift()?.()
    await commands[0]
    await until(() => router.paths.length === 5)
    expect(router.paths[4]).toBe('/w/two/set')
    while (router.paths.length < 7 || waiting.length > 0) {
      waiting.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(commands)
  })

  it('a deadline asks the router to stop, and holds the place until it has', async () => {
    const clock = createManualClock()
    const cancels: (() => void)[] = []
    router.answer = (connection, [path, target], tag) => {
      const of = target?.slice(5)
      if (path === '/cancel')
        cancels.push(() =>
          connection.send(
            ['!trap', `.tag=${of}`, '=category=2', '=message=interrupted'],
            ['!done', `.tag=${tag}`],
            ['!done', `.tag=${of}`],
          ),
        )
      else if (path === '/quick/set') connection.send(['!done', `.tag=${tag}`])
    }
    const session = await open({}, clock)
    const slow = session.command({ path: '/slow/set', writes: true }, { deadlineMs: 500 })
    const waits = session.command({ path: '/late/set', writes: true }, { deadlineMs: 400 })
    const quick = session.command({ path: '/quick/set', writes: true }, { deadlineMs: 5000 })
    clock.advance(400)
    const text = 'was not sent in 400 ms: the router has not answered the commands before it'
    await expect(waits).rejects.toMatchObject({ kind: 'timeout', sent: false, message: expect.stringContaining(text) })
    clock.advance(100)
    await expect(slow).rejects.toMatchObject({ kind: 'timeout', sent: true })
    await until(() => cancels.length === 1)
    expect(router.paths).toEqual(['/slow/set', '/cancel'])
    cancels[0]?.()
    expect(await quick).toEqual({ rows: [] })
  })

  it('a router that does not answer a cancel loses its connection', async () => {
    const clock = createManualClock()
    const session = await open({}, clock)
    const slow = session.command(PRINT, { deadlineMs: 500 })
    clock.advance(500)
    await expect(slow).rejects.toMatchObject({ kind: 'timeout' })
    clock.advance(10_000)
    expect(await session.ended).toMatchObject({ kind: 'timeout' })
  })

  it('a signal cancels a command that waits and one that was sent', async () => {
    const session = await open()
    const abort = new AbortController()
    const calls = Array.from({ length: 5 }, () => session.command(PRINT, { signal: abort.signal }))
    const settled = Promise.allSettled(calls)
    await until(() => router.paths.length === 4)
    abort.abort()
    const errors = (await settled).map((one) => one.status === 'rejected' && one.reason)
    for (const error of errors.slice(0, 4)) expect(error).toMatchObject({ kind: 'cancelled', sent: true })
    expect(errors[4]).toMatchObject({ kind: 'cancelled', sent: false })
    await until(() => router.paths.filter((path) => path === '/cancel').length === 4)
    await expect(session.command(PRINT, { signal: abort.signal })).rejects.toMatchObject({ kind: 'cancelled' })
  })

  it('commands beyond the queue are refused as busy', async () => {
    const session = await open()
    const calls = Array.from({ length: 261 }, () => session.command(PRINT).catch((error) => error.kind))
    expect(await calls[260]).toBe('busy')
    await session.close()
    expect(await calls[0]).toBe('closed')
  })
})

describe('streams', () => {
  it('give rows until they are stopped; an empty reply is no end', async () => {
    router.answer = (connection, [path, target], tag) => {
      if (path === '/cancel') {
        const of = target?.slice(5)
        connection.send(
          ['!trap', `.tag=${of}`, '=category=2', '=message=interrupted'],
          ['!done', `.tag=${tag}`],
          ['!done', `.tag=${of}`],
          ['!re', `.tag=${of}`, '=name=late'],
        )
      } else
        connection.send(
          ['!re', `.tag=${tag}`, '=.id=*1'],
          ['!empty', `.tag=${tag}`],
          ['!re', `.tag=${tag}`, '=.id=*2', '=.dead=true'],
        )
    }
    const session = await open()
    const rows: RouterRow[] = []
    const ends: unknown[] = []
    const stream = session.stream(
      { path: '/interface/listen' },
      { onRow: (row) => rows.push(row), onEnd: (error) => ends.push(error) },
    )
    await until(() => rows.length === 2)
    await stream.stop()
    await stream.stop()
    expect(rows).toEqual([{ '.id': '*1' }, { '.id': '*2', '.dead': 'true' }])
    expect(ends).toEqual([undefined])
  })

  it('end with the error of the router or of the connection', async () => {
    router.answer = (connection, [path], tag) => {
      if (path === '/wifi/listen')
        connection.send(['!trap', `.tag=${tag}`, '=message=no such command prefix'], ['!done', `.tag=${tag}`])
    }
    const session = await open()
    const ends: unknown[] = []
    const events = { onRow: () => undefined, onEnd: (error?: unknown) => ends.push(error) }
    session.stream({ path: '/wifi/listen' }, events)
    await until(() => ends.length === 1)
    const stream = session.stream({ path: '/interface/listen' }, events)
    await until(() => router.paths.length === 2)
    last().socket.destroy()
    await until(() => ends.length === 2)
    await stream.stop()
    expect(ends).toMatchObject([{ kind: 'trap' }, { kind: 'closed' }])
  })

  it('a row that its receiver cannot handle ends that stream alone', async () => {
    router.answer = (connection, [path], tag) => {
      if (path === '/a/listen') connection.send(['!re', `.tag=${tag}`, '=.id=*1'])
      if (path === '/a/print') connection.send(['!done', `.tag=${tag}`])
    }
    const session = await open()
    const ends: unknown[] = []
    session.stream(
      { path: '/a/listen' },
      {
        onRow: () => {
          throw new Error('a defect')
        },
        onEnd: (error) => {
          ends.push(error)
          throw new Error('another defect')
        },
      },
    )
    await until(() => ends.length === 1)
    expect(ends).toMatchObject([{ kind: 'cancelled' }])
    expect(await session.command({ path: '/a/print' })).toEqual({ rows: [] })
  })

  it('are bounded in number, and are no commands in flight', async () => {
    router.answer = (connection, [path], tag) => {
      if (path === '/a/print') connection.send(['!done', `.tag=${tag}`])
    }
    const session = await open()
    const ends: unknown[] = []
    const events = { onRow: () => undefined, onEnd: (error?: unknown) => ends.push(error) }
    for (let i = 0; i < 17; i++) session.stream({ path: '/a/listen' }, events)
    await until(() => ends.length === 1)
    expect(ends).toMatchObject([{ kind: 'busy' }])
    expect(await session.command({ path: '/a/print' })).toEqual({ rows: [] })
  })
})
