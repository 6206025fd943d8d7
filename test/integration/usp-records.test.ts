import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type Log, silentLog } from '../../src/base/index.ts'
import { requestMsg } from '../../src/usp/wire/index.ts'
import { CONTROLLER_ID, startController, type TestController } from '../support/usp-controller.ts'

const EID = 'os::00256D-S1'

let world: TestController
beforeEach(async () => {
  world = await startController()
})
afterEach(() => world.stop())

describe('a Record', () => {
  const register = (msgId: string) => requestMsg(msgId, 'register', { allow_partial: false, reg_paths: [] })
  const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')
  const text = (tag: string, value: string) => `${tag}${Buffer.from([value.length]).toString('hex')}${hexOf(value)}`
  const hexOf = (value: string) => Buffer.from(value).toString('hex')
  /** version, to_id, from_id. */
  const head = text('0a', '1.4') + text('12', CONTROLLER_ID) + text('1a', EID)

  it('for another Controller is ignored without a word', async () => {
    const agent = await world.connect(EID)
    agent.send(register('x'), { toId: 'self::another' })
    await agent.heard()
    expect(agent.inbox).toHaveLength(1)
    expect(agent.socket.readyState).toBe(WebSocket.OPEN)
  })

  it('from another Agent than the link belongs to is ignored without a word', async () => {
    const agent = await world.connect(EID)
    agent.send(register('x'), { fromId: 'os::00256D-S2' })
    await agent.heard()
    expect(agent.inbox).toHaveLength(1)
    expect(world.commits).toEqual([])
  })

  it.each([
    ['without record_type', ''],
    ['with an empty payload', '3a021200'],
    ['with a payload that is no Message', '3a04 1202ffff'],
    ['with a Response that is empty', '3a0c 120a 0a040a027831 12021200'],
    ['with TLS12 and no session context', '2001 4a00'],
    ['with the connect record of MQTT', '5200'],
  ])('%s is ignored, and the link stays', async (_name, rest) => {
    const agent = await world.connect(EID)
    agent.sendBytes(bytes(head + rest))
    await agent.heard()
    expect(agent.inbox).toHaveLength(1)
    expect(agent.socket.readyState).toBe(WebSocket.OPEN)
    expect(world.commits).toEqual([])
  })

  it('that is refused is a line of the log, which many of them do not fill', async () => {
    await world.stop()
    const lines: string[] = []
    const log: Log = { ...silentLog, info: (_, message) => void lines.push(message), child: () => log }
    world = await startController({ log })
    const agent = await world.connect(EID)
    for (let i = 0; i < 200; i++) agent.sendBytes(bytes(`${head}3a021200`))
    await agent.heard()
    expect(lines.filter((line) => line === 'Record refused')).toHaveLength(60)
  })

  it('that cannot be decoded ends the link with 1003', async () => {
    const agent = await world.connect(EID)
    const end = agent.closed()
    agent.sendBytes(bytes('0aff'))
    expect(await end).toBe(1003)
  })

  it('with a Request that has no content is answered with 7004', async () => {
    const agent = await world.connect(EID)
    // msg_id x1, Body.request without a member.
    agent.sendBytes(bytes(`${head}3a0c 120a 0a040a027831 12020a00`))
    expect(await agent.takeReply('x1')).toMatchObject({ kind: 'error', body: { err_code: 7004 } })
  })

  it('with a Request of a kind that nobody knows is answered with 7001', async () => {
    const agent = await world.connect(EID)
    // msg_id x1, Body.request with a member 15.
    agent.sendBytes(bytes(`${head}3a0e 120c 0a040a027831 12040a027a00`))
    expect(await agent.takeReply('x1')).toMatchObject({ kind: 'error', body: { err_code: 7001 } })
  })

  it('with a Request that a Controller does not serve is answered with 7001', async () => {
    const agent = await world.connect(EID)
    agent.send(requestMsg('g', 'get', { param_paths: ['Device.'], max_depth: 0 }))
    expect(await agent.takeReply('g')).toMatchObject({ kind: 'error', body: { err_code: 7001 } })
    agent.send(register('r'))
    expect(await agent.takeReply('r')).toMatchObject({ kind: 'error', body: { err_code: 7001 } })
  })

  it('with a session context is answered with Disconnect 7106', async () => {
    const agent = await world.connect(EID)
    agent.sendBytes(bytes(`${head}4206 0803 1001 1801`))
    expect(await agent.takeRecord()).toMatchObject({ kind: 'disconnect', reasonCode: 7106 })
  })

  it('with a session context that is secured is answered with Disconnect 7102', async () => {
    const agent = await world.connect(EID)
    agent.sendBytes(bytes(`${head}2001 4206 0803 1001 1801`))
    expect(await agent.takeRecord()).toMatchObject({ kind: 'disconnect', reasonCode: 7102 })
    expect(agent.socket.readyState).toBe(WebSocket.OPEN)
  })

  it.each(['1.0', '9.9', ''])('of version %j is taken', async (version) => {
    const agent = await world.connect(EID)
    agent.serve({ oui: '00256D', productClass: 'Box', serial: 'S1' })
    agent.sendBytes(bytes(`${text('0a', version) + text('12', CONTROLLER_ID) + text('1a', EID)}4a00`))
    expect(await world.contact()).toMatchObject({ protocol: 'usp' })
  })

  it('that disconnects leaves the link usable', async () => {
    const agent = await world.connect(EID)
    agent.serve({ oui: '00256D', productClass: 'Box', serial: 'S1' })
    agent.hello()
    await world.contact()
    agent.sendBody({ kind: 'disconnect', reason: 'pause', reasonCode: 0 })
    agent.hello()
    await agent.heard()
    expect(agent.socket.readyState).toBe(WebSocket.OPEN)
  })
})
