import { describe, expect, it } from 'vitest'
import type { OperationRequest } from '../../src/domain/index.ts'
import { type Msg, type ResponseName, type Responses, responseMsg } from '../../src/usp/wire/index.ts'
import { settled } from '../support/manual-clock.ts'
import { values } from '../support/raw-agent.ts'
import {
  ADD,
  agent,
  asked,
  contact,
  DELETE,
  GET,
  IDENTITY,
  join,
  OPERATE,
  run,
  SET,
  SSID,
  speakBy,
  TABLE,
  UPTIME,
  uptime,
  withAgent,
  world,
} from '../support/usp-agent-run.ts'

withAgent()

/** A GetResp with more values than this Controller reads. */
const tooLarge = (msgId: string): Msg => {
  const result_params = Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`P${i}`, 'v']))
  const resolved_path_results = [{ resolved_path: 'Device.Hosts.', result_params }]
  const all = { requested_path: 'Device.', err_code: 0, err_msg: '', resolved_path_results }
  return responseMsg(msgId, 'get_resp', { req_path_results: [all] })
}

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
    speakBy(...(await join('os::00256D-S1', IDENTITY)))
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
