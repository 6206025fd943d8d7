import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deviceIdOf, type Operation } from '../../src/domain/index.ts'
import type { OperationsEngine } from '../../src/operations/index.ts'
import { responseMsg } from '../../src/usp/wire/index.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import { createMemoryStores, type MemoryStores } from '../support/memory-stores.ts'
import { OddAgent } from '../support/odd-agent.ts'
import { createRoom } from '../support/operations-world.ts'
import type { RawAgent, RequestOf } from '../support/raw-agent.ts'
import { until } from '../support/until.ts'
import { CONTROLLER_ID, startController, type TestController } from '../support/usp-controller.ts'

const IDENTITY = { oui: '00256D', productClass: 'Box', serial: 'S1' }
const ID = deviceIdOf(IDENTITY)
const COMMAND = 'Device.ScheduleTimer()'

let clock: ManualClock
let stores: MemoryStores
let room: OperationsEngine
let world: TestController

/** The server, or the one after it over what it left behind. */
async function serve(instance: string): Promise<void> {
  room = createRoom(stores, clock, { instance })
  world = await startController({ upward: room, instance }, { clock, stores })
  room.setDrivers([world.controller.driver])
  await room.start()
}
beforeEach(async () => {
  clock = createManualClock()
  stores = createMemoryStores(clock)
  await serve('a')
})
afterEach(async () => {
  await world.stop()
  await room.stop()
})

async function join(): Promise<RawAgent> {
  const device = new OddAgent(IDENTITY, CONTROLLER_ID, { supported: () => 7006 })
  const before = stores.inside.devices.get(ID)?.usp?.connectedAt
  clock.advance(1000)
  const agent = await world.connect('os::00256D-S1')
  agent.answer = (request) => device.answer(request)
  agent.hello()
  await until(() => {
    const usp = stores.inside.devices.get(ID)?.usp
    return usp?.linked === true && usp.connectedAt !== before && usp.onboardedFor === '1.0'
  })
  return agent
}
const submit = (): Promise<Operation> =>
  room.submit({
    deviceId: ID,
    request: { verb: 'operate', command: COMMAND, input: { DelaySeconds: '1' } },
    actor: { kind: 'apiKey', id: 'test' },
  })
const state = (id: string) => stores.inside.operations.get(id)
function accept(agent: RawAgent, { msgId }: RequestOf<'operate'>): void {
  const operation_results = [{ executed_command: COMMAND, req_obj_path: 'Device.LocalAgent.Request.1.' }]
  agent.send(responseMsg(msgId, 'operate_resp', { operation_results }))
}
/** The end of the command, acknowledged. */
async function complete(agent: RawAgent, command_key: string): Promise<void> {
  const output = { req_output_args: { output_args: { Left: '0' } } }
  const oper_complete = { obj_path: 'Device.', command_name: 'ScheduleTimer()', command_key, ...output }
  await agent.takeReply(agent.notify({ subscription_id: 'isthmus-complete', send_resp: true, oper_complete }))
}

describe('an asynchronous command over USP', () => {
  it('may end before it is accepted', async () => {
    const agent = await join()
    const { id } = await submit()
    const request = await agent.takeRequest('operate')
    expect(request.body).toMatchObject({ command: COMMAND, command_key: id, send_resp: true })
    await complete(agent, id)
    expect(state(id)).toMatchObject({ state: 'done', result: { output: { Left: '0' } } })
    accept(agent, request)
    await agent.heard()
    await complete(agent, id)
    expect(state(id)).toMatchObject({ state: 'done', result: { output: { Left: '0' } } })
  })

  it('ends over the next link', async () => {
    const agent = await join()
    const { id } = await submit()
    accept(agent, await agent.takeRequest('operate'))
    await until(() => state(id)?.result?.outcome === 'pending')
    agent.socket.terminate()
    const again = await join()
    await complete(again, id)
    expect(state(id)).toMatchObject({ state: 'done', result: { output: { Left: '0' } } })
    expect(again.inbox.filter((msg) => msg.kind === 'request' && msg.name === 'operate')).toEqual([])
  })

  it('ends over the next link though its answer was lost with the link, and is not sent again', async () => {
    const agent = await join()
    const { id } = await submit()
    await agent.takeRequest('operate')
    agent.socket.terminate()
    await until(() => state(id)?.state === 'unknown')
    const again = await join()
    await complete(again, id)
    expect(state(id)?.state).toBe('done')
    expect(again.inbox.filter((msg) => msg.kind === 'request' && msg.name === 'operate')).toEqual([])
  })

  it('ends with the server after the one that sent it', async () => {
    const agent = await join()
    const { id } = await submit()
    accept(agent, await agent.takeRequest('operate'))
    await until(() => state(id)?.result?.outcome === 'pending')
    await world.stop()
    await room.stop()
    await serve('b')
    const again = await join()
    await complete(again, id)
    expect(state(id)).toMatchObject({ state: 'done', result: { output: { Left: '0' } } })
  })

  it('that failed says why', async () => {
    const agent = await join()
    const { id } = await submit()
    accept(agent, await agent.takeRequest('operate'))
    const cmd_failure = { err_code: 7023, err_msg: 'cancelled' }
    const oper_complete = { obj_path: 'Device.', command_name: 'ScheduleTimer()', command_key: id, cmd_failure }
    await agent.takeReply(agent.notify({ subscription_id: 'isthmus-complete', send_resp: true, oper_complete }))
    expect(state(id)).toMatchObject({ state: 'failed', result: { error: { code: '7023', text: 'cancelled' } } })
  })
})
