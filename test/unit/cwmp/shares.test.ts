import { EventEmitter } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Connections, networksOf } from '../../../src/base/index.ts'
import { SessionShares } from '../../../src/cwmp/acs/session/session-shares.ts'
import { deviceIdOf } from '../../../src/domain/index.ts'
import { ENROLMENT_SECRET, startAcs, type TestAcs } from '../../support/cwmp-acs.ts'
import { CpeWire, cookieOf, digestFor, vector } from '../../support/cwmp-wire.ts'
import { until } from '../../support/until.ts'

let ports = 1024
/** A connection from an address that the test machine does not have. */
class FakeSocket extends EventEmitter {
  readonly remotePort = ports++
  readonly remoteAddress: string
  destroyed = false
  constructor(remoteAddress: string) {
    super()
    this.remoteAddress = remoteAddress
  }
  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.emit('close')
  }
}
const fake = (address: string) => new FakeSocket(address) as Partial<Socket> as Socket & FakeSocket

describe('the connections of a listener', () => {
  const open = (connections: Connections, address: string, count: number) =>
    Array.from({ length: count }, () => {
      const socket = fake(address)
      connections.add(socket)
      return socket
    })
  const shared = () => false

  it('of one address are bounded: the one that shows nothing for longest is closed first', () => {
    const connections = new Connections({ max: 100, maxPerAddress: 3, isShared: shared })
    const [first, second, third] = open(connections, '203.0.113.1', 3)
    connections.prove(first as Socket)
    const [other] = open(connections, '203.0.113.2', 1)
    open(connections, '::ffff:203.0.113.1', 1)
    expect([first, second, third, other].map((socket) => socket?.destroyed)).toEqual([false, true, false, false])
    expect(connections.size).toBe(4)
  })

  it('of one address are all of CPE that showed who they are: a new one is closed', () => {
    const connections = new Connections({ max: 100, maxPerAddress: 2, isShared: shared })
    const proven = open(connections, '203.0.113.1', 2)
    for (const socket of proven) connections.prove(socket)
    const [late] = open(connections, '203.0.113.1', 1)
    expect([late?.destroyed, connections.size]).toEqual([true, 2])
    proven[0]?.destroy()
    expect(open(connections, '203.0.113.1', 1)[0]?.destroyed).toBe(false)
  })

  it('share the addresses of an IPv6 network of 64 bits; proxies and this machine have no share', () => {
    const proxies = networksOf('10.0.0.1')
    const connections = new Connections({ max: 100, maxPerAddress: 1, isShared: (address) => proxies.has(address) })
    const [first] = open(connections, '2001:db8::1', 1)
    open(connections, '2001:db8::2', 1)
    expect(first?.destroyed).toBe(true)
    for (const address of ['10.0.0.1', '127.0.0.1', '::1'])
      expect(open(connections, address, 5).some(({ destroyed }) => destroyed)).toBe(false)
  })

  it('are bounded over all addresses: many addresses push out nobody who showed who they are', () => {
    const reasons: string[] = []
    const connections = new Connections({
      max: 5,
      maxPerAddress: 5,
      isShared: shared,
      onClosed: (reason) => reasons.push(reason),
    })
    const [good] = open(connections, '203.0.113.1', 1)
    connections.prove(good as Socket)
    for (let i = 0; i < 20; i++) open(connections, `198.51.100.${i}`, 1)
    expect([connections.size, good?.destroyed, reasons.length]).toEqual([5, false, 16])
  })
})

describe('the shares of sessions', () => {
  const session = (remoteAddress: string, isStranger = false) => ({ remoteAddress, isStranger })

  it('give one address its number at most', () => {
    const shares = new SessionShares({ maxSessions: 100, maxPerAddress: 3 })
    for (let i = 0; i < 3; i++) shares.began(session('203.0.113.1'))
    expect(shares.hasRoomFor(session('203.0.113.1'))).toBe(false)
    expect(shares.hasRoomFor(session('203.0.113.2'))).toBe(true)
    shares.ended(session('203.0.113.1'))
    expect(shares.hasRoomFor(session('203.0.113.1'))).toBe(true)
  })

  it('give those without a credential of their own a tenth for each address and a half in all', () => {
    const shares = new SessionShares({ maxSessions: 100, maxPerAddress: 100 })
    for (let i = 0; i < 10; i++) shares.began(session('203.0.113.1', true))
    expect(shares.hasRoomFor(session('203.0.113.1', true))).toBe(false)
    expect(shares.hasRoomFor(session('203.0.113.1'))).toBe(true)
    for (let i = 0; i < 40; i++) shares.began(session(`198.51.100.${i}`, true))
    expect(shares.hasRoomFor(session('203.0.113.9', true))).toBe(false)
    expect(shares.hasRoomFor(session('203.0.113.9'))).toBe(true)
  })

  it('do not count this machine by its address', () => {
    const shares = new SessionShares({ maxSessions: 100, maxPerAddress: 1 })
    for (let i = 0; i < 40; i++) shares.began(session('127.0.0.1', true))
    expect(shares.hasRoomFor(session('127.0.0.1', true))).toBe(true)
  })
})

describe('the listener', () => {
  let world: TestAcs
  const sockets: Socket[] = []
  const wires: CpeWire[] = []
  const wire = () => {
    const made = new CpeWire(world.acs.port)
    wires.push(made)
    return made
  }
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    for (const made of wires.splice(0)) made.close()
    await world.stop()
  })
  const id = (serial: string) => deviceIdOf({ oui: '00256D', productClass: 'Box', serial })
  const inform = (serial: string) => vector('inform', { SERIAL: serial, '0 BOOTSTRAP': '2 PERIODIC' })

  it('serves a CPE while others hold all connections and say nothing', async () => {
    world = await startAcs({ policy: 'closed', maxConnections: 5 })
    const login = { username: id('1'), password: 'secret' }
    world.credentials.set(id('1'), { deviceId: id('1'), current: login, connectionRequest: login, updatedAt: 0 })
    let closed = 0
    const hold = async () => {
      const socket = connect(world.acs.port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.on('close', () => closed++)
      sockets.push(socket)
      await new Promise((resolve) => socket.once('connect', resolve))
    }
    for (let i = 0; i < 10; i++) await hold()
    const cpe = wire()
    const answer = await cpe.post(inform('1'), digestFor(await cpe.post(inform('1')), login))
    expect(answer.status).toBe(200)
    for (let i = 0; i < 10; i++) await hold()
    await until(() => closed >= 16)
    expect((await cpe.post('', cookieOf(answer))).status).toBe(204)
  })

  it('keeps room for devices with a credential of their own while strangers make up serial numbers', async () => {
    world = await startAcs({ policy: 'credential', maxSessions: 20, trustedProxies: networksOf('127.0.0.1') })
    const from = { 'x-forwarded-for': '203.0.113.1' }
    const come = async (serial: string, password: string, headers: Record<string, string>) => {
      const cpe = wire()
      const challenge = await cpe.post(inform(serial), headers)
      return (
        await cpe.post(inform(serial), { ...headers, ...digestFor(challenge, { username: id(serial), password }) })
      ).status
    }
    const statuses: number[] = []
    for (let i = 0; i < 6; i++) statuses.push(await come(`made-up-${i}`, ENROLMENT_SECRET, from))
    expect(statuses).toEqual([200, 200, 503, 503, 503, 503])
    expect(world.stores.inside.devices.size).toBe(2)
    const login = { username: id('1'), password: 'secret' }
    world.credentials.set(id('1'), { deviceId: id('1'), current: login, connectionRequest: login, updatedAt: 0 })
    expect(await come('1', 'secret', from)).toBe(200)
    expect(await come('new', ENROLMENT_SECRET, { 'x-forwarded-for': '203.0.113.2' })).toBe(200)
  })
})
