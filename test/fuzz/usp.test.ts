import { once } from 'node:events'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { WebSocket } from 'ws'
import { rawHttp } from '../support/raw-http.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

describe('hostile USP', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer(inject('mongodbUri'), { agentAdmission: 'open' })
  })
  afterAll(async () => {
    await server?.stop()
  })

  async function dial(eid: string): Promise<WebSocket> {
    const socket = new WebSocket(`ws://127.0.0.1:${server.uspPort}/usp?eid=${encodeURIComponent(eid)}`, 'v1.usp', {
      perMessageDeflate: false,
    })
    socket.on('error', () => undefined)
    await once(socket, 'open')
    return socket
  }
  const closed = (socket: WebSocket) => once(socket, 'close').then(([code]) => Number(code))

  async function stillServes(): Promise<void> {
    const socket = await dial('proto::still')
    expect(socket.readyState).toBe(WebSocket.OPEN)
    socket.close()
    await closed(socket)
  }

  it.each([
    [
      'no sub-protocol',
      'GET /usp?eid=proto::x HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n',
    ],
    [
      'another sub-protocol',
      'GET /usp?eid=proto::x HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: chat\r\n\r\n',
    ],
    [
      'an Endpoint ID that is none',
      'GET /usp?eid=%00%ff HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: v1.usp\r\n\r\n',
    ],
    [
      'broken percent-encoding',
      'GET /usp?eid=%E0%A4%A HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: v1.usp\r\n\r\n',
    ],
    [
      'another path',
      'GET /elsewhere?eid=proto::x HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: v1.usp\r\n\r\n',
    ],
    ['no upgrade', 'GET /usp HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
  ])('refuses a handshake with %s', async (_name, request) => {
    const answer = await rawHttp(server.uspPort, [request])
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).toBeLessThan(500)
    await stillServes()
  })

  it('closes with 1003 on a text frame and on bytes that are no Record', async () => {
    const text = await dial('proto::text')
    text.send('hello')
    expect(await closed(text)).toBe(1003)
    const bytes = await dial('proto::bytes')
    bytes.send(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x01]))
    expect(await closed(bytes)).toBe(1003)
    await stillServes()
  })

  it('closes with 1009 on a message over the limit', async () => {
    const socket = await dial('proto::big')
    socket.send(Buffer.alloc(40 * 1024 * 1024))
    expect([1009, 1006]).toContain(await closed(socket))
    await stillServes()
  })

  it('ends a flood from one link without harm to another', async () => {
    const other = await dial('proto::quiet')
    const flood = await dial('proto::flood')
    const end = closed(flood)
    // A Record for somebody else: ignored one by one, but counted.
    const record = Buffer.from('0a03312e34120970726f746f3a3a7a7a', 'hex')
    for (let i = 0; i < 200_000 && flood.readyState === WebSocket.OPEN; i++) {
      flood.send(record)
      if (i % 2000 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    expect([1003, 1008, 1006]).toContain(await end)
    expect(other.readyState).toBe(WebSocket.OPEN)
    other.close()
    await closed(other)
  })

  it('stays up under random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }),
        fc.nat(1000),
        async (messages, n) => {
          const socket = await dial(`proto::r${n}`)
          const end = closed(socket)
          for (const message of messages) socket.send(message)
          socket.close()
          expect(await end).toBeGreaterThanOrEqual(1000)
        },
      ),
      { numRuns: 50 },
    )
    await stillServes()
  })
})
