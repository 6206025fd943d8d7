import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createWebServer, listen, portOf } from '../../../src/base/index.ts'

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
