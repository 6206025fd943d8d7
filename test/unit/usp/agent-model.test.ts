import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { silentLog, systemRandom } from '../../../src/base/index.ts'
import { dualStackGateway, loadPresetModels } from '../../../src/simulator/index.ts'
import { FULL_ACCESS } from '../../../src/usp/agent/access/access.ts'
import { AgentRequests } from '../../../src/usp/agent/requests.ts'
import { TreeModel } from '../../../src/usp/agent/tree-model.ts'
import {
  AgentError,
  type AgentModel,
  Codec,
  ModelRefusal,
  type ModelWrite,
  UspAgent,
  websocketTransport,
} from '../../../src/usp/index.ts'
import type { Notify } from '../../../src/usp/wire/index.ts'
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts'
import { MemoryAgentModel } from '../../support/memory-agent-model.ts'
import { ScriptedController } from '../../support/scripted-controller.ts'
import { until } from '../../support/until.ts'

const FACTS = {
  manufacturer: 'Acme',
  oui: '00256D',
  productClass: 'Router',
  serial: 'S1',
  modelName: 'H1',
  hardwareVersion: '1',
  softwareVersion: '1.0',
}
const MODELS = loadPresetModels()
const CONTROLLERS = 'Device.LocalAgent.Controller.'
const SSID = 'Device.WiFi.SSID.1.'
const BY = { by: 'Device.LocalAgent.Controller.1.', access: FULL_ACCESS }
const BOOT = { cause: 'LocalReboot', commandKey: '', firmwareUpdated: false }

async function memory(): Promise<MemoryAgentModel> {
  const { usp } = dualStackGateway(FACTS, 'proto::agent', MODELS)
  return MemoryAgentModel.copyOf(new TreeModel(usp, async () => ({ done: Promise.resolve({ output: {} }) })))
}

describe('an Agent over a model that takes its time', () => {
  let controller: ScriptedController
  let model: MemoryAgentModel
  let agent: UspAgent
  let clock: ManualClock
  let row: string
  beforeEach(async () => {
    controller = await ScriptedController.start()
    model = await memory()
    clock = createManualClock()
    row = await addController()
    agent = agentOver(model)
    agent.start(BOOT)
  })
  afterEach(async () => {
    agent.stop(false)
    await controller.stop()
  })

  function agentOver(over: AgentModel): UspAgent {
    return new UspAgent({
      model: over,
      transport: websocketTransport(() => ({})),
      codec: new Codec(),
      endpointId: 'proto::agent',
      identity: FACTS,
      clock,
      wallClock: clock,
      random: { bytes: systemRandom.bytes, fraction: () => 0.5 },
      log: silentLog,
    })
  }

  async function addController(): Promise<string> {
    const role = 'Device.LocalAgent.ControllerTrust.Role.1'
    const values = {
      EndpointID: controller.endpointId,
      Enable: 'true',
      PeriodicNotifInterval: '60',
      AssignedRole: role,
    }
    const [added = ''] = await model.add([{ table: CONTROLLERS, values }], 'agent')
    const websocket = { Host: '127.0.0.1', Port: String(controller.port), Path: '/usp', EnableEncryption: 'false' }
    const mtp: Record<string, string> = { Protocol: 'WebSocket', Enable: 'true' }
    for (const [name, value] of Object.entries(websocket)) mtp[`WebSocket.${name}`] = value
    await model.add([{ table: `${added}MTP.`, values: mtp }], 'agent')
    return added
  }

  const settings = (values: Record<string, string>) =>
    Object.entries(values).map(([param, value]) => ({ param, value, required: true }))
  const set = (obj_path: string, values: Record<string, string>) =>
    controller.ask('set', { allow_partial: false, update_objs: [{ obj_path, param_settings: settings(values) }] })
  const subscribe = (ID: string, NotifType: string, ReferenceList: string, more: Record<string, string> = {}) =>
    controller.ask('add', {
      allow_partial: false,
      create_objs: [
        {
          obj_path: 'Device.LocalAgent.Subscription.',
          param_settings: settings({ ID, NotifType, ReferenceList, Enable: 'true', ...more }),
        },
      ],
    })
  const ids = () => controller.notifies.map(({ notify }) => notify.subscription_id)

  it('connects, onboards, and answers in the order of the requests', async () => {
    await controller.notified(({ on_board_req }) => on_board_req !== undefined)
    const answers = await Promise.all([
      set(SSID, { SSID: 'one' }),
      controller.ask('get', { param_paths: [`${SSID}SSID`], max_depth: 0 }),
      set(SSID, { SSID: 'two' }),
      controller.ask('get', { param_paths: [`${SSID}SSID`], max_depth: 0 }),
    ])
    const read = answers.flatMap((msg) => (msg.kind === 'response' && msg.name === 'get_resp' ? [msg.body] : []))
    expect(read.map(({ req_path_results: [path] }) => path?.resolved_path_results[0]?.result_params.SSID)).toEqual([
      'one',
      'two',
    ])
    expect(model.writesAtOnce).toBe(1)
  })

  it('notifies after the answer to the request that changed something, and of changes of the device itself', async () => {
    await controller.notified(({ on_board_req }) => on_board_req !== undefined)
    await subscribe('value', 'ValueChange', `${SSID}SSID`)
    await subscribe('created', 'ObjectCreation', 'Device.NAT.PortMapping.')
    const added = await controller.ask('add', {
      allow_partial: false,
      create_objs: [{ obj_path: 'Device.NAT.PortMapping.', param_settings: settings({ ExternalPort: '80' }) }],
    })
    expect(added).toMatchObject({ kind: 'response' })
    model.put(`${SSID}SSID`, 'new')
    const { notify } = await controller.notified(({ value_change }) => value_change !== undefined)
    expect(notify.value_change).toEqual({ param_path: `${SSID}SSID`, param_value: 'new' })
    const created = controller.notifies.find(({ notify: { obj_creation } }) => obj_creation !== undefined)?.notify
    expect(created?.obj_creation).toMatchObject({ unique_keys: { ExternalPort: '80' } })
    expect(ids().slice(1)).toEqual(['created', 'value'])
  })

  it('ends a command with OperationComplete and takes its Request row away', async () => {
    await controller.notified(({ on_board_req }) => on_board_req !== undefined)
    let finish: () => void = () => undefined
    model.run = () => new Promise((resolve) => (finish = () => resolve({ output: { Took: '5' } })))
    await subscribe('oc', 'OperationComplete', 'Device.')
    await controller.ask('operate', {
      command: 'Device.ScheduleTimer()',
      command_key: 'k',
      send_resp: true,
      input_args: { DelaySeconds: '5' },
    })
    expect(await model.instances('Device.LocalAgent.Request.')).toHaveLength(1)
    await until(() => {
      finish()
      return ids().includes('oc')
    })
    const ended = (notify: Notify) => notify.oper_complete !== undefined
    expect((await controller.notified(ended)).notify.oper_complete).toMatchObject({
      command_key: 'k',
      req_output_args: { output_args: { Took: '5' } },
    })
    expect(await model.instances('Device.LocalAgent.Request.')).toEqual([])
  })

  it('answers a command that the device does not accept, in a Response', async () => {
    await controller.notified(({ on_board_req }) => on_board_req !== undefined)
    const command = 'Device.FactoryReset()'
    const reply = await controller.ask('operate', { command, command_key: '', send_resp: true, input_args: {} })
    expect(reply).toMatchObject({ body: { operation_results: [{ cmd_failure: { err_code: 7022 } }] } })
  })

  it('leaves when its Controller row is deleted, and deletes the subscriptions of that Controller', async () => {
    await controller.notified(({ on_board_req }) => on_board_req !== undefined)
    await subscribe('value', 'ValueChange', `${SSID}SSID`)
    await controller.ask('delete', { allow_partial: false, obj_paths: [row] })
    await until(() => controller.records.at(-1) === 'disconnect')
    expect(agent.connected).toBe(false)
    await until(async () => (await model.instances('Device.LocalAgent.Subscription.')).length === 0)
  })

  it('restarts in the middle of anything with the subscriptions that persist, and sends Boot!', async () => {
    await controller.notified(({ on_board_req }) => on_board_req !== undefined)
    await subscribe('kept', 'Event', 'Device.Boot!', { Persistent: 'true' })
    await subscribe('lost', 'Event', 'Device.Boot!')
    model.put(`${SSID}SSID`, 'new')
    for (let i = 0; i < 3; i++) {
      agent.stop(true)
      agent.start(BOOT)
    }
    await controller.notified(({ event }) => event?.event_name === 'Boot!')
    await controller.heard()
    expect(ids().filter((id) => id !== '')).toEqual(['kept'])
    expect(await model.instances('Device.LocalAgent.Subscription.')).toHaveLength(1)
  })

  it('comes when a model that failed at its start can be read again', async () => {
    await controller.connected(1)
    agent.stop(false)
    const instances = vi.spyOn(model, 'instances')
    for (let i = 0; i < 2; i++) instances.mockRejectedValueOnce(new Error('the device does not answer'))
    agent.start(BOOT)
    await until(() => {
      clock.advance(5000)
      return agent.connected
    })
    expect(instances.mock.settledResults.filter(({ type }) => type === 'rejected')).toHaveLength(2)
  })

  it('answers with 7003 each path that the device does not answer for, and its own objects as ever', async () => {
    await controller.notified(({ on_board_req }) => on_board_req !== undefined)
    const { get, instances } = model
    const isOwn = (path: string) => path.startsWith('Device.LocalAgent.')
    model.get = (paths) => (paths.every(isOwn) ? get.call(model, paths) : Promise.reject(new Error('no answer')))
    model.instances = (table) => (isOwn(table) ? instances.call(model, table) : Promise.reject(new Error('no answer')))
    const paths = [`${SSID}SSID`, 'Device.DeviceInfo.', `${row}EndpointID`, 'Device.WiFi.SSID.[Enable==true].', 'x..']
    const reply = await controller.ask('get', { param_paths: paths, max_depth: 0 })
    expect(reply).toMatchObject({
      body: { req_path_results: [7003, 7003, 0, 7003, 7008].map((err_code) => ({ err_code })) },
    })
    const rows = { obj_paths: ['Device.WiFi.SSID.', CONTROLLERS], first_level_only: true }
    expect(await controller.ask('get_instances', rows)).toMatchObject({
      body: { req_path_results: [{ err_code: 7003 }, { err_code: 0, curr_insts: [{ instantiated_obj_path: row }] }] },
    })
    expect(await set(SSID, { SSID: 'new' })).toMatchObject({ kind: 'error', body: { err_code: 7003 } })
    expect(await set(row, { PeriodicNotifInterval: '70' })).toMatchObject({ kind: 'response' })
  })

  it('answers with 7003 what the model fails at', async () => {
    await controller.notified(({ on_board_req }) => on_board_req !== undefined)
    vi.spyOn(model, 'supported').mockRejectedValueOnce(new Error('the device does not answer'))
    const reply = await controller.ask('get', { param_paths: [`${SSID}SSID`], max_depth: 0 })
    expect(reply).toMatchObject({ kind: 'error', body: { err_code: 7003, err_msg: 'the device does not answer' } })
  })
})

describe('a write that the device refuses after the checks', () => {
  let model: MemoryAgentModel
  let agent: AgentRequests
  /** The device refuses this parameter. */
  let refused: RegExp
  beforeEach(async () => {
    model = await memory()
    agent = new AgentRequests(model, () => ({}))
    refused = /^$/
    const { set, add } = model
    vi.spyOn(model, 'set').mockImplementation(async (values: readonly ModelWrite[], by) => {
      refuse(values.map(({ path }) => path))
      await set.call(model, values, by)
    })
    vi.spyOn(model, 'add').mockImplementation(async (rows, by) => {
      for (const [row, { table, values }] of rows.entries())
        refuse(
          Object.keys(values).map((name) => `${table}{i}.${name}`),
          row,
        )
      return add.call(model, rows, by)
    })
  })

  function refuse(paths: string[], row?: number): void {
    const problems = paths
      .filter((path) => refused.test(path))
      .map((path) => ({ path, code: 7012, text: 'out of range', ...(row === undefined ? {} : { row }) }))
    if (problems.length > 0) throw new ModelRefusal(problems)
  }

  const value = async (path: string) => (await model.get([path])).get(path)
  const update = (required: boolean) => ({
    obj_path: SSID,
    param_settings: [
      { param: 'SSID', value: 'new', required: false },
      { param: 'Enable', value: 'false', required },
    ],
  })

  it('of a wished parameter is an error beside the others', async () => {
    refused = /Enable$/
    const { updated_obj_results } = await agent.set({ allow_partial: false, update_objs: [update(false)] }, BY)
    expect(updated_obj_results[0]?.oper_status.oper_success?.updated_inst_results).toEqual([
      {
        affected_path: SSID,
        param_errs: [{ param: 'Enable', err_code: 7012, err_msg: 'out of range' }],
        updated_params: { SSID: 'new' },
      },
    ])
    expect(await value(`${SSID}Enable`)).toBe('true')
  })

  it('of a required parameter changes nothing: an Error, or alone when partial', async () => {
    refused = /Enable$/
    const request = { update_objs: [update(true)] }
    await expect(agent.set({ allow_partial: false, ...request }, BY)).rejects.toMatchObject({
      code: 7004,
      errors: [{ param_path: `${SSID}Enable`, err_code: 7012 }],
    })
    const { updated_obj_results } = await agent.set({ allow_partial: true, ...request }, BY)
    expect(updated_obj_results[0]?.oper_status.oper_failure).toMatchObject({ err_code: 7021 })
    expect(await value(`${SSID}SSID`)).toBe('H1-5G')
  })

  it('of one new row adds none, or the others when partial', async () => {
    const row = (Description: string, required: boolean) => ({
      obj_path: 'Device.NAT.PortMapping.',
      param_settings: [
        ...(required ? [{ param: 'Protocol', value: 'TCP', required }] : []),
        { param: 'Description', value: Description, required: false },
      ],
    })
    refused = /Protocol$/
    const create_objs = [row('a', false), row('b', true)]
    await expect(agent.add({ allow_partial: false, create_objs }, BY)).rejects.toMatchObject({ code: 7004 })
    expect(await model.instances('Device.NAT.PortMapping.')).toEqual([])
    const { created_obj_results } = await agent.add({ allow_partial: true, create_objs }, BY)
    expect(created_obj_results.map(({ oper_status }) => oper_status.oper_failure?.err_code)).toEqual([undefined, 7021])
    expect(await model.instances('Device.NAT.PortMapping.')).toEqual(['Device.NAT.PortMapping.1.'])
  })

  it('for a reason that names no parameter ends the request', async () => {
    vi.spyOn(model, 'set').mockRejectedValue(new AgentError(7005, 'the device is busy'))
    const request = { allow_partial: true, update_objs: [update(true)] }
    const { updated_obj_results } = await agent.set(request, BY)
    expect(updated_obj_results[0]?.oper_status.oper_failure).toMatchObject({ err_code: 7005 })
    vi.spyOn(model, 'add').mockRejectedValue(new ModelRefusal([]))
    const creation = { obj_path: 'Device.NAT.PortMapping.', param_settings: [] }
    await expect(agent.add({ allow_partial: false, create_objs: [creation] }, BY)).rejects.toMatchObject({
      code: 7003,
    })
  })
})
