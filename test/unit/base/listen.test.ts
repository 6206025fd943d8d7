import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createWebServer, listen, portOf } from '../../../src/base/index.ts'
import { until } from '../../support/until.ts'

const HOST = '127.0.0.1'
const open = new Set<{ close(): void }>()
afterEach(() => {
  for (const server of open) server.close()
  open.clear()
})

describe('listen', () => {
  it('resolves with the port that the system gave', async () => {
    const server = createWebServer({}, undefined, (_, response) => response.end('here'))
    open.add(server)
    const port = await listen(server, { host: HOST, port: 0 })
    expect(portOf(server)).toBe(port)
    expect(await (await fetch(`http://${HOST}:${port}/`)).text()).toBe('here')
  })

  it('rejects with the error of the system, and a server that does not listen has port 0', async () => {
    const first = createServer()
    open.add(first)
    const port = await listen(first, { host: HOST, port: 0 })
    const second = createServer()
    await expect(listen(second, { host: HOST, port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(portOf(second)).toBe(0)
    expect(portOf(undefined)).toBe(0)
  })

  it('gives errors after the start to their handler', async () => {
    const server = createServer()
    open.add(server)
    const seen: Error[] = []
    await listen(server, { host: HOST, port: 0 }, (error) => seen.push(error))
    const error = new Error('the socket broke')
    server.emit('error', error)
    expect(seen).toEqual([error])
    server.close()
    await once(server, 'close')
  })
})

describe('a web server', () => {
  const GET = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'
  const POST = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\na'

  /** A server that answers at once, the number of requests that it was given, and a connection that was sent `text`. */
  async function ask(text: string) {
    const served: string[] = []
    const server = createWebServer({}, undefined, (request, response) => {
      served.push(request.url ?? '')
      request.resume()
      response.end('here')
    })
    open.add(server)
    const socket = connect(await listen(server, { host: HOST, port: 0 }), HOST)
    let received = ''
    socket.on('data', (data) => {
      received += String(data)
    })
    // The rest of a flood is answered with RST.
    socket.on('error', () => undefined)
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    socket.write(text)
    return { served, socket, closed, answers: () => received.split('HTTP/1.1 200').length - 1 }
  }

  it('answers some requests that come at once, and those after them', async () => {
    const { socket, answers } = await ask(POST.repeat(8))
    for (let count = 8; count < 20; count++) {
      await until(() => answers() === count)
      socket.write(GET)
    }
    await until(() => answers() === 20)
    socket.destroy()
  })

  it.each([GET, POST])(
    'closes a connection that floods it, and serves no more of its requests: %j',
    async (request) => {
      const { served, closed } = await ask(request.repeat(1000))
      await closed
      expect(served).toHaveLength(8)
    },
  )

  it('closes a connection that floods it with requests that Node answers itself', async () => {
    const begun: unknown[] = []
    const note = (message: unknown) => void begun.push(message)
    subscribe('http.server.request.start', note)
    const { served, closed } = await ask('GET / HTTP/1.1\r\n\r\n'.repeat(1000))
    await closed
    unsubscribe('http.server.request.start', note)
    expect([served.length, begun.length]).toEqual([0, 8])
  })
})
