import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { type Log, silentLog } from '../../src/base/index.ts'
import type { LinkEnd } from '../../src/domain/index.ts'
import { type Link, type LinkLimits, WebSocketMtp } from '../../src/usp/mtp/index.ts'
import { createManualClock } from '../support/manual-clock.ts'

const OWN = 'self::mtp-test'
const LIMITS: LinkLimits = {
  messagesPerSecond: 1000,
  bytesPerSecond: 1e9,
  burstSeconds: 1,
  maxBuffered: 1 << 20,
  maxUnprovenBytes: 1e9,
}
const HANDSHAKE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

describe('the WebSocket MTP', () => {
  const clock = createManualClock()
  const sockets: WebSocket[] = []
  let server: WebSocketMtp
  let opened: Link[]
  let records: { link: Link; bytes: Uint8Array }[]
  let closed: { link: Link; end: LinkEnd }[]

  async function start(
    options: { limits?: LinkLimits; maxLinks?: number; maxConnections?: number; log?: Log } = {},
  ): Promise<void> {
    server = new WebSocketMtp({
      host: '127.0.0.1',
      port: 0,
      path: '/usp',
      endpointId: OWN,
      maxLinks: 10,
      limits: LIMITS,
      clock,
      log: silentLog,
      ...options,
    })
    server.onLink({
      onOpen: (link) => opened.push(link),
      onRecord: (link, bytes) => records.push({ link, bytes }),
      onClose: (link, end) => closed.push({ link, end }),
    })
    await server.start()
  }
  beforeEach(() => {
    opened = []
    records = []
    closed = []
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.terminate()
    await server.stop()
    vi.useRealTimers()
  })

  /** A client that begins its handshake; `query` as it goes over the wire. */
  function dial(query: string, protocol: string | string[] = 'v1.usp', options = {}): WebSocket {
    const url = `ws://127.0.0.1:${server.port}/usp${query}`
    const socket = new WebSocket(url, protocol, { perMessageDeflate: false, ...options })
    socket.on('error', () => undefined)
    sockets.push(socket)
    return socket
  }
  async function open(eid: string, options = {}): Promise<WebSocket> {
    const socket = dial(`?eid=${encodeURIComponent(eid)}`, 'v1.usp', options)
    await once(socket, 'open')
    return socket
  }
  /** The HTTP status that a handshake is refused with. */
  async function refusal(socket: WebSocket): Promise<number | undefined> {
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    return response.statusCode
  }
  const ended = (socket: WebSocket) => once(socket, 'close').then(([code]) => Number(code))
  /** Everything this client has sent before has been looked at when this resolves. */
  async function heard(socket: WebSocket): Promise<void> {
    const pong = once(socket, 'pong')
    socket.ping()
    await pong
  }
  /** A handshake by hand, for headers that the client would not send or take. */
  async function upgrade(query: string, headers: Record<string, string>): Promise<IncomingMessage> {
    const asked = request({ port: server.port, host: '127.0.0.1', path: `/usp${query}`, headers, agent: false })
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      asked.on('response', resolve)
      asked.on('error', reject)
      asked.on('upgrade', (response, socket) => {
        socket.on('error', () => undefined)
        socket.destroy()
        resolve(response)
      })
    })
    asked.end()
    return answered
  }

  describe('handshakes', () => {
    beforeEach(() => start())

    it('need the sub-protocol v1.usp, which is told back', async () => {
      expect((await open('proto::a')).protocol).toBe('v1.usp')
      expect(await refusal(dial('?eid=proto::b', []))).toBe(400)
      expect(await refusal(dial('?eid=proto::b', 'chat'))).toBe(400)
      const among = dial('?eid=proto::c', ['chat', 'v1.usp'])
      await once(among, 'open')
      expect(among.protocol).toBe('v1.usp')
      expect(opened.map(({ endpointId }) => endpointId)).toEqual(['proto::a', 'proto::c'])
    })

    it.each([
      ['?eid=os::00256D-S1', 'os::00256D-S1'],
      ['?eid=os%3A%3A00256D-S1', 'os::00256D-S1'],
      // A percent of the Endpoint ID itself arrives as %25, and is decoded once only.
      ['?eid=ops::00256D-Home%2520Box-S1', 'ops::00256D-Home%20Box-S1'],
      ['?eid=ops::00256D-a%252525-S1', 'ops::00256D-a%2525-S1'],
      ['?x=1&eid=proto::x', 'proto::x'],
      // Agents that leave their own percent as it is, or encode everything twice: the one reading that is an Endpoint
      // ID.
      ['?eid=ops::00256D-Home%20Box-S1', 'ops::00256D-Home%20Box-S1'],
      ['?eid=ops%3A%3a00256D-Home%20Box-S1', 'ops::00256D-Home%20Box-S1'],
      ['?eid=os%253A%253A00256D-S1', 'os::00256D-S1'],
      // Then the first Record tells.
      ['', ''],
    ])('take the Endpoint ID of the query %j', async (query, endpointId) => {
      await once(dial(query), 'open')
      expect(opened.map((link) => link.endpointId)).toEqual([endpointId])
    })

    it.each([
      '?eid=ops::00256D-Home+Box-S1',
      '?eid=nonsense',
      '?eid=%00%ff',
      '?eid=constructor::x',
      `?eid=os::${'a'.repeat(300)}`,
    ])('are refused with the Endpoint ID %j', async (query) => {
      expect(await refusal(dial(query))).toBe(400)
      expect(opened).toEqual([])
    })

    it('take the Endpoint ID of the extension of USP 1.2, and answer with our own', async () => {
      const response = await upgrade('', {
        ...HANDSHAKE,
        'sec-websocket-protocol': 'v1.usp',
        'sec-websocket-extensions': 'bbf-usp-protocol; eid="os::00256D-S1"',
      })
      expect(response.statusCode).toBe(101)
      expect(response.headers['sec-websocket-extensions']).toBe(`bbf-usp-protocol; eid="${OWN}"`)
      expect(opened[0]?.endpointId).toBe('os::00256D-S1')
    })

    it('are not answered with the extension when the client did not send it', async () => {
      const response = await upgrade('?eid=proto::x', { ...HANDSHAKE, 'sec-websocket-protocol': 'v1.usp' })
      expect(response.statusCode).toBe(101)
      expect(response.headers['sec-websocket-extensions']).toBeUndefined()
    })

    it.each(['8', '14', '13, 8', undefined])('are for version 13 of the protocol, not %s', async (version) => {
      const { 'sec-websocket-version': _, ...others } = HANDSHAKE
      const shown = version === undefined ? {} : { 'sec-websocket-version': version }
      const response = await upgrade('?eid=proto::x', { ...others, ...shown, 'sec-websocket-protocol': 'v1.usp' })
      expect(response.statusCode).toBe(426)
      expect(response.headers).toMatchObject({ 'sec-websocket-version': '13', upgrade: 'websocket' })
      expect(opened).toEqual([])
    })

    it.each([
      ['os::00256D-S1', 101],
      ['os::00256D-S2', 400],
    ])('with the query os::00256D-S1 and the extension %s are answered %i', async (eid, status) => {
      const response = await upgrade('?eid=os::00256D-S1', {
        ...HANDSHAKE,
        'sec-websocket-protocol': 'v1.usp',
        'sec-websocket-extensions': `bbf-usp-protocol; eid="${eid}"`,
      })
      expect(response.statusCode).toBe(status)
    })

    const secret = 'Abcdefghij_klmno-pqrs1'
    it.each([
      ['//usp?eid=proto::x', undefined],
      ['/usp/?eid=proto::x', undefined],
      [`/usp/${secret}?eid=proto::x`, secret],
      [`//usp/${secret}/?eid=proto::x`, secret],
    ])('are taken at %s too', async (path, shown) => {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, 'v1.usp')
      await once(socket, 'open')
      sockets.push(socket)
      expect(opened.map(({ endpointId, secret }) => [endpointId, secret])).toEqual([['proto::x', shown]])
    })

    it.each([
      '/other',
      '/',
      `/${secret}`,
      `/usp${secret}`,
      `/usp/${secret}x`,
      `/usp/x/${secret}`,
      `/usp/${secret}/x`,
      '/usp/..',
    ])('are refused at %s', async (path) => {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}?eid=proto::x`, 'v1.usp')
      socket.on('error', () => undefined)
      expect(await refusal(socket)).toBe(400)
    })

    it('that are refused leave no connection behind when the client does not end its side', async () => {
      const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true })
      await once(socket, 'connect')
      const lines = [...Object.entries(HANDSHAKE)].map(([name, value]) => `${name}: ${value}\r\n`).join('')
      socket.write(`GET /usp?eid=nonsense HTTP/1.1\r\nhost: x\r\n${lines}\r\n`)
      socket.resume()
      await once(socket, 'end')
      await vi.waitUntil(async () => (await server.connections()) === 0, 60_000)
      socket.destroy()
    })

    it('are for the configured path, and for WebSockets', async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/other?eid=proto::x`, 'v1.usp')
      socket.on('error', () => undefined)
      expect(await refusal(socket)).toBe(400)
      const plain = await upgrade('?eid=proto::x', { connection: 'close' })
      expect(plain.statusCode).toBe(426)
      expect(plain.headers.upgrade).toBe('websocket')
    })

    it('that break off harm nobody', async () => {
      const socket = connect(server.port, '127.0.0.1')
      await once(socket, 'connect')
      socket.write('GET /usp?eid=proto::x HTTP/1.1\r\nhost: x\r\nupgrade: webso')
      socket.destroy()
      await once(socket, 'close')
      expect((await open('proto::y')).readyState).toBe(WebSocket.OPEN)
    })
  })

  it('writes a line of the log about a refused handshake, and not about each of many', async () => {
    const lines: string[] = []
    await start({ log: { ...silentLog, info: (_, message) => void lines.push(message) } })
    for (let i = 0; i < 70; i++) expect(await refusal(dial('?eid=proto::b', 'chat'))).toBe(400)
    expect(lines).toEqual(Array.from({ length: 60 }, () => 'USP handshake refused'))
  })

  it('takes no more links than it may have', async () => {
    await start({ maxLinks: 1 })
    const first = await open('proto::a')
    expect(await refusal(dial('?eid=proto::b'))).toBe(503)
    first.close()
    await ended(first)
    expect((await open('proto::b')).readyState).toBe(WebSocket.OPEN)
    expect(server.linkCount).toBe(1)
  })

  it('gives the place of a link that belongs to no device to another, never that of a device', async () => {
    await start({ maxLinks: 2 })
    const device = await open('proto::device')
    const silent = await open('proto::silent')
    opened[0]?.prove()
    clock.advance(5000)
    const end = ended(silent)
    expect((await open('proto::b')).readyState).toBe(WebSocket.OPEN)
    await end
    opened[2]?.prove()
    clock.advance(60_000)
    expect(await refusal(dial('?eid=proto::c'))).toBe(503)
    expect([device.readyState, server.linkCount]).toEqual([WebSocket.OPEN, 2])
  })

  it('closes the connections that say nothing for longest when there are too many', async () => {
    await start({ maxConnections: 3 })
    const device = await open('proto::device')
    opened[0]?.prove()
    const silent = Array.from({ length: 3 }, () => connect(server.port, '127.0.0.1'))
    for (const socket of silent) socket.on('error', () => undefined)
    await once(silent[0] as Socket, 'close')
    expect((await open('proto::b')).readyState).toBe(WebSocket.OPEN)
    expect(device.readyState).toBe(WebSocket.OPEN)
    for (const socket of silent) socket.destroy()
  })

  describe('a link', () => {
    it('hands one Record on per binary message, fragments put together', async () => {
      await start()
      const socket = await open('proto::a')
      socket.send(Buffer.from([1, 2]))
      socket.send(Buffer.from([3]), { fin: false })
      socket.send(Buffer.from([4]), { fin: true })
      await heard(socket)
      expect(records.map(({ bytes }) => [...bytes])).toEqual([
        [1, 2],
        [3, 4],
      ])
      expect(records.every(({ link }) => link === opened[0])).toBe(true)
    })

    it('sends one Record as one binary message, and says when it cannot', async () => {
      await start()
      const socket = await open('proto::a')
      const message = once(socket, 'message')
      expect(opened[0]?.send(Buffer.from([5, 6]))).toBe(true)
      const [data, binary] = await message
      expect([binary, [...data]]).toEqual([true, [5, 6]])
      socket.terminate()
      await vi.waitUntil(() => closed.length === 1, 60_000)
      expect(opened[0]?.send(Buffer.from([7]))).toBe(false)
    })

    it('sends no more to an Agent that does not read', async () => {
      await start()
      const socket = await open('proto::a')
      socket.pause()
      const chunk = Buffer.alloc(1 << 20)
      let sent = 0
      while (sent < 200 && opened[0]?.send(chunk) === true) sent++
      expect(sent).toBeLessThan(200)
    })

    it('ends with 1003 on a text frame, and hands nothing on after it', async () => {
      await start()
      const socket = await open('proto::a')
      const end = ended(socket)
      socket.send('text')
      socket.send(Buffer.from([1]))
      expect(await end).toBe(1003)
      expect(records).toEqual([])
    })

    it('ends with 1009 on a message over 16 MiB', async () => {
      await start()
      const socket = await open('proto::a')
      const end = ended(socket)
      socket.send(Buffer.alloc(16 * 1024 * 1024 + 1))
      expect(await end).toBe(1009)
      expect(records).toEqual([])
    })

    it('takes messages of several MiB', async () => {
      await start()
      const socket = await open('proto::a')
      socket.send(Buffer.alloc(8 * 1024 * 1024))
      await heard(socket)
      expect(records[0]?.bytes.length).toBe(8 * 1024 * 1024)
    })

    it('ends with 1008 on more bytes than it may send before its Agent has shown which device it is', async () => {
      await start({ limits: { ...LIMITS, maxUnprovenBytes: 100_000 } })
      const [proven, unproven] = [await open('proto::a'), await open('proto::b')]
      opened[0]?.prove()
      proven.send(Buffer.alloc(200_000))
      await heard(proven)
      const end = ended(unproven)
      // The end of its Message never comes.
      unproven.send(Buffer.alloc(200_000), { fin: false })
      expect(await end).toBe(1008)
      expect(records.map(({ bytes }) => bytes.length)).toEqual([200_000])
    })

    it('is not read any more once it has sent too much', async () => {
      await start({ limits: { ...LIMITS, maxUnprovenBytes: 100_000 } })
      const connections: Socket[] = []
      const note = (message: unknown) => void connections.push((message as { socket: Socket }).socket)
      subscribe('net.server.socket', note)
      const unproven = await open('proto::a')
      unsubscribe('net.server.socket', note)
      unproven.on('error', () => undefined)
      const end = ended(unproven)
      unproven.send(Buffer.alloc(15 << 20), { fin: false })
      expect(await end).toBe(1008)
      expect(connections[0]?.bytesRead).toBeGreaterThan(100_000)
      expect(connections[0]?.bytesRead).toBeLessThan(1 << 20)
    })

    it('ends with 1008 on more messages than it may send, which time gives anew', async () => {
      await start({ limits: { ...LIMITS, messagesPerSecond: 2, burstSeconds: 2 } })
      const socket = await open('proto::a')
      const end = ended(socket)
      for (let i = 0; i < 4; i++) socket.send(Buffer.from([i]))
      await vi.waitUntil(() => records.length === 4, 60_000)
      clock.advance(1000)
      for (let i = 4; i < 6; i++) socket.send(Buffer.from([i]))
      await vi.waitUntil(() => records.length === 6, 60_000)
      socket.send(Buffer.from([6]))
      expect(await end).toBe(1008)
      expect(records.length).toBe(6)
    })

    it('ends with 1008 on more pings than it may send', async () => {
      await start({ limits: { ...LIMITS, messagesPerSecond: 5 } })
      const socket = await open('proto::a')
      const end = ended(socket)
      for (let i = 0; i < 6; i++) socket.ping()
      expect(await end).toBe(1008)
    })

    it('ends with 1008 on more bytes than it may send', async () => {
      await start({ limits: { ...LIMITS, bytesPerSecond: 100 } })
      const socket = await open('proto::a')
      const end = ended(socket)
      socket.send(Buffer.alloc(100))
      socket.send(Buffer.alloc(1))
      expect(await end).toBe(1008)
      expect(records.length).toBe(1)
    })

    it.each([
      ['agentClosed', (socket: WebSocket) => socket.close()],
      ['agentClosed', (socket: WebSocket) => socket.close(1000)],
      ['agentError', (socket: WebSocket) => socket.close(1011)],
      ['connectionLost', (socket: WebSocket) => socket.terminate()],
      ['unsupported', (socket: WebSocket) => socket.send('text')],
      ['brokenFrames', (socket: WebSocket) => socket.send(Buffer.alloc(16 * 1024 * 1024 + 1))],
    ])('tells %s when its Agent ends it so', async (end, leave) => {
      await start()
      leave(await open('proto::a'))
      await vi.waitUntil(() => closed.length === 1, 60_000)
      expect(closed[0]?.end).toBe(end)
    })

    it.each([
      ['policy', 1008],
      ['tryAgain', 1013],
      ['goingAway', 1001],
      ['unsupported', 1003],
      ['replaced', 1008],
      ['notAnswering', 1008],
      ['rolledBack', 1008],
    ] as const)('that we close for %s ends with %i, and tells the first reason', async (reason, code) => {
      await start()
      const socket = await open('proto::a')
      const end = once(socket, 'close')
      opened[0]?.close(reason, 'because')
      opened[0]?.close('policy', 'again')
      const [got, text] = await end
      expect([got, String(text)]).toEqual([code, 'because'])
      await vi.waitUntil(() => closed.length === 1, 60_000)
      expect(closed[0]?.end).toBe(reason)
      expect(opened[0]?.isOpen).toBe(false)
    })

    it('is closed with as much of a long text as a close frame takes', async () => {
      await start()
      const socket = await open('proto::a')
      const end = once(socket, 'close')
      opened[0]?.close('policy', 'ä'.repeat(200))
      const [code, text] = await end
      expect([code, String(text)]).toEqual([1008, '?'.repeat(120)])
    })

    it('that we close is cut when its Agent does not answer the close', async () => {
      await start()
      const socket = await open('proto::a')
      socket.pause()
      opened[0]?.close('rolledBack', 'because')
      await vi.waitUntil(() => closed.length === 1, 60_000)
      expect(closed[0]?.end).toBe('rolledBack')
    })

    it('ends with 1001 when the server stops', async () => {
      await start()
      const socket = await open('proto::a')
      const end = ended(socket)
      await server.stop()
      expect(await end).toBe(1001)
    })
  })

  describe('pings', () => {
    beforeEach(async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
      await start()
    })

    it('of the client are answered', async () => {
      const socket = await open('proto::a')
      const pong = once(socket, 'pong')
      socket.ping('hello')
      expect(String((await pong)[0])).toBe('hello')
    })

    it('of ours keep a link that answers', async () => {
      const socket = await open('proto::a')
      for (let round = 0; round < 3; round++) {
        const pinged = once(socket, 'ping')
        vi.advanceTimersByTime(30_000)
        await pinged
        // The pong goes out before this ping, so it was read when that is answered.
        await heard(socket)
      }
      expect(socket.readyState).toBe(WebSocket.OPEN)
    })

    it('of ours end a link that does not answer', async () => {
      const socket = await open('proto::a', { autoPong: false })
      const end = ended(socket)
      const pinged = once(socket, 'ping')
      vi.advanceTimersByTime(30_000)
      await pinged
      vi.advanceTimersByTime(30_000)
      expect(await end).toBe(1006)
      await vi.waitUntil(() => closed.length === 1, 60_000)
      expect(closed[0]?.end).toBe('noPong')
      expect(server.linkCount).toBe(0)
    })
  })
})
