import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Random, silentLog } from '../../../src/base/index.ts'
import { reconnectDelay } from '../../../src/routeros/access/reconnect-delay.ts'
import {
  openApi,
  RouterConnection,
  type RouterOsError,
  type RouterReply,
  type RouterSession,
} from '../../../src/routeros/index.ts'
import { FakeRouter } from '../../support/fake-router.ts'
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts'
import { until } from '../../support/until.ts'

const PRINT = { path: '/interface/print' }
const random: Random = { bytes: (n) => new Uint8Array(n), fraction: () => 0.5 }

let router: FakeRouter
let clock: ManualClock
let connection: RouterConnection
const downs: RouterOsError[] = []
const ups: RouterSession[] = []

beforeEach(async () => {
  router = await FakeRouter.start()
  clock = createManualClock()
  downs.length = 0
  ups.length = 0
  connection = new RouterConnection({
    clock,
    random,
    log: silentLog,
    open: (signal) =>
      openApi(
        { host: '127.0.0.1', port: router.port, security: { kind: 'plain' }, user: 'a', password: 'b' },
        { clock, log: silentLog },
        signal,
      ),
    onUp: (session) => ups.push(session),
    onDown: (error) => downs.push(error),
  })
})
afterEach(async () => {
  await connection.close()
  await router.stop()
})

const answers = (paths: string[] = ['/interface/print', '/system/identity/print']): void => {
  router.answer = ({ send }, [path = ''], tag) => {
    if (paths.includes(path)) send(['!done', `.tag=${tag}`])
  }
}
const kindOf = (reply: Promise<RouterReply>) =>
  reply.then(
    () => 'done',
    (error: RouterOsError) => `${error.kind} ${error.sent}`,
  )

describe('a connection that is kept up', () => {
  it('lets commands wait while it connects, and serves them', async () => {
    answers()
    connection.start()
    expect(connection.state).toEqual({ kind: 'connecting' })
    expect(connection.remoteAddress).toBeUndefined()
    expect(await connection.command(PRINT)).toEqual({ rows: [] })
    expect(connection.state).toMatchObject({ kind: 'up' })
    expect([connection.localAddress, connection.remoteAddress]).toEqual(['127.0.0.1', '127.0.0.1'])
  })

  it('ends commands that waited too long, or were cancelled, as not sent', async () => {
    router.onLogin = () => undefined
    connection.start()
    const abort = new AbortController()
    const late = kindOf(connection.command(PRINT, { deadlineMs: 100 }))
    const cancelled = kindOf(connection.command(PRINT, { signal: abort.signal }))
    clock.advance(100)
    abort.abort()
    expect([await late, await cancelled, await kindOf(connection.command(PRINT, { signal: abort.signal }))]).toEqual([
      'timeout false',
      'cancelled false',
      'cancelled false',
    ])
  })

  it('connects again after an end, and says in between why a command was not sent', async () => {
    answers([])
    connection.start()
    const pending = kindOf(connection.command(PRINT))
    await until(() => router.paths.length === 1)
    router.connections[0]?.send(['!fatal', 'session terminated'])
    expect(await pending).toBe('fatal true')
    await until(() => downs.length === 1)
    expect(connection.state).toMatchObject({ kind: 'waiting', until: clock.now() + 750 })
    await expect(connection.command(PRINT)).rejects.toMatchObject({
      kind: 'unreachable',
      sent: false,
      message: expect.stringContaining('session terminated'),
    })
    answers()
    clock.advance(750)
    expect(await connection.command(PRINT)).toEqual({ rows: [] })
    expect(ups).toHaveLength(2)
  })

  it('pauses longer with each failure, and tries anew soon after a session that lasted', async () => {
    router.onLogin = ({ socket }) => socket.destroy()
    connection.start()
    const pauses: number[] = []
    for (let n = 1; n <= 3; n++) {
      await until(() => downs.length === n)
      const { state } = connection
      pauses.push(state.kind === 'waiting' ? state.until - clock.now() : 0)
      if (n === 3) router.onLogin = ({ send }, _words, tag) => send(['!done', `.tag=${tag}`])
      clock.advance(pauses.at(-1) ?? 0)
    }
    expect(pauses).toEqual([750, 1500, 3000])
    await until(() => ups.length === 1)
    answers()
    clock.advance(29_000)
    clock.advance(1_000)
    router.connections.at(-1)?.socket.destroy()
    await until(() => downs.length === 4)
    expect(connection.state).toMatchObject({ until: clock.now() + 750 })
  })

  it('a refused account is tried seldom', async () => {
    router.onLogin = ({ send }, _words, tag) =>
      send(['!trap', `.tag=${tag}`, '=message=invalid user name or password (6)'], ['!done', `.tag=${tag}`])
    connection.start()
    await until(() => downs.length === 1)
    expect(connection.state).toMatchObject({ lastError: { kind: 'login' }, until: clock.now() + 22_500 })
    const none = { ...random, fraction: () => 0 }
    expect([1, 2, 5, 6, 30].map((n) => reconnectDelay('login', n, none))).toEqual([15e3, 30e3, 240e3, 450e3, 450e3])
    expect([1, 7, 40].map((n) => reconnectDelay('closed', n, none))).toEqual([500, 30_000, 30_000])
  })

  it('asks a silent router for a sign of life, and gives the connection up without one', async () => {
    answers()
    connection.start()
    await connection.command(PRINT)
    clock.advance(30_000)
    await until(() => router.paths.length === 2)
    expect(router.paths[1]).toBe('/system/identity/print')
    await connection.command(PRINT)
    expect(connection.state.kind).toBe('up')

    answers([])
    const pending = kindOf(connection.command(PRINT, { deadlineMs: 1_000_000 }))
    await until(() => {
      clock.advance(10_000)
      return downs.length === 1
    })
    expect(await pending).toBe('closed true')
    expect(downs[0]?.message).toContain('sign of life')
  })

  it('repeats a print that a busy subsystem did not answer, once, and no write', async () => {
    router.answer = ({ send }, [path = ''], tag) =>
      path === '/interface/print' && router.paths.length > 1
        ? send(['!done', `.tag=${tag}`])
        : send(['!trap', `.tag=${tag}`, '=message=std failure: timeout (13)'], ['!done', `.tag=${tag}`])
    connection.start()
    expect(await connection.command(PRINT, { deadlineMs: 5000 })).toEqual({ rows: [] })
    expect(await kindOf(connection.command({ path: '/interface/set', writes: true }))).toBe('trap true')
    expect(await kindOf(connection.command({ path: '/system/resource/print' }))).toBe('trap true')
    expect(router.paths).toEqual([
      '/interface/print',
      '/interface/print',
      '/interface/set',
      '/system/resource/print',
      '/system/resource/print',
    ])
  })

  it('streams need a session, and end with it', async () => {
    answers()
    const ends: unknown[] = []
    const events = { onRow: () => undefined, onEnd: (error?: unknown) => ends.push(error) }
    await connection.stream({ path: '/interface/listen' }, events).stop()
    await until(() => ends.length === 1)
    expect(ends).toMatchObject([{ kind: 'unreachable', sent: false }])
    connection.start()
    await connection.command(PRINT)
    connection.stream({ path: '/interface/listen' }, events)
    await until(() => router.paths.includes('/interface/listen'))
    router.connections[0]?.socket.destroy()
    await until(() => ends.length === 2)
    expect(ends[1]).toMatchObject({ kind: 'closed' })
  })

  it('stays closed, whatever it was doing', async () => {
    router.onLogin = () => undefined
    connection.start()
    const waits = kindOf(connection.command(PRINT))
    await until(() => router.heard.length === 1)
    await connection.close()
    expect(await waits).toBe('closed false')
    expect(await kindOf(connection.command(PRINT))).toBe('closed false')
    await until(() => router.connections.every(({ socket }) => socket.destroyed))
    clock.advance(1_000_000)
    expect(router.connections).toHaveLength(1)
    await connection.close()
  })

  it('may begin after a pause, and once', async () => {
    answers()
    connection.start(5000)
    connection.start()
    expect(router.connections).toHaveLength(0)
    clock.advance(5000)
    await connection.command(PRINT)
    expect(router.connections).toHaveLength(1)
  })
})
