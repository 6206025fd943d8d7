import { describe, expect, it } from 'vitest'
import type { DeviceId, OperationResult } from '../../src/domain/index.ts'
import { type Msg, responseMsg } from '../../src/usp/wire/index.ts'
import { described as describedAs, supportedObject } from '../support/odd-agent.ts'
import { values, valuesOf } from '../support/raw-agent.ts'
import { agent, run, SSID, TABLE, UPTIME, uptime, withAgent, world } from '../support/usp-agent-run.ts'

withAgent()

/** A GetResp with more values than this Controller reads. */
const tooLarge = (msgId: string): Msg => {
  const result_params = Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`P${i}`, 'v']))
  const resolved_path_results = [{ resolved_path: 'Device.Hosts.', result_params }]
  const all = { requested_path: 'Device.', err_code: 0, err_msg: '', resolved_path_results }
  return responseMsg(msgId, 'get_resp', { req_path_results: [all] })
}

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
