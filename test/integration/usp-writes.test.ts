import { beforeEach, describe, expect, it } from 'vitest'
import type { OperationRequest, OperationResult } from '../../src/domain/index.ts'
import { responseMsg } from '../../src/usp/wire/index.ts'
import { OddAgent } from '../support/odd-agent.ts'
import { values } from '../support/raw-agent.ts'
import {
  ADD,
  agent,
  asked,
  IDENTITY,
  ids,
  OPERATE,
  run,
  speakBy,
  TABLE,
  UPTIME,
  withAgent,
  world,
} from '../support/usp-agent-run.ts'
import { CONTROLLER_ID } from '../support/usp-controller.ts'

withAgent()

describe('a subscribe', () => {
  const SUBSCRIBE: OperationRequest = {
    verb: 'subscribe',
    id: 'mine',
    notifType: 'ValueChange',
    paths: [UPTIME],
    enable: true,
  }

  it('leaves the row of another Controller with the same ID alone, and notes its own row before the send', async () => {
    const noted: unknown[] = []
    const result = run(SUBSCRIBE, { beforeSend: async (baseline) => void noted.push(baseline) })
    const { msgId } = await agent.takeRequest('get')
    const resolved_path = 'Device.LocalAgent.Subscription.4.'
    const result_params = {
      ID: 'mine',
      Recipient: 'Device.LocalAgent.Controller.2',
      NotifType: 'ValueChange',
      ReferenceList: UPTIME,
    }
    const found = {
      requested_path: '',
      err_code: 0,
      err_msg: '',
      resolved_path_results: [{ resolved_path, result_params }],
    }
    agent.send(responseMsg(msgId, 'get_resp', { req_path_results: [found] }))
    agent.send(
      responseMsg((await agent.takeRequest('get_instances')).msgId, 'get_instances_resp', { req_path_results: [] }),
    )
    const added = await agent.takeRequest('add')
    const oper_success = { instantiated_path: 'Device.LocalAgent.Subscription.5.', param_errs: [], unique_keys: {} }
    const created = { requested_path: 'Device.LocalAgent.Subscription.', oper_status: { oper_success } }
    agent.send(responseMsg(added.msgId, 'add_resp', { created_obj_results: [created] }))
    expect(await result).toMatchObject({ outcome: 'done' })
    expect(noted).toEqual([
      { instances: [], recipient: expect.stringMatching(/^Device\.LocalAgent\.Controller\.\d+\.$/) },
    ])
  })

  it('is no success when the table may not be read: the row may be there', async () => {
    const result = run({ ...SUBSCRIBE, enable: false })
    const { msgId } = await agent.takeRequest('get')
    const refused = { requested_path: '', err_code: 7006, err_msg: 'no permission', resolved_path_results: [] }
    agent.send(responseMsg(msgId, 'get_resp', { req_path_results: [refused] }))
    expect(await result).toMatchObject({ outcome: 'failed', error: { code: '7006' } })
  })

  it('takes a row that does not persist for one', async () => {
    agent.answer = ({ msgId, name }) => {
      if (name === 'get') return responseMsg(msgId, 'get_resp', { req_path_results: [] })
      if (name === 'get_instances') return responseMsg(msgId, 'get_instances_resp', { req_path_results: [] })
      if (name !== 'add') return undefined
      const param_errs = [{ param: 'Persistent', err_code: 7013, err_msg: 'never' }]
      const oper_success = { instantiated_path: 'Device.LocalAgent.Subscription.5.', param_errs, unique_keys: {} }
      const created = { requested_path: 'Device.LocalAgent.Subscription.', oper_status: { oper_success } }
      return responseMsg(msgId, 'add_resp', { created_obj_results: [created] })
    }
    expect(await run(SUBSCRIBE)).toMatchObject({ outcome: 'done' })
    const [added] = asked().filter((request) => request.name === 'add' && JSON.stringify(request.body).includes('mine'))
    const settings = added?.name === 'add' ? added.body.create_objs[0]?.param_settings : []
    expect(settings?.filter(({ required }) => !required).map(({ param }) => param)).toEqual([
      'Persistent',
      'NotifRetry',
    ])
  })
})

describe('a Set', () => {
  const object = 'Device.WiFi.SSID.1.'
  const request: OperationRequest = {
    verb: 'set',
    values: [
      { path: `${object}SSID`, value: 'new' },
      { path: `${object}Enable`, value: 'true', required: false },
    ],
  }

  it('says of each parameter whether it is required; what is not may fail, and an answer that passes it over is no success', async () => {
    const param_errs = [{ param: 'Enable', err_code: 7012, err_msg: 'no' }]
    for (const errors of [param_errs, []]) {
      const result = run(request)
      const { msgId, body } = await agent.takeRequest('set')
      expect(body.update_objs[0]?.param_settings).toEqual([
        { param: 'SSID', value: 'new', required: true },
        { param: 'Enable', value: 'true', required: false },
      ])
      const one = { affected_path: object, param_errs: errors, updated_params: { SSID: 'new' } }
      const oper_status = { oper_success: { updated_inst_results: [one] } }
      agent.send(responseMsg(msgId, 'set_resp', { updated_obj_results: [{ requested_path: object, oper_status }] }))
      expect(await result).toMatchObject({
        outcome: 'done',
        results: expect.arrayContaining([
          { path: `${object}SSID`, value: 'new', type: 'string' },
          { path: `${object}Enable`, optional: true, error: expect.anything() },
        ]),
      })
    }
  })
})

it('a Set is no success for a value that the answer passes over, unless that value may not be read', async () => {
  const object = 'Device.WiFi.AccessPoint.1.Security.'
  const set = (name: string): OperationRequest => ({ verb: 'set', values: [{ path: object + name, value: 'v' }] })
  const outcomes = []
  for (const name of ['ModeEnabled', 'KeyPassphrase']) {
    const result = run(set(name))
    const { msgId } = await agent.takeRequest('set')
    const one = { affected_path: object, param_errs: [], updated_params: {} }
    const oper_status = { oper_success: { updated_inst_results: [one] } }
    agent.send(responseMsg(msgId, 'set_resp', { updated_obj_results: [{ requested_path: object, oper_status }] }))
    outcomes.push(await result)
  }
  expect(outcomes).toMatchObject([
    { outcome: 'failed', results: [{ path: `${object}ModeEnabled`, error: { code: 'protocol' } }] },
    { outcome: 'done', results: [] },
  ])
})

it('an Add carries several rows, and results of one table belong to them by their order', async () => {
  const result = run({
    verb: 'add',
    object: TABLE,
    values: { ExternalPort: '1' },
    optional: ['ExternalPort'],
    more: [{ object: TABLE, values: { ExternalPort: '2' } }],
  })
  const before = await agent.takeRequest('get_instances')
  expect(before.body.obj_paths).toEqual([TABLE])
  agent.send(responseMsg(before.msgId, 'get_instances_resp', { req_path_results: [] }))
  const { msgId, body } = await agent.takeRequest('add')
  expect(body.create_objs.map(({ param_settings }) => param_settings)).toEqual([
    [{ param: 'ExternalPort', value: '1', required: false }],
    [{ param: 'ExternalPort', value: '2', required: true }],
  ])
  const refused = [{ param: 'ExternalPort', err_code: 7012, err_msg: 'no' }]
  const made = [refused, []].map((param_errs, n) => ({
    requested_path: TABLE,
    oper_status: { oper_success: { instantiated_path: `${TABLE}${n + 5}.`, param_errs, unique_keys: {} } },
  }))
  agent.send(responseMsg(msgId, 'add_resp', { created_obj_results: made }))
  expect(await result).toMatchObject({
    outcome: 'done',
    results: [
      { created: `${TABLE}5.` },
      { path: `${TABLE}5.ExternalPort`, optional: true, error: { code: '7012' } },
      { created: `${TABLE}6.` },
      { path: `${TABLE}6.ExternalPort`, value: '2' },
    ],
  })
})

it('an Add whose results come in another order gives each row its own values', async () => {
  const SSIDS = 'Device.WiFi.SSID.'
  const more = [{ object: TABLE, values: { ExternalPort: '2' } }]
  const result = run({ verb: 'add', object: SSIDS, values: { SSID: 'a' }, more })
  const before = await agent.takeRequest('get_instances')
  agent.send(responseMsg(before.msgId, 'get_instances_resp', { req_path_results: [] }))
  const { msgId } = await agent.takeRequest('add')
  const made = [TABLE, SSIDS].map((table) => ({
    requested_path: table,
    oper_status: { oper_success: { instantiated_path: `${table}5.`, param_errs: [], unique_keys: {} } },
  }))
  agent.send(responseMsg(msgId, 'add_resp', { created_obj_results: made }))
  expect(await result).toMatchObject({
    outcome: 'done',
    results: [
      { path: SSIDS, created: `${SSIDS}5.` },
      { path: `${SSIDS}5.SSID`, value: 'a' },
      { path: TABLE, created: `${TABLE}5.` },
      { path: `${TABLE}5.ExternalPort`, value: '2' },
    ],
  })
})

it('an Add tells the unique keys of the new row', async () => {
  const result = run(ADD)
  agent.send(
    responseMsg((await agent.takeRequest('get_instances')).msgId, 'get_instances_resp', { req_path_results: [] }),
  )
  const { msgId } = await agent.takeRequest('add')
  const oper_success = { instantiated_path: `${TABLE}3.`, param_errs: [], unique_keys: { Alias: 'cpe-3' } }
  const created = { requested_path: TABLE, oper_status: { oper_success } }
  agent.send(responseMsg(msgId, 'add_resp', { created_obj_results: [created] }))
  expect(await result).toMatchObject({
    results: [{ path: TABLE, created: `${TABLE}3.`, keys: { Alias: 'cpe-3' } }, {}],
  })
})

describe('the Controller row of this server', () => {
  const OWN = 'Device.LocalAgent.Controller.2.'
  const set = (path: string, value: string, mayLockOut?: boolean): OperationRequest => ({
    verb: 'set',
    values: [{ path, value }],
    ...(mayLockOut === undefined ? {} : { mayLockOut }),
  })
  const del = (path: string): OperationRequest => ({ verb: 'delete', paths: [path] })

  beforeEach(async () => {
    const device = new OddAgent({ ...IDENTITY, serial: 'S7' }, CONTROLLER_ID, { supported: () => 7006 })
    const one = await world.connect('os::00256D-S7')
    one.answer = (request) => device.answer(request)
    one.hello()
    speakBy(one, await world.contact())
    agent.answer = () => undefined
  })

  it.each([
    del(OWN),
    del('Device.LocalAgent.Controller.*.'),
    del('Device.LocalAgent.Controller.[EndpointID=="a].b"].'),
    del(`${OWN}MTP.3.`),
    set(`${OWN}Enable`, 'false'),
    set(`${OWN}MTP.1.Enable`, '0'),
    set('Device.LocalAgent.Controller.*.MTP.*.Enable', 'false'),
    set(`${OWN}EndpointID`, 'self::another'),
    set(`${OWN}MTP.1.WebSocket.Path`, '/usp'),
    set(`${OWN}MTP.1.WebSocket.Host`, 'elsewhere.example'),
    set(`${OWN}MTP.1.WebSocket.Port`, '1'),
    set(`${OWN}MTP.1.WebSocket.EnableEncryption`, 'true'),
    set(`${OWN}MTP.1.Protocol`, 'MQTT'),
    set('Device.LocalAgent.Controller.*.MTP.[Protocol=="WebSocket"].WebSocket.Path', '/usp'),
    set('Device.LocalAgent.Subscription.1.Recipient+.Enable', 'false'),
    set('Device.LocalAgent.Subscription.*.Recipient#1+.EndpointID', 'self::another'),
    set('Device.LocalAgent.Subscription.[ID=="a"].Recipient#*+.MTP.1.WebSocket.Port', '1'),
    set('Device.BulkData.Profile.1.Controller+.MTP.*.Enable', 'false'),
    del('Device.LocalAgent.Subscription.1.Recipient+.MTP.1.'),
    del('Device.LocalAgent.Subscription.1.Recipient+.MTP.[Enable==true].'),
  ])('is not taken away unless the request says so: %o', async (request) => {
    const before = agent.inbox.length
    expect(await run(request)).toMatchObject({ outcome: 'failed', error: { code: 'lockout' } })
    expect(agent.inbox).toHaveLength(before)
  })

  it.each([
    set(`${OWN}Enable`, 'false', true),
    set(`${OWN}Enable`, 'true'),
    set(`${OWN}PeriodicNotifInterval`, '0'),
    set(`${OWN}MTP.1.WebSocket.Path`, '/usp', true),
    set(`${OWN}MTP.1.WebSocket.KeepAliveInterval`, '90'),
    set('Device.LocalAgent.Controller.1.MTP.1.WebSocket.Host', 'elsewhere.example'),
    set('Device.LocalAgent.Controller.1.Enable', 'false'),
    set('Device.LocalAgent.Subscription.1.Recipient+.Enable', 'false', true),
    set('Device.LocalAgent.Subscription.1.Recipient+.PeriodicNotifInterval', '60'),
    set('Device.LocalAgent.Subscription.1.Enable', 'false'),
    set('Device.LocalAgent.Subscription.[Recipient+.Enable==true].NotifRetry', 'false'),
    del('Device.LocalAgent.Subscription.1.Recipient+.BootParameter.1.'),
    del('Device.LocalAgent.Controller.1.'),
    del(`${OWN}BootParameter.1.`),
  ])('and other writes leave: %o', async (request) => {
    const result = run(request)
    const { msgId } = await agent.takeRequest(request.verb === 'set' ? 'set' : 'delete')
    agent.send({ msgId, kind: 'error', body: { err_code: 7006, err_msg: 'no', param_errs: [] } })
    expect(await result).toMatchObject({ error: { code: '7006' } })
  })
})

describe('a download', () =>
  it.each([
    ['the pointer names', 'Device.DeviceInfo.FirmwareImage.1', ['Available', 'NoImage'], 2],
    ['its Status names, where there is no pointer', undefined, ['Active', 'Available'], 2],
    ['is there, where it is the only one', 'Device.DeviceInfo.FirmwareImage.1', ['Active'], 1],
  ])('goes into the bank beside the running one that %s', async (_name, active, states, bank) => {
    const result = run({ verb: 'download', url: 'http://files/1' } as OperationRequest)
    const { msgId } = await agent.takeRequest('get')
    const shown = Object.fromEntries(
      states.map((state, i) => [`Device.DeviceInfo.FirmwareImage.${i + 1}.Status`, state]),
    )
    if (active !== undefined) shown['Device.DeviceInfo.ActiveFirmwareImage'] = active
    agent.send(responseMsg(msgId, 'get_resp', values(shown)))
    const { msgId: asks, body } = await agent.takeRequest('operate')
    expect(body.command).toBe(`Device.DeviceInfo.FirmwareImage.${bank}.Download()`)
    const operation_results = [{ executed_command: body.command, req_obj_path: 'Device.LocalAgent.Request.1.' }]
    agent.send(responseMsg(asks, 'operate_resp', { operation_results }))
    expect(await result).toMatchObject({ outcome: 'pending' })
  }))

it('a diagnostic gets the arguments that it must have and nobody chose', async () => {
  const result = run({
    verb: 'operate',
    command: 'Device.IP.Diagnostics.IPPing()',
    input: { Host: 'h', NumberOfRepetitions: '9' },
  })
  const { msgId, body } = await agent.takeRequest('operate')
  expect(body.input_args).toEqual({
    Host: 'h',
    NumberOfRepetitions: '9',
    ProtocolVersion: 'Any',
    Timeout: '5000',
    DataBlockSize: '56',
  })
  agent.send({ msgId, kind: 'error', body: { err_code: 7022, err_msg: 'no', param_errs: [] } })
  expect(await result).toMatchObject({ error: { code: '7022' } })
})

describe('an Operate', () => {
  it.each([
    ['that runs on is pending until OperationComplete', { req_obj_path: 'Device.LocalAgent.Request.1.' }, 'pending'],
    ['that has ended is done', { req_output_args: { output_args: { A: '1' } } }, 'done'],
  ])('%s, and carries the id of its operation', async (_name, answer, outcome) => {
    const result = run(OPERATE)
    const { msgId, body } = await agent.takeRequest('operate')
    expect(body).toMatchObject({ command_key: `op-${ids}`, send_resp: true, input_args: { DelaySeconds: '1' } })
    const operation_results = [{ executed_command: 'Device.ScheduleTimer()', ...answer }]
    agent.send(responseMsg(msgId, 'operate_resp', { operation_results }))
    expect(await result).toMatchObject({ outcome })
  })

  const row = (n: number) => `Device.WiFi.SSID.${n}.X_T()`
  const accepted = { req_obj_path: 'Device.LocalAgent.Request.1.' }
  const ended = (R: string) => ({ req_output_args: { output_args: { R } } })
  const cmd_failure = { err_code: 7005, err_msg: 'busy' }
  it.each([
    [
      'accepted',
      [accepted, accepted],
      {
        outcome: 'pending',
        results: [
          { path: row(1), pending: true },
          { path: row(2), pending: true },
        ],
      },
    ],
    [
      'refused once',
      [{ cmd_failure }, accepted],
      {
        outcome: 'pending',
        results: [
          { path: row(1), error: { code: '7005' } },
          { path: row(2), pending: true },
        ],
      },
    ],
    [
      'over',
      [ended('a'), ended('b')],
      {
        outcome: 'done',
        results: [
          { path: row(1), output: { R: 'a' } },
          { path: row(2), output: { R: 'b' } },
        ],
      },
    ],
  ])('over a search path tells the outcome of each row: %s', async (_name, answers, expected) => {
    const result = run({ verb: 'operate', command: 'Device.WiFi.SSID.*.X_T()', input: {} })
    const { msgId } = await agent.takeRequest('operate')
    const operation_results = answers.map((answer, n) => ({ executed_command: row(n + 1), ...answer }))
    agent.send(responseMsg(msgId, 'operate_resp', { operation_results }))
    expect(await result).toMatchObject(expected)
  })
})

it('an Operate keeps 1 MB of its output, as OperationComplete does', async () => {
  const result = run(OPERATE)
  const { msgId, body } = await agent.takeRequest('operate')
  const long = 'x'.repeat(700_000)
  const results = [
    { A: long, B: 'small' },
    { C: long, D: 'late' },
  ].map((output_args) => ({
    executed_command: body.command,
    req_output_args: { output_args },
  }))
  agent.send(responseMsg(msgId, 'operate_resp', { operation_results: results }))
  const { outcome, output = {} } = (await result) as OperationResult
  expect(outcome).toBe('done')
  expect(Object.keys(output)).toEqual(['A', 'B', 'C'])
  expect(output.A).toBe(long)
  expect(output.C?.endsWith('x\u2026')).toBe(true)
  expect(Object.values(output).join('').length).toBeLessThanOrEqual(1024 * 1024)
})
