import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { untilPeriodicMs } from '../../../src/usp/agent/periodic.ts'
import type { UspAgent } from '../../../src/usp/index.ts'
import { loadWireTypes } from '../../../src/usp/wire/protobuf.ts'
import { addController, agentOver, BOOT, gatewayModel, settingsOf, subscribe } from '../../support/agent-world.ts'
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts'
import type { MemoryAgentModel } from '../../support/memory-agent-model.ts'
import { ScriptedController } from '../../support/scripted-controller.ts'
import { until } from '../../support/until.ts'

/** The machine may be busy. */
const SSID = 'Device.WiFi.SSID.1.'

let controller: ScriptedController
let model: MemoryAgentModel
let agent: UspAgent
let clock: ManualClock
let row: string
beforeEach(async () => {
  controller = await ScriptedController.start()
  model = await gatewayModel()
  clock = createManualClock()
  row = await addController(model, controller)
  agent = agentOver(model, clock)
})
afterEach(async () => {
  agent.stop(false)
  await controller.stop()
})

async function onboarded(): Promise<void> {
  agent.start(BOOT)
  await controller.notified(({ on_board_req }) => on_board_req !== undefined)
}
const set = (obj_path: string, values: Record<string, string>) =>
  controller.ask('set', { allow_partial: false, update_objs: [{ obj_path, param_settings: settingsOf(values) }] })
const operate = (command: string, input_args: Record<string, string> = {}) =>
  controller.ask('operate', { command, command_key: 'k', send_resp: true, input_args })

describe('Records to an Agent', () => {
  /** A Record with session context. */
  const session = (payload_security: number) =>
    loadWireTypes()
      .record.encode({
        version: '1.4',
        to_id: controller.agentId,
        from_id: controller.endpointId,
        payload_security,
        session_context: { session_id: 7, sequence_id: 1, expected_id: 1 },
      })
      .finish()

  it.each([
    ['with session context', 0, 7106],
    ['with TLS inside', 1, 7102],
  ])('%s are refused, and the Agent connects again (R-MTP.8)', async (_name, security, code) => {
    await onboarded()
    controller.sendBytes(session(security))
    await controller.heard()
    expect(controller.goodbyes).toEqual([code])
    expect(controller.records.filter((kind) => kind !== 'noSession')).toEqual([
      'websocketConnect',
      'disconnect',
      'websocketConnect',
    ])
  })

  it('that are none end the link', async () => {
    await onboarded()
    controller.sendBytes(Uint8Array.of(255, 255))
    await until(() => !agent.connected)
  })

  it('with a version of the future are answered', async () => {
    await onboarded()
    const reply = await controller.ask('get_supported_protocol', { controller_supported_protocol_versions: '9.9' })
    expect(reply).toMatchObject({ body: { agent_supported_protocol_versions: '1.0,1.1,1.2,1.3,1.4' } })
  })
})

describe('requests of a Controller', () => {
  it.each(['register', 'deregister', 'notify'] as const)('%s is none to an Agent: 7001 (R-MSG.1)', async (name) => {
    await onboarded()
    const bodies = {
      register: { allow_partial: true, reg_paths: [{ path: 'Device.X.' }] },
      deregister: { paths: [''] },
      notify: { subscription_id: '', send_resp: true, obj_deletion: { obj_path: 'Device.X.' } },
    }
    expect(await controller.ask(name, bodies[name])).toMatchObject({ kind: 'error', body: { err_code: 7001 } })
  })

  it('are not begun twice while they are under way (R-MSG.4)', async () => {
    await onboarded()
    for (let i = 0; i < 3; i++)
      controller.request(
        'add',
        { allow_partial: false, create_objs: [{ obj_path: 'Device.NAT.PortMapping.', param_settings: [] }] },
        'same',
      )
    await controller.heard()
    expect(await model.instances('Device.NAT.PortMapping.')).toHaveLength(1)
  })

  it('are bounded: those too many at once are refused with 7005', async () => {
    await onboarded()
    let free = () => {}
    const blocked = new Promise<void>((resolve) => {
      free = resolve
    })
    const supported = model.supported.bind(model)
    model.supported = () => blocked.then(supported)
    const get = { param_paths: [`${SSID}SSID`], max_depth: 0 }
    for (let i = 0; i < 256; i++) controller.request('get', get)
    expect(await controller.ask('get', get)).toMatchObject({ kind: 'error', body: { err_code: 7005 } })
    free()
    await until(async () => (await controller.ask('get', get)).kind === 'response')
  })

  it('get 7005 for a response that the Controller could not read', async () => {
    await onboarded()
    const ask = (times: number) =>
      controller.ask('get', { param_paths: Array<string>(times).fill('Device.WiFi.SSID.'), max_depth: 0 })
    expect(await ask(8000)).toMatchObject({ kind: 'error', body: { err_code: 7005 } })
    expect(await ask(8)).toMatchObject({ kind: 'response' })
  })

  it('of two Controllers are answered in turn, and those of one that asks for much hold up no other', async () => {
    const other = await ScriptedController.start('proto::other')
    await addController(model, other)
    await onboarded()
    await other.notified(({ on_board_req }) => on_board_req !== undefined)
    const order: string[] = []
    let free = () => {}
    const blocked = new Promise<void>((resolve) => {
      free = resolve
    })
    const supported = model.supported.bind(model)
    model.supported = () => blocked.then(supported)
    const ask = (from: ScriptedController) =>
      from.ask('get', { param_paths: [`${SSID}SSID`], max_depth: 0 }).then(({ kind }) => {
        order.push(kind === 'response' ? from.endpointId : kind)
      })
    const many = Array.from({ length: 257 }, () => ask(controller))
    const few = Array.from({ length: 257 }, () => ask(other))
    await until(() => order.filter((kind) => kind === 'error').length === 2)
    free()
    await Promise.all([...many, ...few])
    const answered = order.filter((kind) => kind !== 'error')
    const lead = answered.map((_, i) => {
      const own = answered.slice(0, i + 1).filter((id) => id === other.endpointId).length
      return Math.abs(i + 1 - 2 * own)
    })
    // Answers of two links may be read in another order than they were sent in.
    expect(Math.max(...lead)).toBeLessThan(64)
    await other.stop()
  })

  it('that read pass between the parts of a large Add with allow_partial, and that is one request', async () => {
    await onboarded()
    const order: string[] = []
    const addEach = vi.spyOn(model, 'addEach')
    const create_objs = Array.from({ length: 1000 }, (_, i) => ({
      obj_path: 'Device.NAT.PortMapping.',
      param_settings: settingsOf({ ExternalPort: String(i + 1), Protocol: 'TCP' }),
    }))
    const added = controller.ask('add', { allow_partial: true, create_objs }).then((msg) => {
      order.push('added')
      return msg
    })
    await controller.ask('get', { param_paths: [`${SSID}SSID`], max_depth: 0 }).then(() => order.push('read'))
    await set(SSID, { SSID: 'after' }).then(() => order.push('set'))
    expect(await added).toMatchObject({ kind: 'response' })
    expect(order).toEqual(['read', 'added', 'set'])
    expect(addEach.mock.calls.map(([rows]) => rows.length)).toEqual(Array.from({ length: 20 }, () => 50))
    expect(await model.instances('Device.NAT.PortMapping.')).toHaveLength(1000)
  })

  it('ignore arguments that the command does not have (R-OPR.6)', async () => {
    await onboarded()
    const args: Record<string, string>[] = []
    model.run = async (call) => {
      args.push({ ...call.args })
      return { output: {} }
    }
    await operate('Device.ScheduleTimer()', { DelaySeconds: '5', Nonsense: '1' })
    await until(() => args.length === 1)
    expect(args).toEqual([{ DelaySeconds: '5' }])
  })
})

describe('the link of an Agent', () => {
  it('is opened anew by Reset() of its WebSocket', async () => {
    await onboarded()
    const [mtp = ''] = await model.instances(`${row}MTP.`)
    await operate(`${mtp}WebSocket.Reset()`)
    await controller.connected(2)
    expect(controller.records).toContain('disconnect')
  })

  it('brings Boot! when the model that could not be read can be read again, once', async () => {
    await onboarded()
    await subscribe(controller, 'boot', 'Event', 'Device.Boot!', { Persistent: 'true' })
    agent.stop(true)
    const instances = model.instances.bind(model)
    let fails = 2
    model.instances = async (table) => {
      if (table.endsWith('BootParameter.') && fails-- > 0) throw new Error('the device does not answer')
      return instances(table)
    }
    agent.start(BOOT)
    await controller.connected(2)
    const boots = () => controller.notifies.filter(({ notify }) => notify.event?.event_name === 'Boot!').length
    await until(() => {
      clock.advance(5000)
      return boots() > 0
    })
    clock.advance(60_000)
    await controller.heard()
    expect(boots()).toBe(1)
  })

  it('brings changes that happened while the model could not be read', async () => {
    await onboarded()
    await subscribe(controller, 'ssid', 'ValueChange', `${SSID}SSID`)
    const supported = model.supported.bind(model)
    let fails = 3
    model.supported = async () => {
      if (fails-- > 0) throw new Error('the device does not answer')
      return supported()
    }
    model.put(`${SSID}SSID`, 'new')
    await until(() => {
      clock.advance(5000)
      return controller.notifies.some(({ notify }) => notify.value_change?.param_value === 'new')
    })
  })
})

describe('Periodic!', () => {
  it.each([
    [0, undefined, 60_000],
    [10_000, 0, 50_000],
    [60_000, 0, 60_000],
    [130_000, 10_000, 60_000],
    [0, 10_000, 10_000],
    [0, 130_000, 10_000],
  ])('at %i with PeriodicNotifTime %s is due in %i', (now, time, due) => {
    expect(untilPeriodicMs(now, 60, time)).toBe(due)
  })

  it('is due at PeriodicNotifTime, also after a restart', async () => {
    await onboarded()
    await subscribe(controller, 'time', 'Event', 'Device.LocalAgent.Periodic!', { Persistent: 'true' })
    const at = new Date(clock.now() + 20_000).toISOString()
    await set(row, { PeriodicNotifTime: at })
    agent.stop(true)
    agent.start(BOOT)
    await controller.connected(2)
    await controller.heard()
    const count = () => controller.notifies.filter(({ notify }) => notify.event?.event_name === 'Periodic!').length
    clock.advance(19_000)
    await controller.heard()
    expect(count()).toBe(0)
    clock.advance(1000)
    await until(() => count() === 1)
  })
})

it('an Agent that is idle has one timer for each Controller, however many subscriptions it has', async () => {
  await onboarded()
  for (let i = 0; i < 5; i++) await subscribe(controller, `s${i}`, 'ValueChange', 'Device.WiFi.')
  await controller.heard()
  // Periodic! of its one Controller; the OnBoardRequest is acknowledged.
  expect(clock.timers).toBe(1)
})
