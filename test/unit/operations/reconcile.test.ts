import { describe, expect, it } from 'vitest'
import {
  asDeviceId,
  type Operation,
  type OperationRequest,
  type OperationResult,
  outcomeError,
  type Protocol,
} from '../../../src/domain/index.ts'
import { isRunning, judge, readsToReconcile } from '../../../src/operations/reconcile.ts'
import { modelOf, set } from '../../support/operations-world.ts'

const NOW = 1_000_000
const SUBSCRIPTION = 'Device.LocalAgent.Subscription.'
const T = 'Device.NAT.PortMapping.'

function unknown(request: OperationRequest, instances?: string[], sentVia: Protocol = 'usp'): Operation {
  const operation: Operation = {
    id: 'op',
    deviceId: asDeviceId('00256D-Box-1'),
    request,
    state: 'unknown',
    actor: { kind: 'apiKey', id: 'k' },
    createdAt: 1,
    expiresAt: 2,
    sentAt: 1,
    sentVia,
    attempts: 0,
  }
  if (instances !== undefined) operation.baseline = { instances }
  return operation
}

const found = (values: Record<string, string>): OperationResult => ({
  outcome: 'done',
  results: Object.entries(values).map(([path, value]) => ({ path, value })),
})
const missing = (path: string, code = '7026'): OperationResult => ({
  outcome: 'failed',
  results: [{ path, error: outcomeError(code, 'no such path') }],
  error: outcomeError(code, 'no such path'),
})
const broken: OperationResult = { outcome: 'failed', results: [], error: outcomeError(9002, 'internal error', true) }

function verdict(operation: Operation, ...reads: OperationResult[]): string {
  const judged = judge(operation, reads, modelOf('tr181-usp'), NOW)
  if (judged === undefined) return 'undecided'
  const { error, results } = judged.result
  const created = results.find((result) => result.created !== undefined)?.created
  const bad = results.filter((result) => result.error !== undefined).map(({ path }) => path)
  return [judged.state, error?.code, error?.retryable === true ? 'retryable' : undefined, created, ...bad]
    .filter((part) => part !== undefined)
    .join(' ')
}

const ssid = 'Device.WiFi.SSID.1.SSID'
const enable = 'Device.WiFi.SSID.1.Enable'
const password = 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase'
const both: OperationRequest = {
  verb: 'set',
  values: [
    { path: ssid, value: 'a' },
    { path: password, value: 'secret12' },
  ],
}

describe('a set is reconciled by reading its values back', () => {
  const rows: [string, OperationRequest, OperationResult, string][] = [
    ['equal', set(ssid, 'a'), found({ [ssid]: 'a' }), 'done'],
    ['equal by type: 1 is true', set(enable, '1'), found({ [enable]: 'true' }), 'done'],
    ['other', set(ssid, 'a'), found({ [ssid]: 'b' }), `failed notApplied retryable ${ssid}`],
    ['gone', set(ssid, 'a'), missing(ssid), `failed notApplied retryable ${ssid}`],
    ['a read that failed for its own reason', set(ssid, 'a'), broken, 'undecided'],
    ['secrets read empty, the rest holds', both, found({ [ssid]: 'a', [password]: '' }), 'done'],
    [
      'secrets read empty, the rest does not hold',
      both,
      found({ [ssid]: 'x', [password]: '' }),
      `failed notApplied retryable ${ssid}`,
    ],
    ['nothing but a secret', set(password, 'secret12'), found({ [password]: '' }), 'failed outcomeUnknown'],
    [
      'a partial set with a secret',
      { ...both, allowPartial: true } as OperationRequest,
      found({ [ssid]: 'a', [password]: '' }),
      'failed outcomeUnknown',
    ],
  ]
  it.each(rows)('%s', (_name, request, read, expected) => {
    expect(verdict(unknown(request), read)).toBe(expected)
  })

  it('reads each search path alone', () => {
    const request: OperationRequest = {
      verb: 'set',
      values: [
        { path: 'Device.WiFi.SSID.*.Enable', value: 'true' },
        { path: ssid, value: 'a' },
        { path: 'Device.WiFi.Radio.*.Enable', value: 'false' },
      ],
    }
    const operation = unknown(request)
    expect(readsToReconcile(operation)).toEqual([[ssid], ['Device.WiFi.SSID.*.Enable'], ['Device.WiFi.Radio.*.Enable']])
    const radio = 'Device.WiFi.Radio.1.Enable'
    expect(verdict(operation, found({ [ssid]: 'a' }), found({ [enable]: 'true' }), found({ [radio]: 'false' }))).toBe(
      'done',
    )
    expect(verdict(operation, found({ [ssid]: 'a' }), found({ [enable]: 'true' }), found({ [radio]: 'true' }))).toBe(
      `failed notApplied retryable ${radio}`,
    )
  })
})

describe('an add is reconciled by the new rows', () => {
  const add: OperationRequest = { verb: 'add', object: T, values: { ExternalPort: '80', Enable: 'true' } }
  const row = (i: number, port: string) => ({ [`${T}${i}.ExternalPort`]: port, [`${T}${i}.Enable`]: '1' })
  const rows: [string, string[] | undefined, OperationResult, string][] = [
    ['one new row', [`${T}1.`], found({ ...row(1, '80'), ...row(2, '80') }), `done ${T}2.`],
    ['none', [`${T}1.`], found(row(1, '80')), 'failed notExecuted retryable'],
    ['none, the table is empty', [], missing(T), 'failed notExecuted retryable'],
    ['none, the table is empty in CWMP', [], missing(T, '9005'), 'failed notExecuted retryable'],
    ['a row whose values did not arrive', [], found(row(1, '0')), `failed incomplete ${T}1. ${T}1.ExternalPort`],
    [
      'another row under a new number is not taken for it',
      [`${T}1.`],
      found(row(2, '0')),
      `failed outcomeUnknown ${T}2.`,
    ],
    ['its row beside rows with new numbers', [`${T}1.`], found({ ...row(2, '0'), ...row(3, '80') }), `done ${T}3.`],
    ['several, one fits', [], found({ ...row(1, '0'), ...row(2, '80') }), `done ${T}2.`],
    ['several fit', [], found({ ...row(1, '80'), ...row(2, '80') }), `failed outcomeUnknown ${T}1. ${T}2.`],
    ['several, none fits', [], found({ ...row(1, '1'), ...row(2, '2') }), `failed outcomeUnknown ${T}1. ${T}2.`],
    ['no baseline: the outcome is unknown', undefined, found(row(1, '80')), 'failed outcomeUnknown'],
    ['a read that failed', [], broken, 'undecided'],
  ]
  it.each(rows)('%s', (_name, instances, read, expected) => {
    expect(verdict(unknown(add, instances), read)).toBe(expected)
  })

  it('as done where the values that did not arrive are not required', () => {
    const read = found(row(1, '0'))
    expect(verdict(unknown({ ...add, allowPartial: true }, []), read)).toBe(`done ${T}1. ${T}1.ExternalPort`)
    expect(verdict(unknown({ ...add, optional: ['ExternalPort'] }, []), read)).toBe(`done ${T}1. ${T}1.ExternalPort`)
  })
})

describe('a delete is reconciled by the rows that are gone', () => {
  const remove: OperationRequest = { verb: 'delete', paths: [`${T}1.`, `${T}2.`] }
  const whole: OperationResult = { outcome: 'failed', results: [], error: outcomeError('7016', 'no such object') }
  const rows: [string, OperationResult[], string][] = [
    ['all gone', [missing(`${T}1.`), missing(`${T}2.`, '7016')], 'done'],
    ['gone, and the Message was refused as a whole', [missing(`${T}1.`), whole], 'done'],
    ['one stands without readable parameters', [missing(`${T}1.`), found({})], `failed notExecuted retryable ${T}2.`],
    ['one is left', [missing(`${T}1.`), found({ [`${T}2.Enable`]: '1' })], `failed notExecuted retryable ${T}2.`],
    ['a read that failed', [missing(`${T}1.`), broken], 'undecided'],
  ]
  it.each(rows)('%s', (_name, reads, expected) => {
    expect(verdict(unknown(remove), ...reads)).toBe(expected)
  })

  it('has done a search path that finds nothing any more', () => {
    const search: OperationRequest = { verb: 'delete', paths: [`${T}*.`] }
    expect(verdict(unknown(search), found({}))).toBe('done')
    expect(verdict(unknown(search), found({ [`${T}2.Enable`]: '1' }))).toBe(`failed notExecuted retryable ${T}*.`)
  })
})

describe('a subscription is reconciled by its row', () => {
  const subscribe = (on: boolean): OperationRequest => ({
    verb: 'subscribe',
    id: 's1',
    notifType: 'Event',
    paths: ['Device.Boot!'],
    enable: on,
  })
  const OWN = 'Device.LocalAgent.Controller.1'
  const row = (id: string, on: string, other: Record<string, string | undefined> = {}) => {
    const values = { ID: id, Enable: on, NotifType: 'Event', ReferenceList: 'Device.Boot!', Recipient: OWN, ...other }
    const shown = Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [[`${SUBSCRIPTION}4.${name}`, value] as const],
    )
    return found(Object.fromEntries(shown))
  }
  const others = row('s1', 'true', { Recipient: 'Device.LocalAgent.Controller.2' })
  const asked = (on: boolean, recipient: string | undefined = `${OWN}.`): Operation => ({
    ...unknown(subscribe(on)),
    ...(recipient === '' ? {} : { baseline: { recipient } }),
  })
  const rows: [string, boolean, OperationResult, string][] = [
    ['stands', true, row('s1', 'true'), 'done'],
    ['stands disabled', true, row('s1', 'false'), 'failed notExecuted retryable'],
    ['is another one', true, row('s2', 'true'), 'failed notExecuted retryable'],
    ['none at all', true, missing(SUBSCRIPTION), 'failed notExecuted retryable'],
    ['removed', false, row('s2', 'true'), 'done'],
    ['not removed', false, row('s1', 'true'), 'failed notExecuted retryable'],
    ['not removed, of another list', false, row('s1', 'true', { ReferenceList: 'A!' }), 'failed notExecuted retryable'],
    ['the old list stands', true, row('s1', 'true', { ReferenceList: 'A!' }), 'failed notExecuted retryable'],
    ['the old type stands', true, row('s1', 'true', { NotifType: 'ValueChange' }), 'failed notExecuted retryable'],
    ['a list that is hidden', true, row('s1', 'true', { ReferenceList: undefined }), 'failed outcomeUnknown retryable'],
    ['a recipient that is hidden', true, row('s1', 'true', { Recipient: undefined }), 'done'],
    ['that of another Controller stands', true, others, 'failed notExecuted retryable'],
    ['removed, and that of another Controller stands', false, others, 'done'],
  ]
  it.each(rows)('%s', (_name, on, read, expected) => {
    expect(verdict(asked(on), read)).toBe(expected)
  })

  it('cannot be told from that of another Controller while the own row is not known', () => {
    expect(verdict(asked(true, ''), others)).toBe('failed outcomeUnknown retryable')
    expect(verdict(asked(false, ''), others)).toBe('failed outcomeUnknown retryable')
    expect(verdict(asked(false, ''), row('s2', 'true'))).toBe('done')
  })

  it('has the items of its list in any order', () => {
    const two: OperationRequest = { ...subscribe(true), paths: ['Device.Boot!', 'Device.A!'] } as OperationRequest
    const operation = { ...asked(true), request: two }
    expect(verdict(operation, row('s1', 'true', { ReferenceList: 'Device.A!, Device.Boot!' }))).toBe('done')
  })

  it('has nothing to read in CWMP', () => {
    expect(readsToReconcile(unknown(subscribe(true), undefined, 'cwmp'))).toEqual([])
    expect(verdict(unknown(subscribe(true), undefined, 'cwmp'))).toBe('failed outcomeUnknown retryable')
  })
})

it('a command over a search path that runs no more keeps the outcome of the rows that have ended', () => {
  const request: OperationRequest = { verb: 'operate', command: 'Device.X.*.T()', input: {} }
  const results = [
    { path: 'Device.X.1.T()', output: { R: '1' } },
    { path: 'Device.X.2.T()', pending: true as const },
  ]
  const accepted: Operation = { ...unknown(request), state: 'sent', result: { outcome: 'pending', results } }
  expect(verdict(accepted, found({}))).toBe('failed outcomeUnknown Device.X.2.T()')
  const early = { outcome: 'pending' as const, results: [{ path: 'Device.X.*.T()', pending: true as const }] }
  expect(verdict({ ...accepted, sentAt: NOW - 1000, result: early }, found({}))).toBe('undecided')
})

describe('an add of several rows whose answer was lost', () => {
  const A = 'Device.X_A.'
  const B = 'Device.X_B.'
  const lost = (baseline: string[]): Operation => ({
    ...unknown({
      verb: 'add',
      object: A,
      values: { Name: 'one' },
      more: [
        { object: A, values: { Name: 'two' } },
        { object: B, values: { Name: 'b' } },
      ],
    }),
    baseline: { instances: baseline },
  })

  it('is reconciled table by table, rows of one table by their values', () => {
    expect(readsToReconcile(lost([]))).toEqual([[A], [B]])
    const rows = found({ [`${A}1.Name`]: 'old', [`${A}2.Name`]: 'two', [`${A}3.Name`]: 'one' })
    expect(verdict(lost([`${A}1.`]), rows, found({ [`${B}7.Name`]: 'b' }))).toMatch(/^done/)
    expect(verdict(lost([`${A}1.`]), found({ [`${A}1.Name`]: 'old' }), found({}))).toMatch(/^failed notExecuted/)
    expect(verdict(lost([`${A}1.`]), rows, found({}))).toBe(`failed incomplete ${A}3. ${B}`)
    const others = found({ [`${A}2.Name`]: 'x', [`${A}3.Name`]: 'one' })
    expect(verdict(lost([]), others, found({ [`${B}7.Name`]: 'b' }))).toMatch(/^failed outcomeUnknown/)
  })
})

describe('a restart is reconciled by the uptime', () => {
  const UPTIME = 'Device.DeviceInfo.UpTime'
  const restart: Operation = { ...unknown({ verb: 'reboot' }), sentAt: NOW - 60_000 }
  const rows: [string, OperationResult, string][] = [
    ['booted since', found({ [UPTIME]: '59' }), 'done'],
    ['not yet', found({ [UPTIME]: '60' }), 'undecided'],
    ['no uptime', missing(UPTIME), 'undecided'],
    ['no number', found({ [UPTIME]: 'long' }), 'undecided'],
  ]
  it.each(rows)('%s', (_name, read, expected) => {
    expect(verdict(restart, read)).toBe(expected)
  })

  it('in whole seconds: a boot in the second before the send does not count', () => {
    const quick: Operation = { ...restart, sentAt: NOW - 500 }
    expect(verdict(quick, found({ [UPTIME]: '0' }))).toBe('undecided')
  })

  it('of the Agent as well, after a reset over USP', () => {
    const reset: Operation = { ...unknown({ verb: 'factoryReset' }, undefined, 'usp'), sentAt: NOW - 60_000 }
    expect(readsToReconcile(reset)).toEqual([[UPTIME], ['Device.LocalAgent.UpTime']])
    const host = found({ [UPTIME]: '86400' })
    expect(verdict(reset, host, found({ 'Device.LocalAgent.UpTime': '59' }))).toBe('done')
    expect(verdict(reset, host, missing('Device.LocalAgent.UpTime'))).toBe('undecided')
  })

  it('reads it below the root of the device', () => {
    expect(readsToReconcile(restart, 'InternetGatewayDevice.')).toEqual([['InternetGatewayDevice.DeviceInfo.UpTime']])
  })
})

describe('a command', () => {
  it('waits for a completion', () => {
    const command = unknown({ verb: 'operate', command: 'Device.X()', input: {} }, undefined, 'cwmp')
    expect(readsToReconcile(command)).toEqual([])
    expect(verdict(command)).toBe('failed outcomeUnknown')
  })
})

describe('a diagnostic that a CPE runs', () => {
  const object = 'Device.IP.Diagnostics.IPPing.'
  const begun: Operation = {
    ...unknown({ verb: 'operate', command: 'Device.IP.Diagnostics.IPPing()', input: {} }, undefined, 'cwmp'),
    state: 'sent',
    result: { outcome: 'pending', results: [] },
  }
  const state = (text: string) => found({ [`${object}DiagnosticsState`]: text, [`${object}SuccessCount`]: '4' })

  it.each([
    ['Requested', 'undecided'],
    ['', 'undecided'],
    ['Complete', 'done'],
    ['Completed', 'done'],
    ['Error_CannotResolveHostName', 'done'],
    ['None', 'failed cancelled retryable'],
    ['Canceled', 'failed cancelled retryable'],
  ])('is by its state %s %s', (text, expected) => {
    expect(readsToReconcile(begun)).toEqual([[object]])
    expect(verdict(begun, state(text))).toBe(expected)
  })

  it('has the results that the command has over USP', () => {
    const judged = judge(begun, [state('Completed')], modelOf('tr181-cwmp'), NOW)
    expect(judged?.result.output).toEqual({ Status: 'Complete', SuccessCount: '4' })
  })
})

describe('a command that an Agent runs', () => {
  const request: OperationRequest = { verb: 'operate', command: 'Device.SoftwareModules.InstallDU()', input: {} }
  const pending: Operation = { ...unknown(request), state: 'sent', result: { outcome: 'pending', results: [] } }
  const rows = (key: string) => found({ 'Device.LocalAgent.Request.4.CommandKey': key })

  it('is looked for among its Requests', () => {
    expect(readsToReconcile(pending)).toEqual([['Device.LocalAgent.Request.']])
    expect(readsToReconcile(unknown(request))).toEqual([['Device.LocalAgent.Request.']])
    expect(isRunning(unknown(request), [rows('op')])).toBe(true)
    expect(isRunning(unknown(request), [rows('other')])).toBe(false)
  })

  it.each([
    ['its row is there', pending, rows('op'), 'undecided'],
    ['its row is gone', pending, rows('other'), 'failed outcomeUnknown'],
    ['no row at all', pending, found({}), 'failed outcomeUnknown'],
    ['the Agent has no such table', pending, missing('Device.LocalAgent.Request.'), 'undecided'],
    ['no row after a lost answer', { ...unknown(request), sentAt: NOW - 119_999 }, found({}), 'undecided'],
    [
      'no row long after a lost answer',
      { ...unknown(request), sentAt: NOW - 120_000 },
      found({}),
      'failed outcomeUnknown',
    ],
    ['a row long after a lost answer', { ...unknown(request), sentAt: NOW - 120_000 }, rows('op'), 'undecided'],
  ])('%s', (_name, operation, read, expected) => {
    expect(verdict(operation, read)).toBe(expected)
  })
})
