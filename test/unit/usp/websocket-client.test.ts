import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createPlainServer, type IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import {
  type ControllerLink,
  type DialSecurity,
  type LinkEvents,
  type LinkTarget,
  websocketTransport,
} from '../../../src/usp/mtp/index.ts'
import { until } from '../../support/until.ts'

/** The machine may be busy. */
const pem = (name: string) => readFileSync(join(import.meta.dirname, '../../vectors/tls', `${name}.pem`), 'utf8')
const CONTROLLER = pem('controller')
const AGENT = pem('client-exact')
const NO_EVENTS: LinkEvents = { onRecord: () => undefined, onClose: () => undefined }

/** A Controller that takes any client; its handshakes, with the names and proofs of the client. */
interface Peer {
  port: number
  requests: IncomingMessage[]
  sockets: WebSocket[]
  names: (string | false)[]
  stop(): void
}

async function peer(server: Server | ReturnType<typeof createPlainServer>, autoPong = true): Promise<Peer> {
  const websockets = new WebSocketServer({ server, handleProtocols: () => 'v1.usp', autoPong })
  const made: Peer = { port: 0, requests: [], sockets: [], names: [], stop: () => undefined }
  server.on('upgrade', (request) => made.requests.push(request))
  server.on('secureConnection', (socket: TLSSocket) => made.names.push(socket.servername ?? false))
  server.on('tlsClientError', () => undefined)
  websockets.on('connection', (socket) => made.sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  made.port = (server.address() as AddressInfo).port
  made.stop = () => {
    for (const socket of websockets.clients) socket.terminate()
    server.close()
  }
  return made
}

let links: ControllerLink[]
let controller: Peer
beforeEach(() => {
  links = []
})
afterEach(() => {
  for (const link of links) link.cut()
  controller.stop()
})

async function dial(
  security: DialSecurity,
  over: Partial<LinkTarget> = {},
  events = NO_EVENTS,
): Promise<ControllerLink> {
  const target: LinkTarget = {
    row: 'Device.LocalAgent.Controller.1.',
    controllerId: 'proto::controller',
    endpointId: 'os::00256D-S1',
    host: '127.0.0.1',
    port: controller.port,
    path: '/usp/s3cret',
    tls: true,
    keepAliveS: 60,
    ...over,
  }
  const link = await websocketTransport(() => security).dial(target, events)
  links.push(link)
  return link
}

describe('the WebSocket of an Agent over TLS', () => {
  beforeEach(async () => {
    const options = { cert: CONTROLLER, key: CONTROLLER, requestCert: true, rejectUnauthorized: false }
    controller = await peer(createServer({ ...options, ca: pem('client-ca') }))
  })

  it('proves itself by its certificate, and by the secret in its path', async () => {
    await dial({ trusted: [CONTROLLER], certificate: AGENT, key: AGENT })
    const [request] = controller.requests
    expect(request?.url).toBe('/usp/s3cret?eid=os%3A%3A00256D-S1')
    const socket = request?.socket as TLSSocket
    expect([socket.authorized, socket.getPeerCertificate().subjectaltname]).toEqual([
      true,
      'URI:urn:bbf:usp:id:os::00256D-S1',
    ])
  })

  it('sends nothing to a Controller that it does not trust', async () => {
    await expect(dial({})).rejects.toThrow('self-signed certificate')
    await expect(dial({ trusted: [pem('open-ca')], trustedOnly: true })).rejects.toThrow('self-signed certificate')
    expect(controller.requests).toEqual([])
  })

  it('sends nothing to the Controller of another Endpoint ID (R-SEC.0a, R-SEC.3)', async () => {
    const other = { controllerId: 'proto::other' }
    await expect(dial({ trusted: [CONTROLLER] }, other)).rejects.toThrow('is for proto::controller, not proto::other')
    expect(controller.requests).toEqual([])
    await dial({ trusted: [CONTROLLER], requireEndpointId: true })
  })

  it('asks for the name that it is given, and for no other', async () => {
    await dial({ trusted: [CONTROLLER], trustedOnly: true, serverName: 'controller.example.com' })
    expect(controller.names).toEqual(['controller.example.com'])
    const wrong = dial({ trusted: [CONTROLLER], serverName: 'other.example.com' })
    await expect(wrong).rejects.toThrow('other.example.com')
  })

  it('fails at a certificate that is none, and dials nothing', async () => {
    await expect(dial({ certificate: 'no certificate', key: AGENT })).rejects.toThrow()
    expect(controller.requests).toEqual([])
  })
})

describe('a Controller without a certificate', () => {
  it('whose certificate names no Endpoint ID is refused when it must', async () => {
    const server = { cert: pem('server'), key: readFileSync(join(import.meta.dirname, '../../vectors/tls/server.key')) }
    controller = await peer(createServer(server))
    const trusted = [pem('server')]
    await dial({ trusted })
    await expect(dial({ trusted, requireEndpointId: true })).rejects.toThrow('names no Endpoint ID')
    expect(controller.requests).toHaveLength(1)
  })
})

describe('the WebSocket of an Agent', () => {
  it('keeps the query of its path', async () => {
    controller = await peer(createPlainServer())
    await dial({}, { tls: false, path: 'usp?a=1' })
    expect(controller.requests[0]?.url).toBe('/usp?a=1&eid=os%3A%3A00256D-S1')
  })

  it('is cut when the Controller has answered no ping since the last one', async () => {
    controller = await peer(createPlainServer(), false)
    const onClose = vi.fn()
    await dial({}, { tls: false, keepAliveS: 1 }, { ...NO_EVENTS, onClose })
    await until(() => onClose.mock.calls.length === 1)
  })

  it('is cut when the Controller does not read, and says that nothing was sent', async () => {
    controller = await peer(createPlainServer())
    const onClose = vi.fn()
    const link = await dial({}, { tls: false }, { ...NO_EVENTS, onClose })
    await until(() => controller.sockets.length === 1)
    controller.sockets[0]?.pause()
    const record = new Uint8Array(8 * 1024 * 1024)
    await until(() => !link.send(record))
    await until(() => onClose.mock.calls.length === 1)
    expect(link.send(record)).toBe(false)
  })

  it('is closed with 1003 over text and over bytes that are no Record (R-WS.16)', async () => {
    controller = await peer(createPlainServer())
    const link = await dial({}, { tls: false })
    await until(() => controller.sockets.length === 1)
    const codes: number[] = []
    controller.sockets[0]?.on('close', (code) => codes.push(code))
    link.refuse()
    await until(() => codes.length === 1)
    await dial({}, { tls: false })
    await until(() => controller.sockets.length === 2)
    controller.sockets[1]?.on('close', (code) => codes.push(code))
    controller.sockets[1]?.send('text')
    await until(() => codes.length === 2)
    expect(codes).toEqual([1003, 1003])
  })
})
