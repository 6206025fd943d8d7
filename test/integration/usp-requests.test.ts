import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Contact,
  type DeviceId,
  deviceIdOf,
  type ExecuteHooks,
  type Operation,
  type OperationRequest,
  type OperationResult,
} from '../../src/domain/index.ts'
import { type Msg, type ResponseName, type Responses, responseMsg } from '../../src/usp/wire/index.ts'
import { settled } from '../support/manual-clock.ts'
import { described as describedAs, OddAgent, supportedObject } from '../support/odd-agent.ts'
import { type RawAgent, values, valuesOf } from '../support/raw-agent.ts'
import { CONTROLLER_ID, startController, type TestController } from '../support/usp-controller.ts'

const IDENTITY = { oui: '00256D', productClass: 'Box', serial: 'S1' }
const UPTIME = 'Device.DeviceInfo.UpTime'
const SSID = 'Device.WiFi.SSID.1.SSID'
const TABLE = 'Device.NAT.PortMapping.'
const GET: OperationRequest = { verb: 'get', paths: [UPTIME] }
const SET: OperationRequest = { verb: 'set', values: [{ path: SSID, value: 'new' }] }
const ADD: OperationRequest = { verb: 'add', object: TABLE, values: { ExternalPort: '80' } }
const DELETE: OperationRequest = { verb: 'delete', paths: [`${TABLE}1.`] }
const OPERATE: OperationRequest = { verb: 'operate', command: 'Device.ScheduleTimer()', input: { DelaySeconds: '1' } }

let world: TestController
let agent: RawAgent
let contact: Contact
let ids = 0

async function join(eid: string, identity: typeof IDENTITY): Promise<[RawAgent, Contact]> {
  const one = await world.connect(eid)
  one.serve(identity)
  one.hello()
  const its = await world.contact()
  one.answer = () => undefined
  return [one, its]
}
beforeEach(async () => {
  world = await startController()
  ;[agent, contact] = await join('os::00256D-S1', IDENTITY)
})
afterEach(() => world.stop())

const hooksOf = (over: Partial<ExecuteHooks>): ExecuteHooks => ({
  beforeSend: async () => undefined,
  signal: new AbortController().signal,
  timeoutMs: 60_000,
  ...over,
})
/**
 * Runs an operation; what it rejects with is a result too, so that nothing is unhandled while the test does other
 * things.
 */
async function run(request: OperationRequest, hooks: Partial<ExecuteHooks> = {}, by = contact) {
  const operation: Operation = {
    id: `op-${++ids}`,
    deviceId: deviceIdOf(IDENTITY),
    request,
    state: 'queued',
    actor: { kind: 'apiKey', id: 'test' },
    createdAt: 0,
    expiresAt: 1,
    attempts: 0,
  }
  try {
    return await by.execute(operation, hooksOf(hooks))
  } catch (error) {
    return { rejected: error }
  }
}
const uptime = (msgId: string, value: string): Msg => responseMsg(msgId, 'get_resp', values({ [UPTIME]: value }))
/** A GetResp with more values than this Controller reads. */
const tooLarge = (msgId: string): Msg => {
  const result_params = Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`P${i}`, 'v']))
  const resolved_path_results = [{ resolved_path: 'Device.Hosts.', result_params }]
  const all = { requested_path: 'Device.', err_code: 0, err_msg: '', resolved_path_results }
  return responseMsg(msgId, 'get_resp', { req_path_results: [all] })
}
const asked = (from = agent) => from.inbox.flatMap((msg) => (msg.kind === 'request' ? [msg] : []))

describe('answers', () => {
  it('belong to the request with their msg_id; others are ignored', async () => {
    const result = run(GET)
    const { msgId } = await agent.takeRequest('get')
    agent.send(uptime('nobody', '1'))
    agent.send(uptime(`${msgId}0`, '2'))
    agent.send({ msgId: '', kind: 'error', body: { err_code: 7000, err_msg: 'no id', param_errs: [] } })
    agent.send(uptime(msgId, '3'))
    agent.send(uptime(msgId, '4'))
    expect(await result).toMatchObject({ outcome: 'done', results: [{ path: UPTIME, value: '3' }] })
  })

  it('of another Agent do not count, though its msg_ids are the same', async () => {
    const [other] = await join('os::00256D-S2', { ...IDENTITY, serial: 'S2' })
    const result = run(GET)
    const { msgId } = await agent.takeRequest('get')
    other.send(uptime(msgId, 'theirs'))
    await other.heard()
    agent.send(uptime(msgId, 'ours'))
    expect(await result).toMatchObject({ results: [{ value: 'ours' }] })
  })

  it('of another kind than was asked are an error of the Agent', async () => {
    const result = run(GET)
    const { msgId } = await agent.takeRequest('get')
    agent.send(responseMsg(msgId, 'set_resp', { updated_obj_results: [] }))
    expect(await result).toMatchObject({ rejected: { name: 'ProtocolError', code: 'wrongAnswer' } })
  })

  it('that are too large to be read end a read at once, and say why', async () => {
    const result = run(GET)
    const { msgId } = await agent.takeRequest('get')
    agent.send(tooLarge(msgId))
    expect(await result).toMatchObject({
      outcome: 'failed',
      error: { code: '7005', text: expect.stringContaining('too large to be read: Msg has more than 100000 fields') },
    })
  })

  it('that cannot be read leave open what a write did', async () => {
    const result = run(OPERATE)
    const { msgId } = await agent.takeRequest('operate')
    const output_args = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`A${i}`, 'v']))
    const one = { executed_command: 'Device.ScheduleTimer()', req_output_args: { output_args } }
    agent.send(responseMsg(msgId, 'operate_resp', { operation_results: [one] }))
    expect(await result).toMatchObject({ rejected: { name: 'ProtocolError', code: 'unreadableAnswer' } })
  })

  it('that are empty end their request at once', async () => {
    const result = run(GET)
    const { msgId } = await agent.takeRequest('get')
    const header = Buffer.concat([Buffer.from([10, msgId.length + 2, 10, msgId.length]), Buffer.from(msgId)])
    agent.sendBody({ kind: 'noSession', payload: Buffer.concat([header, Buffer.from([18, 2, 18, 0])]) })
    expect(await result).toMatchObject({ rejected: { name: 'ProtocolError', code: 'unreadableAnswer' } })
  })

  it('that come too late are not taken for those of the next request', async () => {
    const first = run(OPERATE, { timeoutMs: 20 })
    const late = await agent.takeRequest('operate')
    world.clock.advance(20)
    expect(await first).toMatchObject({ rejected: { name: 'TransportError', code: 'timeout', sent: true } })
    const second = run(OPERATE)
    const { msgId } = await agent.takeRequest('operate')
    const executed = (id: string, cause: string) =>
      responseMsg(id, 'operate_resp', {
        operation_results: [
          { executed_command: 'Device.ScheduleTimer()', req_output_args: { output_args: { Cause: cause } } },
        ],
      })
    agent.send(executed(late.msgId, 'late'))
    agent.send(executed(msgId, 'now'))
    expect(await second).toMatchObject({ outcome: 'done', output: { Cause: 'now' } })
  })

  it('that are an Error are a failure, with the reason of each path', async () => {
    const result = run(SET)
    const { msgId } = await agent.takeRequest('set')
    const param_errs = [{ param_path: SSID, err_code: 7012, err_msg: 'too long' }]
    agent.send({ msgId, kind: 'error', body: { err_code: 7004, err_msg: 'Invalid arguments', param_errs } })
    expect(await result).toMatchObject({
      outcome: 'failed',
      error: { code: '7004', text: 'Invalid arguments' },
      results: [{ path: SSID, error: { code: '7012', text: 'too long' } }],
    })
  })

  it('to a Get name the path that failed and bring the others', async () => {
    const result = run({ verb: 'get', paths: [UPTIME, 'Device.Nope'] })
    const { msgId } = await agent.takeRequest('get')
    const body = values({ [UPTIME]: '7' })
    const wrong = { requested_path: 'Device.Nope', err_code: 7026, err_msg: '', resolved_path_results: [] }
    agent.send(responseMsg(msgId, 'get_resp', { req_path_results: [wrong, ...body.req_path_results] }))
    expect(await result).toMatchObject({
      outcome: 'failed',
      results: [
        { path: 'Device.Nope', error: { code: '7026', text: 'Invalid path' } },
        { path: UPTIME, value: '7', type: 'unsignedInt' },
      ],
    })
  })

  it('of 1.0 Agents with dotted names, and of later ones with an entry per object, are the same', async () => {
    const result = run({ verb: 'get', paths: ['Device.WiFi.'] })
    const { msgId } = await agent.takeRequest('get')
    const resolved_path_results = [
      { resolved_path: 'Device.WiFi.', result_params: { 'SSID.1.SSID': 'old' } },
      { resolved_path: 'Device.WiFi.SSID.2.', result_params: { SSID: 'new' } },
    ]
    const requested = { requested_path: 'Device.WiFi.', err_code: 0, err_msg: '', resolved_path_results }
    agent.send(responseMsg(msgId, 'get_resp', { req_path_results: [requested] }))
    expect(await result).toMatchObject({
      outcome: 'done',
      results: [
        { path: SSID, value: 'old' },
        { path: 'Device.WiFi.SSID.2.SSID', value: 'new' },
      ],
    })
  })
})

describe('an answer to a Get', () => {
  const PRODUCT = 'Device.DeviceInfo.ProductClass'
  const none = (requested_path: string) => ({ requested_path, err_code: 0, err_msg: '', resolved_path_results: [] })

  it('that leaves a path out is a failure of that path', async () => {
    const result = run({ verb: 'get', paths: [UPTIME, PRODUCT] })
    const { msgId } = await agent.takeRequest('get')
    agent.send(uptime(msgId, '7'))
    expect(await result).toMatchObject({
      outcome: 'failed',
      results: [
        { path: PRODUCT, error: { code: 'protocol' } },
        { path: UPTIME, value: '7' },
      ],
    })
  })

  it('that answers one path twice is a failure of the other', async () => {
    const result = run({ verb: 'get', paths: [UPTIME, PRODUCT] })
    const { msgId } = await agent.takeRequest('get')
    const [one] = values({ [UPTIME]: '7' }).req_path_results
    if (one !== undefined) agent.send(responseMsg(msgId, 'get_resp', { req_path_results: [one, one] }))
    expect(await result).toMatchObject({ outcome: 'failed', error: { code: 'protocol' } })
  })

  it('that shows no value of a parameter is a failure, and of an object or a search it is not', async () => {
    const search = 'Device.WiFi.SSID.*.SSID'
    const result = run({ verb: 'get', paths: [UPTIME, 'Device.WiFi.', search] })
    const { msgId } = await agent.takeRequest('get')
    const req_path_results = [none(UPTIME), none('Device.WiFi.'), none(search)]
    agent.send(responseMsg(msgId, 'get_resp', { req_path_results }))
    expect(await result).toMatchObject({ outcome: 'failed', results: [{ path: UPTIME, error: { code: 'noValue' } }] })
  })

  it('that names another path answers none, and its values are ignored', async () => {
    const result = run({ verb: 'get', paths: ['Device.WiFi.'] })
    const { msgId } = await agent.takeRequest('get')
    const resolved_path_results = [{ resolved_path: 'Device.Other.', result_params: { A: '1' } }]
    const req_path_results = [{ ...none('Device.Other.'), resolved_path_results }]
    agent.send(responseMsg(msgId, 'get_resp', { req_path_results }))
    expect(await result).toEqual({
      outcome: 'failed',
      error: expect.objectContaining({ code: 'protocol' }),
      results: [{ path: 'Device.WiFi.', error: expect.objectContaining({ code: 'protocol' }) }],
    })
  })

  it('has only values at and below the paths that were asked', async () => {
    const SEARCHED = 'Device.IP.Interface.*.IPv4Address.[Enable==true].IPAddress'
    const paths = ['Device.WiFi.SSID.', UPTIME, SEARCHED, 'Device.Hosts.Host.*.']
    const result = run({ verb: 'get', paths })
    const { msgId } = await agent.takeRequest('get')
    const shown: Record<string, Record<string, string>> = {
      'Device.WiFi.SSID.': { '1.SSID': 'x', '1.Stats.Bytes': '1', '..': 'x', 'a b': 'x', '': 'x' },
      'Device.WiFi.': { Other: 'x' },
      'Device.DeviceInfo.': { UpTime: '7', UpTimeOther: 'x' },
      'Device.IP.Interface.2.IPv4Address.1.': { IPAddress: '10.0.0.1', SubnetMask: 'x' },
      'Device.IP.Interface.x.IPv4Address.1.': { IPAddress: 'x' },
      'Device.Hosts.Host.3': { IPAddress: '10.0.0.2' },
      'InternetGatewayDevice.': { X: 'x' },
      '': { Y: 'x' },
    }
    const resolved_path_results = Object.entries(shown).map(([resolved_path, result_params]) => ({
      resolved_path,
      result_params,
    }))
    const [first, ...others] = paths.map(none)
    if (first === undefined) throw new Error('no path')
    const req_path_results = [
      { ...first, resolved_path_results },
      ...others.filter(({ requested_path }) => requested_path !== UPTIME),
    ]
    req_path_results.push(...values({ [UPTIME]: '7' }).req_path_results)
    agent.send(responseMsg(msgId, 'get_resp', { req_path_results }))
    const { results } = (await result) as OperationResult
    expect(results.map(({ path, value }) => [path, value])).toEqual([
      ['Device.WiFi.SSID.1.SSID', 'x'],
      ['Device.WiFi.SSID.1.Stats.Bytes', '1'],
      [UPTIME, '7'],
      ['Device.IP.Interface.2.IPv4Address.1.IPAddress', '10.0.0.1'],
      ['Device.Hosts.Host.3.IPAddress', '10.0.0.2'],
      [UPTIME, '7'],
    ])
  })

  it('to a path that follows a reference shows values wherever it leads', async () => {
    const path = 'Device.WiFi.AccessPoint.1.SSIDReference+.'
    const result = run({ verb: 'get', paths: [path] })
    const { msgId } = await agent.takeRequest('get')
    const resolved_path_results = [
      { resolved_path: 'Device.WiFi.SSID.1.', result_params: { SSID: 'x' } },
      { resolved_path: '', result_params: { Y: 'x' } },
    ]
    agent.send(responseMsg(msgId, 'get_resp', { req_path_results: [{ ...none(path), resolved_path_results }] }))
    expect(await result).toMatchObject({ outcome: 'done', results: [{ path: SSID, value: 'x' }] })
  })

  it('may name a path that was asked in another form', async () => {
    const forms = [
      ['Device.WiFi.', 'Device.WiFi'],
      ['Device.WiFi.SSID.*.', 'Device.WiFi.SSID.1.'],
      ['Device.WiFi.SSID.[Enable==true].', 'Device.WiFi.SSID.[Enable == true].'],
    ] as const
    for (const [path, named] of forms) {
      const result = run({ verb: 'get', paths: [path] })
      const { msgId } = await agent.takeRequest('get')
      const resolved_path_results = [{ resolved_path: 'Device.WiFi.SSID.1.', result_params: { SSID: 'x' } }]
      agent.send(responseMsg(msgId, 'get_resp', { req_path_results: [{ ...none(named), resolved_path_results }] }))
      expect(await result).toMatchObject({ outcome: 'done', results: [{ path: SSID, value: 'x' }] })
    }
  })

  it('may leave out the last dot of an object', async () => {
    const result = run({ verb: 'get', paths: [UPTIME] })
    const { msgId } = await agent.takeRequest('get')
    const resolved_path_results = [{ resolved_path: 'Device.DeviceInfo', result_params: { UpTime: '7' } }]
    agent.send(responseMsg(msgId, 'get_resp', { req_path_results: [{ ...none(UPTIME), resolved_path_results }] }))
    expect(await result).toMatchObject({ outcome: 'done', results: [{ path: UPTIME, value: '7' }] })
  })
})

it('a discover of a root that shows nothing is not done', async () => {
  const result = run({ verb: 'discover' })
  const { msgId } = await agent.takeRequest('get')
  const nothing = { requested_path: 'Device.', err_code: 0, err_msg: '', resolved_path_results: [] }
  agent.send(responseMsg(msgId, 'get_resp', { req_path_results: [nothing] }))
  expect(await result).toMatchObject({ outcome: 'failed', error: { code: 'nothingFound' } })
})

it('a discover knows the types of vendor parameters from the supported model, so that a wrong value is refused', async () => {
  await world.stores.supportedModels.put({
    id: 'vendor',
    key: '00256D|Box|1.0',
    digest: 'v',
    describedBy: ['00256D-Box-A', '00256D-Box-B'] as DeviceId[],
    objects: [
      {
        path: 'Device.X_TEST.',
        access: 'readOnly',
        multi: false,
        params: [{ name: 'Number', writable: true, readable: true, type: 'unsignedInt' }],
        commands: [],
        events: [],
        uniqueKeys: [],
      },
    ],
    at: 1,
  })
  const result = run({ verb: 'discover' })
  const { msgId } = await agent.takeRequest('get')
  agent.send(responseMsg(msgId, 'get_resp', valuesOf('Device.', { 'Device.X_TEST.Number': '7' })))
  expect(await result).toMatchObject({
    outcome: 'done',
    results: [{ path: 'Device.X_TEST.Number', type: 'unsignedInt', writable: true }],
  })
})

describe('a discover that is too much for one Message', () => {
  const objects = ['Device.WiFi.', 'Device.WiFi.SSID.{i}.', 'Device.IP.', 'Device.Absent.'].map((path) => ({
    path,
    access: 'readOnly' as const,
    multi: path.endsWith('{i}.'),
    params: path.endsWith('{i}.') ? [{ name: 'SSID', writable: true, readable: true, type: 'string' }] : [],
    commands: [],
    events: [],
    uniqueKeys: [],
  }))

  /** Two devices of the model have described it so. */
  const described = () =>
    world.stores.supportedModels.put({
      id: 'm',
      key: '00256D|Box|1.0',
      digest: 'd',
      describedBy: ['00256D-Box-A', '00256D-Box-B'] as DeviceId[],
      objects,
      at: 1,
    })

  it('goes object by object as the supported model has them', async () => {
    await described()
    agent.answer = ({ msgId, name, body }) => {
      if (name !== 'get') return undefined
      const [path = ''] = body.param_paths
      if (path === 'Device.WiFi.') return responseMsg(msgId, 'get_resp', valuesOf(path, { [SSID]: 'x' }))
      if (path === 'Device.IP.')
        return responseMsg(msgId, 'get_resp', valuesOf('Device.IP.', { 'Device.IP.IPv4Enable': 'true' }))
      if (path === 'Device.' && body.max_depth === 1)
        return responseMsg(msgId, 'get_resp', valuesOf(path, { 'Device.RootDataModelVersion': '2.15' }))
      const err_code = path === 'Device.Absent.' ? 7016 : 7005
      return { msgId, kind: 'error', body: { err_code, err_msg: '', param_errs: [] } }
    }
    const result = await run({ verb: 'discover' })
    expect(result).toMatchObject({ outcome: 'done' })
    expect('results' in result ? result.results.map(({ path, writable }) => [path, writable]) : []).toEqual([
      ['Device.RootDataModelVersion', undefined],
      [SSID, true],
      ['Device.IP.IPv4Enable', undefined],
    ])
  })

  it('is one also when the Agent sends what is too large to be read', async () => {
    await described()
    agent.answer = ({ msgId, name, body }) => {
      if (name !== 'get') return undefined
      const [path = ''] = body.param_paths
      if (path === 'Device.WiFi.') return responseMsg(msgId, 'get_resp', valuesOf(path, { [SSID]: 'x' }))
      if (body.max_depth === 1) return responseMsg(msgId, 'get_resp', { req_path_results: [] })
      return tooLarge(msgId)
    }
    expect(await run({ verb: 'discover' })).toMatchObject({
      outcome: 'failed',
      results: [
        { path: SSID, value: 'x' },
        { path: 'Device.IP.', error: { code: '7005' } },
        { path: 'Device.Absent.', error: { code: '7005' } },
      ],
    })
  })

  it('tells which object was too much even so', async () => {
    await described()
    agent.answer = ({ msgId, name, body }) => {
      if (name !== 'get') return undefined
      if (body.param_paths[0] === 'Device.IP.')
        return responseMsg(msgId, 'get_resp', valuesOf('Device.IP.', { 'Device.IP.IPv4Enable': 'true' }))
      return { msgId, kind: 'error', body: { err_code: 7005, err_msg: '', param_errs: [] } }
    }
    expect(await run({ verb: 'discover' })).toMatchObject({
      outcome: 'failed',
      results: [
        { path: 'Device.WiFi.', error: { code: '7005' } },
        { path: 'Device.IP.IPv4Enable', value: 'true' },
        { path: 'Device.Absent.', error: { code: '7005' } },
      ],
    })
  })
})

describe('a request that was given up', () => {
  it('while it waited for those before it never leaves', async () => {
    const first = run(GET)
    const { msgId } = await agent.takeRequest('get')
    const before = asked().length
    const controller = new AbortController()
    const second = run(SET, { signal: controller.signal })
    await settled()
    controller.abort()
    expect(await second).toMatchObject({ rejected: { name: 'TransportError', code: 'givenUp', sent: false } })
    agent.send(uptime(msgId, '1'))
    await first
    const third = run(GET)
    agent.send(uptime((await agent.takeRequest('get')).msgId, '2'))
    expect(await third).toMatchObject({ outcome: 'done' })
    expect(
      asked()
        .slice(before)
        .map(({ name }) => name),
    ).toEqual(['get'])
  })

  it('after it left is not waited for, and the next one goes', async () => {
    const controller = new AbortController()
    const first = run(SET, { signal: controller.signal })
    const { msgId } = await agent.takeRequest('set')
    const second = run(GET)
    controller.abort()
    expect(await first).toMatchObject({ rejected: { name: 'TransportError', code: 'givenUp', sent: true } })
    const next = await agent.takeRequest('get')
    agent.send({ msgId, kind: 'error', body: { err_code: 7000, err_msg: 'late', param_errs: [] } })
    agent.send(uptime(next.msgId, '2'))
    expect(await second).toMatchObject({ outcome: 'done', results: [{ value: '2' }] })
  })
})

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

it('instances come with their keys, and what is supported with types', async () => {
  const rows = run({ verb: 'instances', paths: [TABLE, 'Device.X_No.'], firstLevelOnly: true })
  const first = await agent.takeRequest('get_instances')
  expect(first.body).toEqual({ obj_paths: [TABLE, 'Device.X_No.'], first_level_only: true })
  const curr_insts = [{ instantiated_obj_path: `${TABLE}1.`, unique_keys: { Alias: 'a' } }]
  const unknown = { requested_path: 'Device.X_No.', err_code: 7026, err_msg: 'no', curr_insts: [] }
  const found = { requested_path: TABLE, err_code: 0, err_msg: '', curr_insts }
  agent.send(responseMsg(first.msgId, 'get_instances_resp', { req_path_results: [found, unknown] }))
  expect(await rows).toMatchObject({
    outcome: 'failed',
    results: [
      { path: `${TABLE}1.`, keys: { Alias: 'a' } },
      { path: 'Device.X_No.', error: { code: '7026' } },
    ],
  })
  const supported = run({ verb: 'supported', path: 'Device.DeviceInfo.' })
  const { msgId } = await agent.takeRequest('get_supported_dm')
  const described = supportedObject('Device.DeviceInfo.', { params: ['X_ACME_Mode'], events: ['E!'] })
  agent.send(responseMsg(msgId, 'get_supported_dm_resp', describedAs('Device.DeviceInfo.', [described])))
  expect(await supported).toMatchObject({
    outcome: 'done',
    results: [
      { path: 'Device.DeviceInfo.', writable: false },
      { path: 'Device.DeviceInfo.X_ACME_Mode', writable: false, type: 'string' },
      { path: 'Device.DeviceInfo.E!' },
    ],
  })
})

it('an answer that does not say what is supported at a path is no success', async () => {
  const nothing = { req_obj_results: [] }
  const other = describedAs('Device.IP.', [supportedObject('Device.IP.', { params: ['IPv4Enable'] })])
  for (const body of [nothing, other]) {
    const result = run({ verb: 'supported', path: 'Device.WiFi.' })
    agent.send(responseMsg((await agent.takeRequest('get_supported_dm')).msgId, 'get_supported_dm_resp', body))
    expect(await result).toMatchObject({
      outcome: 'failed',
      results: [{ path: 'Device.WiFi.', error: { code: 'protocol' } }],
    })
  }
})

it('an answer may name an object without its last dot, or a table with its placeholder', async () => {
  const forms = [
    ['Device.WiFi.', 'Device.WiFi'],
    ['Device.WiFi.SSID.', 'Device.WiFi.SSID.{i}.'],
    ['Device.WiFi.SSID.{i}.', 'Device.WiFi.SSID.'],
    ['Device.WiFi.SSID.1.', 'Device.WiFi.SSID.{i}.'],
  ] as const
  for (const [path, named] of forms) {
    const result = run({ verb: 'supported', path })
    const { msgId } = await agent.takeRequest('get_supported_dm')
    const body = describedAs(named, [supportedObject('Device.WiFi.SSID.{i}.', { params: ['SSID'] })])
    agent.send(responseMsg(msgId, 'get_supported_dm_resp', body))
    expect(await result).toMatchObject({ outcome: 'done', results: [{}, { path: 'Device.WiFi.SSID.{i}.SSID' }] })
  }
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
    agent = await world.connect('os::00256D-S7')
    agent.answer = (request) => device.answer(request)
    agent.hello()
    contact = await world.contact()
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

describe('a Response is no success', () => {
  const failure = { err_code: 7021, err_msg: 'refused' }
  const param_errs = [{ param: 'SSID', err_code: 7012, err_msg: 'too long' }]
  type Case = { [N in ResponseName]: [string, OperationRequest, N, Responses[N], object] }[ResponseName]
  const object = 'Device.WiFi.SSID.1.'
  const row = `${TABLE}1.`
  const command = 'Device.ScheduleTimer()'
  const deleted = (oper_status: Responses['delete_resp']['deleted_obj_results'][number]['oper_status']) => ({
    deleted_obj_results: [{ requested_path: row, oper_status }],
  })
  const updated = (oper_status: Responses['set_resp']['updated_obj_results'][number]['oper_status']) => ({
    updated_obj_results: [{ requested_path: object, oper_status }],
  })
  const created = (oper_status: Responses['add_resp']['created_obj_results'][number]['oper_status']) => ({
    created_obj_results: [{ requested_path: TABLE, oper_status }],
  })
  /** The field is not on the wire. */
  const NO_STATUS = undefined as never
  const inner = { oper_failure: { ...failure, updated_inst_failures: [{ affected_path: object, param_errs }] } }
  const beside = { updated_inst_results: [{ affected_path: object, param_errs, updated_params: {} }] }
  const kept = [{ unaffected_path: row, err_code: 7024, err_msg: 'kept' }]
  const half = { instantiated_path: row, param_errs: [{ ...param_errs[0]!, param: 'ExternalPort' }], unique_keys: {} }
  const cases: Case[] = [
    ['a Set with oper_failure', SET, 'set_resp', updated(inner), { path: SSID, error: { code: '7012' } }],
    [
      'a Set with a bare oper_failure',
      SET,
      'set_resp',
      updated({ oper_failure: { ...failure, updated_inst_failures: [] } }),
      { path: object, error: { code: '7021', text: 'refused' } },
    ],
    [
      'a Set with param_errs in its success',
      SET,
      'set_resp',
      updated({ oper_success: beside }),
      { path: SSID, error: { code: '7012' } },
    ],
    ['a Set with neither', SET, 'set_resp', updated({}), { path: object, error: { code: 'protocol' } }],
    ['a Set without status', SET, 'set_resp', updated(NO_STATUS), { path: object, error: { code: 'protocol' } }],
    ['an Add without status', ADD, 'add_resp', created(NO_STATUS), { path: TABLE, error: { code: 'protocol' } }],
    ['a Delete without status', DELETE, 'delete_resp', deleted(NO_STATUS), { path: row, error: { code: 'protocol' } }],
    [
      'a Set without any result',
      SET,
      'set_resp',
      { updated_obj_results: [] },
      { path: object, error: { code: 'protocol' } },
    ],
    [
      'a Set with a success that updated nothing',
      SET,
      'set_resp',
      updated({ oper_success: { updated_inst_results: [] } }),
      { path: object, error: { code: 'protocol' } },
    ],
    [
      'an Add with a success that names no row',
      ADD,
      'add_resp',
      created({ oper_success: { instantiated_path: '', param_errs: [], unique_keys: {} } }),
      { path: TABLE, error: { code: 'protocol' } },
    ],
    ['an Add with oper_failure', ADD, 'add_resp', created({ oper_failure: failure }), { error: { code: '7021' } }],
    [
      'an Add with param_errs in its success',
      ADD,
      'add_resp',
      created({ oper_success: half }),
      { path: `${row}ExternalPort`, error: { code: '7012' } },
    ],
    ['an Add with neither', ADD, 'add_resp', created({}), { path: TABLE, error: { code: 'protocol' } }],
    ['an Add without any result', ADD, 'add_resp', { created_obj_results: [] }, { error: { code: 'protocol' } }],
    [
      'a Delete with oper_failure',
      DELETE,
      'delete_resp',
      deleted({ oper_failure: failure }),
      { path: row, error: { code: '7021' } },
    ],
    [
      'a Delete that left a path',
      DELETE,
      'delete_resp',
      deleted({ oper_success: { affected_paths: [], unaffected_path_errs: kept } }),
      { path: row, error: { code: '7024', text: 'kept' } },
    ],
    [
      'a Delete without any result',
      DELETE,
      'delete_resp',
      { deleted_obj_results: [] },
      { error: { code: 'protocol' } },
    ],
    [
      'an Operate with cmd_failure',
      OPERATE,
      'operate_resp',
      { operation_results: [{ executed_command: command, cmd_failure: failure }] },
      { path: command, error: { code: '7021' } },
    ],
    [
      'an Operate with no kind of result',
      OPERATE,
      'operate_resp',
      { operation_results: [{ executed_command: command }] },
      { path: command, error: { code: 'protocol' } },
    ],
    [
      'an Operate without any result',
      OPERATE,
      'operate_resp',
      { operation_results: [] },
      { error: { code: 'protocol' } },
    ],
    [
      'a reboot with cmd_failure',
      { verb: 'reboot' },
      'operate_resp',
      { operation_results: [{ executed_command: 'Device.Reboot()', cmd_failure: failure }] },
      { error: { code: '7021' } },
    ],
  ]

  it.each(cases)('to %s', async (_name, request, response, body, outcome) => {
    agent.answer = ({ msgId, name }) => {
      if (name === 'get_instances') return responseMsg(msgId, 'get_instances_resp', { req_path_results: [] })
      // Name and body belong together by the table's type.
      return `${name}_resp` === response ? ({ msgId, kind: 'response', name: response, body } as Msg) : undefined
    }
    const result = await run(request)
    expect(result).toMatchObject({ outcome: 'failed', error: expect.anything() })
    const failed = 'results' in result ? result.results.filter(({ error }) => error !== undefined) : []
    expect(failed).toMatchObject([outcome])
  })
})

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

describe('requests', () => {
  it('with an effect leave only after it was noted that they will', async () => {
    let go = (): void => undefined
    const noted = new Promise<void>((resolve) => {
      go = resolve
    })
    const before = asked().length
    const result = run(SET, { beforeSend: () => noted })
    await settled()
    await agent.heard()
    expect(asked()).toHaveLength(before)
    go()
    const { msgId } = await agent.takeRequest('set')
    agent.send({ msgId, kind: 'error', body: { err_code: 7006, err_msg: '', param_errs: [] } })
    expect(await result).toMatchObject({ outcome: 'failed' })
  })

  it('that may not leave any more do not', async () => {
    const before = asked().length
    const beforeSend = () => Promise.reject(new Error('cancelled'))
    expect(await run(SET, { beforeSend })).toMatchObject({ rejected: { message: 'cancelled' } })
    await agent.heard()
    expect(asked()).toHaveLength(before)
  })

  it('go to one Agent one at a time, in order', async () => {
    const before = asked().length
    const results = ['A', 'B', 'C'].map((name) => run({ verb: 'get', paths: [`Device.${name}`] }))
    for (const [i, name] of ['A', 'B', 'C'].entries()) {
      const { msgId, body } = await agent.takeRequest('get')
      await agent.heard()
      expect(asked()).toHaveLength(before + i + 1)
      expect(body.param_paths).toEqual([`Device.${name}`])
      agent.send(responseMsg(msgId, 'get_resp', values({ [`Device.${name}`]: name })))
      expect(await results[i]).toMatchObject({ results: [{ value: name }] })
    }
  })

  it('have msg_ids that are never used twice', async () => {
    agent.answer = ({ msgId }) => uptime(msgId, '1')
    for (let i = 0; i < 5; i++) await run(GET)
    const msgIds = asked().map(({ msgId }) => msgId)
    expect(new Set(msgIds).size).toBe(msgIds.length)
  })

  it('of a new link share no msg_id with those of the old one, whose answers may still come', async () => {
    const lost = run(OPERATE)
    const { msgId } = await agent.takeRequest('operate')
    agent.socket.terminate()
    await lost
    ;[agent, contact] = await join('os::00256D-S1', IDENTITY)
    const answer = (id: string, cause: string) =>
      responseMsg(id, 'operate_resp', {
        operation_results: [{ executed_command: 'X', req_output_args: { output_args: { Cause: cause } } }],
      })
    for (let i = 0; i < 10; i++) {
      const result = run(OPERATE)
      const request = await agent.takeRequest('operate')
      expect(request.msgId).not.toBe(msgId)
      agent.send(answer(msgId, 'old'))
      agent.send(answer(request.msgId, 'new'))
      expect(await result).toMatchObject({ output: { Cause: 'new' } })
    }
  })

  it('that are too many for one Agent are refused at once, and another Agent is not held up', async () => {
    const [other, others] = await join('os::00256D-S2', { ...IDENTITY, serial: 'S2' })
    const waiting = Array.from({ length: 256 }, () => run(GET))
    expect(await run(GET)).toMatchObject({ rejected: { name: 'TransportError', code: 'busy', sent: false } })
    other.answer = ({ msgId }) => uptime(msgId, '1')
    expect(await run(GET, {}, others)).toMatchObject({ outcome: 'done' })
    agent.answer = ({ msgId }) => uptime(msgId, '2')
    const { msgId } = await agent.takeRequest('get')
    agent.send(uptime(msgId, '2'))
    const results = await Promise.all(waiting)
    expect(results.every((result) => 'outcome' in result && result.outcome === 'done')).toBe(true)
    expect(await run(GET)).toMatchObject({ outcome: 'done' })
  })

  it('whose link goes say whether they had left', async () => {
    const results = [run(SET), run(SET)]
    await agent.takeRequest('set')
    agent.socket.terminate()
    expect(await results[0]).toMatchObject({ rejected: { name: 'TransportError', code: 'linkGone', sent: true } })
    expect(await results[1]).toMatchObject({ rejected: { code: 'linkGone', sent: false } })
    expect(contact.signal.aborted).toBe(true)
    expect(await run(GET)).toMatchObject({ rejected: { code: 'linkGone', sent: false } })
  })
})
