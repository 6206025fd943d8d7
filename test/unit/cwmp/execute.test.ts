import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { Discoveries } from '../../../src/cwmp/acs/discovery/discoveries.ts'
import { ParameterTypes } from '../../../src/cwmp/acs/session/values.ts'
import { execute } from '../../../src/cwmp/acs/verbs/execute.ts'
import type { CwmpFault } from '../../../src/cwmp/wire/index.ts'
import type { CwmpSubscription, ExecuteHooks, Operation, OperationRequest } from '../../../src/domain/index.ts'
import { type Asked, scriptedSession } from '../../support/cwmp-script.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'

type Answer = Parameters<typeof scriptedSession>[0]

const hooks: ExecuteHooks = {
  beforeSend: () => Promise.resolve(),
  signal: new AbortController().signal,
  timeoutMs: 1000,
}
const types = new ParameterTypes()

/** Runs one request over a scripted CPE. */
function run(
  request: OperationRequest,
  answer: Answer,
  options: { leavesAfter?: number; base?: string; subscriptions?: CwmpSubscription[] } = {},
  given = hooks,
) {
  const { session, asked } = scriptedSession(answer, options)
  const { subscriptions } = options
  if (subscriptions !== undefined)
    session.device = { ...session.device, cwmp: { lastInformAt: 0, events: [], version: '1.2', subscriptions } }
  const operation: Operation = {
    id: '01h',
    deviceId: session.deviceId,
    request,
    state: 'queued',
    actor: { kind: 'system', id: 'test' },
    createdAt: 0,
    expiresAt: 1,
    attempts: 0,
  }
  const stores = createMemoryStores(createManualClock())
  const discoveries = new Discoveries({ mode: 'none', types, clock: createManualClock(), log: silentLog, ...stores })
  const result = execute(session, operation, given, {
    types,
    notes: discoveries.notebook.of(session.device),
    discoveries,
    fileUrl: (_, { kind, id, name }) =>
      options.base === undefined ? undefined : `${options.base}/${kind}/${id}/${name}`,
  })
  return { result, asked }
}

const created = ({ name }: Asked): ReturnType<Answer> => {
  if (name === 'GetParameterNames') return { ParameterList: [] }
  return name === 'AddObject' ? { InstanceNumber: 3, Status: 0 } : { Status: 0 }
}

describe('an effect of several RPCs', () => {
  const add: OperationRequest = { verb: 'add', object: 'Device.NAT.PortMapping.', values: { Description: 'x' } }

  it('is not taken for unsent when the connection goes after AddObject: the row is there', async () => {
    const { result, asked } = run(add, created, { leavesAfter: 2 })
    await expect(result).rejects.toMatchObject({ name: 'TransportError', sent: true })
    expect(asked.map(({ name }) => name)).toEqual(['GetParameterNames', 'AddObject'])
  })

  it('is unsent as long as AddObject did not leave', async () => {
    await expect(run(add, created, { leavesAfter: 1 }).result).rejects.toMatchObject({ sent: false })
  })

  it('is not taken for unsent when the connection goes after the first of several deletes', async () => {
    const paths = ['Device.NAT.PortMapping.1.', 'Device.NAT.PortMapping.2.']
    const { result } = run({ verb: 'delete', paths }, created, { leavesAfter: 1 })
    await expect(result).rejects.toMatchObject({ sent: true })
  })

  it('names the row that could not be taken back after its values were refused', async () => {
    const fault: CwmpFault = { code: 9003, text: 'no', parameters: [] }
    const { result } = run(add, (request) => {
      if (request.name === 'SetParameterValues') return fault
      return request.name === 'DeleteObject' ? 9002 : created(request)
    })
    expect(await result).toMatchObject({
      outcome: 'failed',
      results: [{ path: add.object, created: 'Device.NAT.PortMapping.3.' }],
      error: { code: '9003' },
    })
  })
})

describe('the type on the wire', () => {
  const sent = async (request: OperationRequest, typeOf: ExecuteHooks['typeOf']) => {
    const { result, asked } = run(request, created, {}, { ...hooks, ...(typeOf === undefined ? {} : { typeOf }) })
    await result
    const values = asked.flatMap((one) => (one.name === 'SetParameterValues' ? one.body.ParameterList : []))
    return values.map(({ type, value }) => `${type} ${value}`)
  }
  const level: OperationRequest = { verb: 'set', values: [{ path: 'Device.X_ACME_Level', value: '3' }] }
  const enable: OperationRequest = { verb: 'set', values: [{ path: 'Device.WiFi.SSID.1.Enable', value: 'true' }] }
  const row: OperationRequest = { verb: 'add', object: 'Device.X_ACME_Row.', values: { On: 'true' } }

  it('is the one the device reported, else that of the model, else string', async () => {
    expect(await sent(level, () => 'unsignedInt')).toEqual(['unsignedInt 3'])
    expect(await sent(enable, undefined)).toEqual(['boolean 1'])
    expect(await sent(level, undefined)).toEqual(['string 3'])
    const ofRow = (path: string) => (path === 'Device.X_ACME_Row.3.On' ? 'boolean' : undefined)
    expect(await sent(row, ofRow)).toEqual(['boolean 1'])
  })
})

describe('a set', () => {
  const path = (i: number) => `Device.X_ACME.P${i}`
  const set = (count: number, allowPartial: boolean): OperationRequest => ({
    verb: 'set',
    allowPartial,
    values: Array.from({ length: count }, (_, i) => ({ path: path(i), value: 'v' })),
  })
  const bad = path(3)
  /** A device that refuses one value, and names it or not. */
  const refusing =
    (names: boolean): Answer =>
    (request) => {
      if (request.name !== 'SetParameterValues') return 9000
      if (!request.body.ParameterList.some(({ name }) => name === bad)) return { Status: 0 }
      return names
        ? { code: 9003, text: '', parameters: [{ name: bad, code: 9007, text: 'bad value' }] }
        : { code: 9003, text: '', parameters: [] }
    }

  it.each([true, false])('in parts writes all but the refused value (device names it: %s)', async (names) => {
    const { result } = run(set(6, true), refusing(names))
    const { outcome, results } = await result
    expect(outcome).toBe('failed')
    expect(results.filter(({ error }) => error === undefined).map(({ path: done }) => done)).toEqual(
      [0, 1, 2, 4, 5].map(path),
    )
    expect(results.filter(({ error }) => error !== undefined)).toMatchObject([
      { path: bad, error: { code: names ? '9007' : '9003' } },
    ])
  })

  it.each([true, false])('is done without a value that is not required (device names it: %s)', async (names) => {
    const request = set(6, false)
    const values = request.verb === 'set' ? request.values.map((one) => ({ ...one, required: one.path !== bad })) : []
    const { result, asked } = run({ verb: 'set', values }, refusing(names))
    const { outcome, results } = await result
    expect(outcome).toBe('done')
    expect(results.filter(({ error }) => error !== undefined)).toMatchObject([{ path: bad, optional: true }])
    expect(results).toHaveLength(6)
    expect(asked).toHaveLength(2)
  })

  it('has the type that the record knows', async () => {
    const { result } = run(set(1, false), () => ({ Status: 0 }), {}, { ...hooks, typeOf: () => 'unsignedInt' })
    expect(await result).toMatchObject({ results: [{ path: path(0), type: 'unsignedInt' }] })
  })

  it('in one piece writes nothing and says so for each path', async () => {
    const { result, asked } = run(set(6, false), refusing(true))
    const { results, error } = await result
    expect(error?.code).toBe('9007')
    expect(results.length).toBe(6)
    expect(results.every((one) => one.error !== undefined && one.value === undefined)).toBe(true)
    expect(asked.length).toBe(1)
  })
})

it('an add in parts keeps the row with the values that were taken', async () => {
  const values = { Description: 'x', ExternalPort: '1' }
  const { result } = run({ verb: 'add', object: 'Device.NAT.PortMapping.', values, allowPartial: true }, (request) => {
    if (request.name !== 'SetParameterValues') return created(request)
    return request.body.ParameterList.some(({ name }) => name.endsWith('ExternalPort')) ? 9003 : { Status: 0 }
  })
  expect(await result).toMatchObject({
    outcome: 'failed',
    results: [
      { created: 'Device.NAT.PortMapping.3.' },
      { path: 'Device.NAT.PortMapping.3.Description', value: 'x' },
      { path: 'Device.NAT.PortMapping.3.ExternalPort', error: { code: '9003' } },
    ],
  })
})

describe('several rows in one add', () => {
  const TABLE = 'Device.NAT.PortMapping.'
  const OTHER = 'Device.X_ACME_Rows.'
  const request: OperationRequest = {
    verb: 'add',
    object: TABLE,
    values: { ExternalPort: '1', Description: 'x' },
    optional: ['Description'],
    more: [{ object: OTHER, values: { Name: 'n' } }],
  }
  /** Refuses what is named; keeps rows when told to. */
  const cpe = (refuse: string[], keeps = false): Answer => {
    return (asked) => {
      if (asked.name === 'GetParameterNames') return { ParameterList: [] }
      if (asked.name === 'AddObject')
        return refuse.includes(asked.body.ObjectName) ? 9005 : { InstanceNumber: 3, Status: 0 }
      if (asked.name === 'DeleteObject') return keeps ? 9002 : { Status: 0 }
      if (asked.name !== 'SetParameterValues') return 9000
      return asked.body.ParameterList.some(({ name }) => refuse.some((one) => name.endsWith(one)))
        ? 9007
        : { Status: 0 }
    }
  }
  const names = (asked: Asked[]) => asked.map(({ name }) => name)

  it('are made one after the other, a value that is optional being none that fails', async () => {
    const { result } = run(request, cpe(['Description']))
    expect(await result).toMatchObject({
      outcome: 'done',
      results: [
        { path: TABLE, created: `${TABLE}3.` },
        { path: `${TABLE}3.ExternalPort`, value: '1' },
        { path: `${TABLE}3.Description`, optional: true },
        { path: OTHER, created: `${OTHER}3.` },
        { path: `${OTHER}3.Name`, value: 'n' },
      ],
    })
  })

  it('are all taken back when one is refused', async () => {
    const { result, asked } = run(request, cpe([OTHER]))
    const { outcome, error, results } = await result
    expect([outcome, error?.code]).toEqual(['failed', '9005'])
    expect(results.every((one) => one.error !== undefined)).toBe(true)
    expect(names(asked).slice(-2)).toEqual(['AddObject', 'DeleteObject'])
  })

  it('name the row that the CPE keeps even so', async () => {
    const { result } = run(request, cpe([OTHER], true))
    expect((await result).results).toContainEqual({ path: TABLE, created: `${TABLE}3.` })
  })

  it('stay as far as they go where parts will do', async () => {
    const { result } = run({ ...request, allowPartial: true }, cpe([OTHER]))
    expect(await result).toMatchObject({ outcome: 'failed', error: { code: '9005' } })
    expect((await result).results).toContainEqual({ path: TABLE, created: `${TABLE}3.` })
  })
})

it('instances and what is supported are names that the CPE lists', async () => {
  const list = ['Device.A.', 'Device.A.1.', 'Device.A.1.B', 'Device.A.2.']
  const answer: Answer = ({ name }) =>
    name === 'GetParameterNames' ? { ParameterList: list.map((Name) => ({ Name, Writable: true })) } : 9000
  const rows = await run({ verb: 'instances', paths: ['Device.A.'] }, answer).result
  expect(rows).toMatchObject({ outcome: 'done', results: [{ path: 'Device.A.1.' }, { path: 'Device.A.2.' }] })
  const all = await run({ verb: 'supported', path: 'Device.A.' }, answer).result
  expect(all.results).toHaveLength(4)
  expect((await run({ verb: 'instances', paths: ['Device.X_No.'] }, () => 9005).result).error?.code).toBe('9005')
})

describe('a download that the device calls applied at once', () => {
  const time = '2026-01-01T00:00:00Z'
  const applied: Answer = () => ({ Status: 0, StartTime: time, CompleteTime: time })

  it('waits for the version where one is to come', async () => {
    const { result } = run({ verb: 'download', url: 'http://h/f', version: '2' }, applied)
    expect(await result).toMatchObject({ outcome: 'pending' })
  })

  it('is done where none is named', async () => {
    expect(await run({ verb: 'download', url: 'http://h/f' }, applied).result).toMatchObject({ outcome: 'done' })
  })
})

describe('a file of this server', () => {
  const time = '2026-01-01T00:00:00Z'
  const accepted: Answer = () => ({ Status: 1, StartTime: time, CompleteTime: time })
  const script: OperationRequest = { verb: 'script', template: 'identity', parameters: { name: 'a' } }
  const upgrade: OperationRequest = { verb: 'upgrade', packages: ['https://h/routeros-7.19.1-arm64.npk'] }

  it.each([
    [script, '3 Vendor Configuration File', 'identity.alter'],
    [upgrade, '1 Firmware Upgrade Image', 'upgrade.xml'],
  ])('is fetched by Download under the id of its operation: %j', async (request, FileType, name) => {
    const { result, asked } = run(request, accepted, { base: 'http://acs' })
    expect(await result).toMatchObject({ outcome: 'pending' })
    expect(asked).toMatchObject([
      {
        name: 'Download',
        body: { CommandKey: '01h', FileType, URL: `http://acs/operation/01h/${name}`, Username: '' },
      },
    ])
  })

  it.each([undefined, `http://${'x'.repeat(230)}`])(
    'is not sent for without an address that fits: %s',
    async (base) => {
      const { result, asked } = run(script, accepted, base === undefined ? {} : { base })
      expect(await result).toMatchObject({ outcome: 'failed', error: { code: 'noAddress' } })
      expect(asked).toEqual([])
    },
  )
})

it('a set that the CPE refuses without naming a parameter has the fault for each', async () => {
  const paths = ['Device.A.X', 'Device.A.Y']
  const values = paths.map((path) => ({ path, value: '1' }))
  const { result } = run({ verb: 'set', values }, ({ name }) => (name === 'SetParameterValues' ? 9002 : { Status: 0 }))
  const error = expect.objectContaining({ code: '9002' })
  expect(await result).toMatchObject({ outcome: 'failed', error, results: paths.map((path) => ({ path, error })) })
})

describe('a diagnostic over CWMP', () => {
  const object = 'Device.IP.Diagnostics.IPPing.'
  const ping = (input: Record<string, string>): OperationRequest => ({
    verb: 'operate',
    command: 'Device.IP.Diagnostics.IPPing()',
    input,
  })
  const written = (asked: Asked[]) =>
    asked.map((one) => (one.name === 'SetParameterValues' ? one.body.ParameterList.map(({ name }) => name) : []))
  const refusing =
    (name: string): Answer =>
    (request) =>
      request.name === 'SetParameterValues' && request.body.ParameterList.some((item) => item.name === name)
        ? { code: 9003, text: '', parameters: [{ name, code: 9005, text: '' }] }
        : { Status: 0 }

  it('writes its arguments and asks for it in one piece', async () => {
    const { result, asked } = run(ping({ Host: 'h', NumberOfRepetitions: '2' }), () => ({ Status: 0 }))
    expect(await result).toMatchObject({ outcome: 'pending' })
    expect(written(asked)).toEqual([[`${object}Host`, `${object}NumberOfRepetitions`, `${object}DiagnosticsState`]])
  })

  it('leaves out an argument that the device does not know when it asks for nothing special', async () => {
    const version = `${object}ProtocolVersion`
    const { result, asked } = run(ping({ Host: 'h', ProtocolVersion: 'Any' }), refusing(version))
    expect(await result).toMatchObject({ outcome: 'pending' })
    expect(written(asked).at(-1)).toEqual([`${object}Host`, `${object}DiagnosticsState`])
    const asIs = run(ping({ Host: 'h', ProtocolVersion: 'IPv6' }), refusing(version))
    expect(await asIs.result).toMatchObject({ outcome: 'failed', error: { code: '9005' } })
    expect((await asIs.result).error?.text).toMatch(/no place for the argument ProtocolVersion: .*; leave it out/)
  })

  it('that the device does not have is said to be missing, not its arguments', async () => {
    const { result } = run(ping({ Host: 'h' }), ({ name, body }) =>
      name === 'SetParameterValues'
        ? {
            code: 9003,
            text: '',
            parameters: body.ParameterList.map((item) => ({ name: item.name, code: 9005, text: 'Invalid name' })),
          }
        : { Status: 0 },
    )
    expect((await result).error).toMatchObject({ code: '9005', text: expect.stringContaining('no such diagnostic') })
  })

  it('works under the root of TR-098 as well, and not for what is no diagnostic', async () => {
    const of = (command: string) => run({ verb: 'operate', command, input: {} }, () => ({ Status: 0 }))
    const old = of('InternetGatewayDevice.IPPingDiagnostics()')
    expect(await old.result).toMatchObject({ outcome: 'pending' })
    for (const command of [
      'Device.WiFi.Radio.1.X_Scan()',
      'Device.WiFi.SSID.1.Enable()',
      'Device.USPAgent.AddCertificate()',
    ]) {
      const none = of(command)
      expect(await none.result).toMatchObject({ outcome: 'failed', error: { code: 'notSupported' } })
      expect((await none.result).error?.text).toContain(`if the device has ${command.slice(0, -2)}, write it by a set`)
      expect(none.asked).toEqual([])
    }
  })

  it.each([
    'Device.PPP.Interface.1.Reset',
    'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.Reset',
    'InternetGatewayDevice.PeriodicStatistics.SampleSet.1.ForceSample',
  ])('is a write of true where a parameter acts in its place: %s', async (path) => {
    const { result, asked } = run({ verb: 'operate', command: `${path}()`, input: {} }, () => ({ Status: 0 }))
    expect(await result).toEqual({ outcome: 'done', results: [], output: {} })
    const lists = asked.map((one) => (one.name === 'SetParameterValues' ? one.body.ParameterList : []))
    expect(lists).toMatchObject([[{ name: path, value: '1', type: 'boolean' }]])
  })
})

describe('a subscription on a CPE that has lost a row', () => {
  const GONE = 'Device.PPP.Interface.1.ConnectionStatus'
  const NEXT = 'Device.PPP.Interface.2.ConnectionStatus'
  const SSID = 'Device.WiFi.SSID.1.SSID'
  const subscribe = (id: string, paths: string[], enable = true) =>
    ({ verb: 'subscribe', id, notifType: 'ValueChange', paths, enable }) as const
  const subscriptions = [
    { id: 'line', paths: [GONE] },
    { id: 'home', paths: [GONE, SSID] },
  ]
  /** It refuses a whole request for a name that it does not have. */
  const answer: Answer = (request) => {
    if (request.name === 'SetParameterAttributes')
      return request.body.ParameterList.some(({ Name }) => Name === GONE) ? 9005 : {}
    if (request.name !== 'GetParameterNames') return 9000
    const { ParameterPath } = request.body
    if (GONE.startsWith(ParameterPath)) return 9005
    return { ParameterList: [SSID, NEXT].map((Name) => ({ Name, Writable: false })) }
  }
  const levels = (asked: Asked[]) => {
    const last = asked.findLast(({ name }) => name === 'SetParameterAttributes')
    return last?.name !== 'SetParameterAttributes'
      ? []
      : last.body.ParameterList.map(({ Name, Notification }) => [Name, Notification])
  }

  it('is replaced by one of other rows, and what others have asked for stays', async () => {
    const { result, asked } = run(subscribe('line', [NEXT]), answer, { subscriptions })
    expect(await result).toMatchObject({ outcome: 'done' })
    expect(levels(asked)).toEqual([[NEXT, 2]])
    const other = run(subscribe('home', [NEXT]), answer, { subscriptions })
    expect(await other.result).toMatchObject({ outcome: 'done' })
    expect(levels(other.asked)).toEqual([
      [SSID, 0],
      [NEXT, 2],
    ])
  })

  it('ends', async () => {
    for (const id of ['line', 'home']) {
      const { result } = run(subscribe(id, [GONE], false), answer, { subscriptions })
      expect(await result).toMatchObject({ outcome: 'done' })
    }
  })

  it('is refused for the lost row itself', async () => {
    const { result } = run(subscribe('new', [GONE, SSID]), answer, { subscriptions })
    expect(await result).toMatchObject({ outcome: 'failed', error: { code: '9005' } })
  })
})

describe('search paths over CWMP', () => {
  const VALUES: Record<string, string> = {
    'Device.T.1.Name': 'a',
    'Device.T.1.N': '9',
    'Device.T.2.Name': 'b',
    'Device.T.2.N': '10',
    'Device.T.2.Ref': 'Device.T.1,Device.T.3.',
    'Device.T.3.Name': 'c',
    'Device.T.3.N': '11',
  }
  const cpe: Answer = (request) => {
    switch (request.name) {
      case 'GetParameterNames':
        return request.body.ParameterPath === 'Device.T.'
          ? { ParameterList: ['1', '2', '3'].map((n) => ({ Name: `Device.T.${n}.`, Writable: true })) }
          : 9005
      case 'GetParameterValues':
        return request.body.ParameterNames.every((name) => VALUES[name] !== undefined)
          ? {
              ParameterList: request.body.ParameterNames.map((name) => ({ name, value: VALUES[name] ?? '', type: '' })),
            }
          : 9005
      default:
        return { Status: 0 }
    }
  }
  const got = async (path: string) => (await run({ verb: 'get', paths: [path] }, cpe).result).results

  it.each([
    ['Device.T.*.Name', ['a', 'b', 'c']],
    ['Device.T.[Name=="b"].N', ['10']],
    ['Device.T.[N>=10&&Name!="c"].Name', ['b']],
    ['Device.T.[N<10].Name', ['a']],
    ['Device.T.2.Ref+.Name', ['a']],
    ['Device.T.2.Ref#2+.Name', ['c']],
    ['Device.T.2.Ref#*+.Name', ['a', 'c']],
    ['Device.T.[Name=="z"].N', []],
    ['Device.Empty.*.Name', []],
  ])('%s', async (path, values) => {
    expect((await got(path)).map(({ value }) => value)).toEqual(values)
  })

  it('are written and deleted row by row, all of them found before the first effect', async () => {
    const path = 'Device.T.[N>=10].Name'
    const written = run({ verb: 'set', values: [{ path, value: 'x' }] }, cpe)
    expect((await written.result).results.map((one) => one.path)).toEqual(['Device.T.2.Name', 'Device.T.3.Name'])
    expect(written.asked.filter(({ name }) => name === 'SetParameterValues')).toHaveLength(1)
    const removed = run({ verb: 'delete', paths: ['Device.T.[Name=="c"].', 'Device.T.3.'] }, cpe)
    expect(await removed.result).toEqual({ outcome: 'done', results: [{ path: 'Device.T.3.' }] })
    const nothing = run({ verb: 'set', values: [{ path: 'Device.T.[N>99].Name', value: 'x' }] }, cpe)
    expect(await nothing.result).toEqual({ outcome: 'done', results: [] })
  })
})

it('a row that is not there is gone where parts will do, and an error where not', async () => {
  const paths = ['Device.NAT.PortMapping.7.']
  expect(await run({ verb: 'delete', paths }, () => 9005).result).toMatchObject({ outcome: 'failed' })
  const partly = run({ verb: 'delete', paths, allowPartial: true }, () => 9005)
  expect(await partly.result).toEqual({ outcome: 'done', results: [{ path: paths[0] }] })
})

describe('values on the wire', () => {
  it.each([
    ['Device.WiFi.SSID.1.Enable', 'TRUE', false, '1'],
    ['Device.WiFi.SSID.1.Enable', '0', false, '0'],
    ['Device.WiFi.SSID.1.Enable', '1', true, 'true'],
    ['Device.WiFi.SSID.1.Enable', 'maybe', false, 'maybe'],
    ['Device.ManagementServer.PeriodicInformTime', '2026-01-01T00:00:00.123Z', false, '2026-01-01T00:00:00Z'],
    ['Device.ManagementServer.PeriodicInformTime', '2026-01-01T00:00:00.5+01:00', false, '2026-01-01T00:00:00+01:00'],
  ])('%s = %s is written so that devices take it', (path, value, literal, written) => {
    expect(types.toWire(path, value, undefined, literal).value).toBe(written)
  })

  it('are digits for a boolean that the device has as a number', () => {
    const path = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.Enable'
    expect(types.toWire(path, 'true', 'int')).toEqual({ name: path, value: '1', type: 'int' })
    expect(types.toWire(path, 'False', 'unsignedInt').value).toBe('0')
    expect(types.toWire(path, 'true', 'string').value).toBe('true')
  })
})
