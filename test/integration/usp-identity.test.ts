import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { silentLog } from '../../src/base/index.ts'
import { deviceIdOf, type EndpointId, newDevice } from '../../src/domain/index.ts'
import { type Link, WebSocketMtp } from '../../src/usp/mtp/index.ts'
import { createManualClock } from '../support/manual-clock.ts'
import type { RawAgent } from '../support/raw-agent.ts'
import { startController, type TestController } from '../support/usp-controller.ts'

const pem = (name: string) => readFileSync(join(import.meta.dirname, '../vectors/tls', name), 'utf8')
const EID = 'os::00256D-S1'

describe('the WebSocket MTP over TLS', () => {
  const sockets: WebSocket[] = []
  let server: WebSocketMtp
  let opened: Link[]

  beforeEach(async () => {
    opened = []
    server = new WebSocketMtp({
      host: '127.0.0.1',
      port: 0,
      path: '/usp',
      endpointId: 'self::tls-test',
      tls: {
        cert: pem('server.pem'),
        key: pem('server.key'),
        clientCa: pem('client-ca.pem') + pem('open-ca.pem'),
      },
      maxLinks: 10,
      clock: createManualClock(),
      log: silentLog,
    })
    server.onLink({ onOpen: (link) => opened.push(link), onRecord: () => undefined, onClose: () => undefined })
    await server.start()
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.terminate()
    await server.stop()
  })

  function dial(query: string, certificate?: string): WebSocket {
    const identity = certificate === undefined ? {} : { cert: pem(certificate), key: pem(certificate) }
    const socket = new WebSocket(`wss://localhost:${server.port}/usp${query}`, 'v1.usp', {
      perMessageDeflate: false,
      ca: pem('server.pem'),
      ...identity,
    })
    socket.on('error', () => undefined)
    sockets.push(socket)
    return socket
  }
  async function outcome(socket: WebSocket): Promise<string | number | undefined> {
    return Promise.race([
      once(socket, 'open').then(() => 'open'),
      once(socket, 'unexpected-response').then(([, response]) => (response as IncomingMessage).statusCode),
    ])
  }

  it.each([
    ['its own certificate', 'client-exact.pem', `?eid=${EID}`, EID, 'certificate'],
    ['its own certificate and no word in the handshake', 'client-exact.pem', '', EID, 'certificate'],
    ['no certificate', undefined, `?eid=${EID}`, EID, 'none'],
    // Of a family, but not proven which.
    [
      'a certificate that all devices of its OUI share',
      'client-shared.pem',
      '?eid=os::00256D-S7',
      'os::00256D-S7',
      'none',
    ],
    [
      'a certificate for its domain name',
      'client-fqdn.pem',
      '?eid=fqdn::agent.example.com',
      'fqdn::agent.example.com',
      'certificate',
    ],
    ['a certificate that names no Endpoint ID', 'client-fqdn.pem', `?eid=${EID}`, EID, 'none'],
    ['a certificate that imitates the URI in a DNS name', 'client-imitator.pem', `?eid=${EID}`, EID, 'none'],
    ['a certificate of an authority that we do not know', 'client-foreign.pem', `?eid=${EID}`, EID, 'none'],
  ])('knows an Agent with %s', async (_name, certificate, query, endpointId, proof) => {
    expect(await outcome(dial(query, certificate))).toBe('open')
    expect(opened).toMatchObject([{ endpointId, proof }])
  })

  it.each([
    ['is of another Endpoint ID', 'client-exact.pem', '?eid=os::00256D-S2'],
    ['is of another family', 'client-shared.pem', '?eid=os::00256E-S1'],
    ['is of a family and the handshake names none', 'client-shared.pem', ''],
    // The authority signed it, and it would cover every Agent of the scheme.
    ['leaves the OUI open (os)', 'client-open.pem', '?eid=os::00256D-S7'],
    ['leaves the OUI open (ops)', 'client-open.pem', '?eid=ops::00256D-Box-S7'],
    ['leaves the OUI open (oui)', 'client-open.pem', '?eid=oui:00256D:S7'],
  ])('refuses an Agent whose certificate %s', async (_name, certificate, query) => {
    expect(await outcome(dial(query, certificate))).toBe(400)
    expect(opened).toEqual([])
  })
})

describe('an Agent with a certificate for its Endpoint ID', () => {
  const IDENTITY = { oui: '00256D', productClass: 'Box', serial: 'S1' }
  const ID = deviceIdOf(IDENTITY)
  const trust = { ca: pem('server.pem') }
  const own = { ...trust, cert: pem('client-exact.pem'), key: pem('client-exact.pem') }
  let world: TestController

  beforeEach(async () => {
    const tls = { cert: pem('server.pem'), key: pem('server.key'), clientCa: pem('client-ca.pem') }
    world = await startController({ tls, admission: 'bound' })
  })
  afterEach(() => world.stop())

  const device = () => world.stores.inside.devices.get(ID)
  async function arrive(tls: object): Promise<RawAgent> {
    const agent = await world.connect(EID, EID, tls)
    agent.serve(IDENTITY)
    agent.hello()
    return agent
  }

  it('is let in unseen, and nobody without one is taken for it after that', async () => {
    const agent = await arrive(own)
    await world.contact()
    expect(device()?.binding).toMatchObject({ endpointId: EID, proof: 'certificate' })
    const gone = agent.closed()
    agent.socket.close()
    await gone
    const thief = await arrive(trust)
    expect(await thief.closed()).toBe(1008)
    expect(thief.inbox).toEqual([])
    await arrive(own)
    await world.contact()
  })

  it('proves what was only read from the device before', async () => {
    const binding = { endpointId: EID as EndpointId, proof: 'bound' as const, at: 1 }
    world.stores.inside.devices.set(ID, { ...newDevice(ID, IDENTITY, 'cwmp', 1), binding })
    await arrive(own)
    await world.contact()
    expect(device()).toMatchObject({ owner: 'cwmp', binding: { proof: 'certificate' } })
  })

  it('keeps its link against one without a certificate, named in the handshake or by a Record', async () => {
    const agent = await arrive(own)
    await world.contact()
    await expect(world.connect(EID, EID, trust)).rejects.toMatchObject({ status: 403 })
    const late = await world.connect('', EID, trust)
    const end = late.closed()
    late.hello()
    expect(await end).toBe(1008)
    expect(agent.socket.readyState).toBe(WebSocket.OPEN)
    expect(agent.inbox.filter((msg) => msg.kind === 'request').length).toBeGreaterThan(0)
  })

  it('takes the place of a link without one at once', async () => {
    const binding = { endpointId: EID as EndpointId, proof: 'bound' as const, at: 1 }
    world.stores.inside.devices.set(ID, { ...newDevice(ID, IDENTITY, 'cwmp', 1), binding })
    const claimed = await arrive(trust)
    await world.contact()
    const end = claimed.closed()
    await arrive(own)
    expect(await end).toBe(1008)
    await world.contact()
    expect(device()).toMatchObject({ usp: { weakLink: false }, binding: { proof: 'certificate' } })
  })
})
