import { describe, expect, it } from 'vitest'
import {
  asDeviceId,
  MEMBER_STATES,
  type MemberState,
  type Operation,
  type OperationRequest,
  type OperationResult,
  type Protocol,
} from '../../../src/domain/index.ts'
import { DEFAULT_LIMITS } from '../../../src/operations/limits.ts'
import { pick, type Situation } from '../../../src/operations/pick.ts'

const NOW = 10_000_000
const set: OperationRequest = { verb: 'set', values: [{ path: 'Device.X', value: '1' }] }
const get: OperationRequest = { verb: 'get', paths: ['Device.X'] }
const operate: OperationRequest = { verb: 'operate', command: 'Device.X()', input: {} }
const planned = { actor: { kind: 'planner', id: 'p' } } as const
const CWMP = { lastInformAt: NOW, events: [], version: '1.4' }
const PENDING: OperationResult = { outcome: 'pending', results: [] }

let next = 0
function op(request: OperationRequest, more: Partial<Operation> = {}): Operation {
  return {
    id: `op${String(next++)}`,
    deviceId: asDeviceId('00256D-Box-1'),
    request,
    state: 'queued',
    actor: { kind: 'apiKey', id: 'k' },
    createdAt: NOW - 1000,
    expiresAt: NOW + 1000,
    attempts: 0,
    ...more,
  }
}
const sent = (request: OperationRequest, more: Partial<Operation> = {}) =>
  op(request, { state: 'sent', sentAt: NOW - 500, sentVia: 'cwmp', instance: 'me', ...more })
const unknown = (request: OperationRequest, more: Partial<Operation> = {}) =>
  sent(request, { state: 'unknown', ...more })

/** Returns the kind of the step and the position of its operation. */
function step(
  open: Operation[],
  here: Protocol[],
  device: Partial<Situation['device']> = {},
  since = 1,
  asked = new Map<string, number>(),
): string {
  const chosen = pick({
    open,
    device: { owner: 'cwmp', ...device },
    here: new Map(here.map((protocol) => [protocol, { since, asked }])),
    instance: 'me',
    now: NOW,
    limits: DEFAULT_LIMITS,
  })
  const about = 'operation' in chosen ? ` ${open.indexOf(chosen.operation)}` : ''
  const how = 'protocol' in chosen ? ` ${chosen.protocol}` : 'why' in chosen ? ` ${chosen.why}` : ''
  const verdict = chosen.kind === 'judged' ? ` ${chosen.verdict.state} ${chosen.verdict.result.error?.code ?? ''}` : ''
  return `${chosen.kind}${about}${how}${verdict}`.trim()
}

describe('the next step', () => {
  const both: Protocol[] = ['cwmp', 'usp']
  const rows: [string, Operation[], Protocol[], Partial<Situation['device']>, string][] = [
    ['nothing open', [], both, {}, 'empty'],
    ['the oldest first', [op(set), op(set)], both, {}, 'run 0 cwmp'],
    ['a write over the owner', [op(set)], both, { owner: 'usp' }, 'run 0 usp'],
    ['a write waits for the owner', [op(set)], ['usp'], {}, 'wait contact'],
    ['a write the planner sends the other way', [op(set, { via: 'usp', ...planned })], both, {}, 'run 0 usp'],
    ['a write tied to who was the owner', [op(set, { via: 'usp' })], both, {}, 'refused 0'],
    ['a read prefers the owner', [op(get)], both, { owner: 'usp' }, 'run 0 usp'],
    ['a read takes what is there', [op(get)], ['usp'], {}, 'run 0 usp'],
    ['a write that waits holds reads behind it', [op(set), op(get)], ['usp'], {}, 'wait contact'],
    [
      'a tied read holds nothing back',
      [op(get, { via: 'cwmp' }), op(set, { via: 'usp', ...planned })],
      ['usp'],
      {},
      'run 1 usp',
    ],
    [
      'a write tied to the protocol that does not own the device holds nothing back',
      [op(set, { via: 'cwmp', ...planned }), op(set), op(get)],
      ['usp'],
      { owner: 'usp' },
      'run 1 usp',
    ],
    [
      'a write tied to the owner holds all',
      [op(set, { via: 'cwmp', ...planned }), op(set), op(get)],
      ['usp'],
      {},
      'wait contact',
    ],
    [
      'a write whose rows were read before a factory reset',
      [op(set, { bootstrapAt: 5 })],
      ['cwmp'],
      { cwmp: { ...CWMP, lastBootstrapAt: 6 } },
      'refused 0',
    ],
    [
      'a write whose rows were read after the last factory reset',
      [op(set, { bootstrapAt: 5 })],
      ['cwmp'],
      { cwmp: { ...CWMP, lastBootstrapAt: 5 } },
      'run 0 cwmp',
    ],
    ['only a tied read', [op(get, { via: 'cwmp' })], ['usp'], {}, 'wait contact'],
    ['too late', [op(set, { expiresAt: NOW })], both, {}, 'expired 0'],
    ['sent elsewhere', [sent(set, { instance: 'other' }), op(set)], both, {}, 'wait elsewhere'],
    ['sent here, but nothing runs', [sent(set), op(set)], both, {}, 'lost 0'],
    ['unknown is read first', [unknown(set), op(set)], both, {}, 'read 0 cwmp'],
    ['unknown is read over what is there', [unknown(set), op(set)], ['usp'], {}, 'read 0 usp'],
    [
      'an add that is old news',
      [unknown({ verb: 'add', object: 'Device.T.', values: {} }, { sentAt: 1 }), op(set)],
      both,
      {},
      'read 0 cwmp',
    ],
    [
      'a lost subscription of CWMP',
      [unknown({ verb: 'subscribe', id: 's', notifType: 'ValueChange', paths: ['Device.X'], enable: true })],
      both,
      {},
      'judged 0 failed outcomeUnknown',
    ],
    ['a pending reboot holds all', [sent({ verb: 'reboot' }, { result: PENDING }), op(get)], both, {}, 'wait busy'],
    ['an unknown reboot holds all', [unknown({ verb: 'reboot' }), op(set)], both, {}, 'wait busy'],
    [
      'a boot since ends it',
      [sent({ verb: 'reboot' }, { result: PENDING }), op(get)],
      both,
      { usp: { linked: true, lastSeenAt: NOW, lastBootAt: NOW - 100 } },
      'judged 0 done',
    ],
    [
      'a boot before does not',
      [sent({ verb: 'reboot' }, { result: PENDING })],
      both,
      { usp: { linked: true, lastSeenAt: NOW, lastBootAt: NOW - 600 } },
      'wait busy',
    ],
    [
      'a plain boot ends a reset that was accepted',
      [sent({ verb: 'factoryReset' }, { result: PENDING })],
      both,
      { usp: { linked: true, lastSeenAt: NOW, lastBootAt: NOW - 100 } },
      'judged 0 done',
    ],
    [
      'a plain boot ends no reset whose answer was lost',
      [unknown({ verb: 'factoryReset' })],
      both,
      { usp: { linked: true, lastSeenAt: NOW, lastBootAt: NOW - 100 } },
      'wait busy',
    ],
    ['a pending command holds no set', [sent(operate, { result: PENDING }), op(set)], both, {}, 'run 1 cwmp'],
    [
      'a pending command holds a reboot',
      [sent(operate, { result: PENDING }), op({ verb: 'reboot' })],
      both,
      {},
      'wait busy',
    ],
    [
      'a lost command, after its time',
      [unknown(operate, { sentAt: NOW - 600_001 })],
      both,
      {},
      'judged 0 failed outcomeUnknown',
    ],
    [
      'a lost command of an Agent that has no link, after two minutes',
      [unknown(operate, { sentVia: 'usp', sentAt: NOW - 120_001 })],
      ['cwmp'],
      { usp: { linked: false, lastSeenAt: NOW } },
      'judged 0 failed outcomeUnknown',
    ],
    [
      'an accepted command of an Agent whose link ended when CWMP took the device again, after two minutes',
      [sent(operate, { sentVia: 'usp', sentAt: NOW - 180_001, result: PENDING })],
      ['cwmp'],
      { usp: { linked: false, lastSeenAt: NOW, disconnectedAt: NOW - 120_001 } },
      'judged 0 failed outcomeUnknown',
    ],
    [
      'the same within two minutes after the end of the link',
      [sent(operate, { sentVia: 'usp', sentAt: NOW - 180_001, result: PENDING }), op(set)],
      ['cwmp'],
      { usp: { linked: false, lastSeenAt: NOW, disconnectedAt: NOW - 119_000 } },
      'run 1 cwmp',
    ],
    [
      'the same of a device that USP owns: its Agent may return',
      [
        sent(operate, { sentVia: 'usp', sentAt: NOW - 180_001, result: PENDING }),
        op({ verb: 'get', paths: ['Device.'] }),
      ],
      ['cwmp'],
      { owner: 'usp', usp: { linked: false, lastSeenAt: NOW, disconnectedAt: NOW - 120_001 } },
      'run 1 cwmp',
    ],
    ['a lost command, before its time', [unknown(operate, { sentAt: NOW - 599_999 }), op(set)], both, {}, 'run 1 cwmp'],
    [
      'a reboot by its command name is exclusive',
      [sent({ verb: 'operate', command: 'Device.Reboot()', input: {} }, { result: PENDING }), op(set)],
      both,
      {},
      'wait busy',
    ],
    [
      'queued before the migration began',
      [op({ verb: 'reboot' })],
      both,
      { migration: { planId: 'p', state: 'PREPARING', at: 1 } },
      'refused 0',
    ],
    [
      'the planner during the migration',
      [op({ verb: 'reboot' }, { actor: { kind: 'planner', id: 'p' } })],
      both,
      { migration: { planId: 'p', state: 'PREPARING', at: 1 } },
      'run 0 cwmp',
    ],
  ]
  it.each(rows)('%s', (_name, open, here, device, expected) => {
    expect(step(open, here, device)).toBe(expected)
  })

  it('reads the state of a diagnostic over the next CWMP session after its start', () => {
    const begun = sent(operate, { result: PENDING })
    expect(step([begun], ['cwmp'], {}, NOW - 499)).toBe('read 0 cwmp')
    expect(step([begun, op(set)], ['cwmp'], {}, NOW - 501)).toBe('run 1 cwmp')
    expect(step([begun], ['usp'], {}, NOW - 499)).toBe('wait busy')
    expect(step([unknown(operate)], ['cwmp'], {}, NOW - 499)).toBe('wait busy')
  })

  it('asks an Agent whether it runs a command, after a lost answer and at intervals', () => {
    const lost = unknown(operate, { sentVia: 'usp' })
    expect(step([lost], ['usp'], {}, NOW - 499)).toBe('read 0 usp')
    expect(step([lost], ['cwmp'], {}, NOW - 499)).toBe('wait busy')
    expect(step([lost], ['usp'], {}, NOW - 499, new Map([[lost.id, NOW - 1]]))).toBe('wait busy')
    const long = unknown(operate, { sentVia: 'usp', sentAt: NOW - 200_000 })
    expect(step([long], ['usp'], {}, NOW - 150_000, new Map([[long.id, NOW - 120_001]]))).toBe('read 0 usp')
    expect(step([long], ['usp'], {}, NOW - 150_000, new Map([[long.id, NOW - 119_999]]))).toBe('wait busy')
    expect(step([long], ['usp'], {}, NOW - 250_000)).toBe('read 0 usp')
    expect(step([sent(operate, { result: PENDING, sentVia: 'usp' })], ['usp'], {}, NOW - 499)).toBe('wait busy')
    const old = sent(operate, { result: PENDING, sentVia: 'usp', sentAt: NOW - 600_001 })
    expect(step([old, op(set)], ['usp'], { owner: 'usp' })).toBe('read 0 usp')
    expect(step([old, op(set)], ['usp'], { owner: 'usp' }, 1, new Map([[old.id, NOW - 599_000]]))).toBe('run 1 usp')
    const forgotten = sent(operate, { result: PENDING, sentVia: 'usp', sentAt: NOW - 86_400_001 })
    expect(step([forgotten], ['usp'])).toBe('judged 0 failed outcomeUnknown')
  })

  it('asks a contact after a restart once whether the device has booted', () => {
    expect(step([unknown({ verb: 'reboot' })], ['cwmp'], {}, NOW - 501)).toBe('wait busy')
    expect(step([unknown({ verb: 'reboot' })], ['usp'], {}, NOW - 499)).toBe('read 0 usp')
    expect(step([sent({ verb: 'factoryReset' }, { result: PENDING })], ['usp'], {}, NOW - 499)).toBe('read 0 usp')
    expect(step([unknown(operate)], ['usp'], {}, NOW - 499)).toBe('wait busy')
  })

  it('asks an Agent with a new link about an accepted command once the completion has had its time', () => {
    const command = sent(operate, { sentVia: 'usp', result: PENDING, sentAt: NOW - 300_000 })
    expect(step([command], ['usp'], {}, NOW - 120_001)).toBe('read 0 usp')
    expect(step([command], ['usp'], {}, NOW - 119_999)).toBe('wait busy')
    expect(step([command], ['usp'], {}, NOW - 300_001)).toBe('wait busy')
    expect(step([command], ['usp'], {}, NOW - 120_001, new Map([[command.id, NOW - 1]]))).toBe('wait busy')
  })

  it('lets only reads pass a restart whose end is not reported', () => {
    const reboot = (sentAt: number) => sent({ verb: 'reboot' }, { result: PENDING, sentAt })
    const recent = reboot(NOW - 29_999)
    expect(step([recent, op(get)], ['cwmp'])).toBe('wait busy')
    // It made a new contact, and its uptime was not conclusive.
    const asked = new Map([[recent.id, NOW - 1]])
    expect(step([recent, op(get)], ['cwmp'], {}, NOW - 1000, asked)).toBe('run 1 cwmp')
    // Its link is still open.
    const old = reboot(NOW - 30_000)
    expect(step([old, op(get)], ['usp'])).toBe('run 1 usp')
    expect(step([old, op(set)], ['usp'], { owner: 'usp' })).toBe('wait busy')
    expect(step([old, op(operate)], ['usp'], { owner: 'usp' })).toBe('wait busy')
    // A read behind a write must see the written value.
    expect(step([old, op(set), op(get)], ['usp'], { owner: 'usp' })).toBe('wait busy')
    expect(step([unknown({ verb: 'reboot' }, { sentAt: NOW - 30_000 }), op(get)], ['usp'])).toBe('run 1 usp')
  })

  const download = (more: Partial<Operation>) =>
    sent({ verb: 'download', url: 'http://127.0.0.1/', version: '2' }, { result: PENDING, ...more })
  const booted = (at: number, softwareVersion: string) => ({
    softwareVersion,
    usp: { linked: true, lastSeenAt: NOW, lastBootAt: at },
  })
  const downloads: [string, Operation, Partial<Situation['device']>, string][] = [
    ['the version after a boot', download({}), booted(NOW - 100, '2'), 'judged 0 done'],
    ['the version without a boot: it had it before', download({}), booted(1, '2'), 'wait busy'],
    ['another version just after the boot', download({}), booted(NOW - 100, '1'), 'wait busy'],
    [
      'another version long after the boot',
      download({ sentAt: NOW - 200_000 }),
      booted(NOW - 130_000, '1'),
      'judged 0 failed notApplied',
    ],
    ['no completion for an hour', download({ sentAt: NOW - 3_600_001 }), {}, 'judged 0 failed outcomeUnknown'],
  ]
  it.each(downloads)('a download: %s', (_name, operation, device, expected) => {
    expect(step([operation], ['cwmp'], device)).toBe(expected)
  })
})

describe('the USP link of a device that CWMP owns', () => {
  const planner = { ...planned, via: 'usp' } as const
  /**
   * Steps of a read, of a read of the planner over USP, and of a write of the planner over USP, when only the link is
   * usable.
   */
  const steps = (state: MemberState | undefined) => {
    const migration = state === undefined ? {} : { migration: { planId: 'p', state, at: 1 } }
    return [op(get), op(get, planner), op(set, planner)].map((one) => step([one], ['usp'], migration)).join(', ')
  }
  const ALL = 'run 0 usp, run 0 usp, run 0 usp'
  const PLANNER = 'wait contact, run 0 usp, run 0 usp'
  const NONE = 'wait contact, wait contact, wait contact'
  const used: Record<MemberState, string> = {
    UNASSESSED: ALL,
    INELIGIBLE: ALL,
    BLOCKED: ALL,
    ELIGIBLE: ALL,
    QUEUED: ALL,
    PREPARING: ALL,
    AWAITING_USP: ALL,
    BINDING: ALL,
    VERIFYING: ALL,
    DUAL: ALL,
    RETIRING: ALL,
    MIGRATED: ALL,
    ROLLING_BACK: PLANNER,
    BACKOFF: NONE,
    ROLLED_BACK: NONE,
    FAILED: NONE,
    QUARANTINED: NONE,
    STRANDED: NONE,
    CONFLICT: NONE,
    REGRESSED: NONE,
    CANCELLED: NONE,
  }

  it.each(MEMBER_STATES.map((state) => [state, used[state]] as const))('in %s serves: %s', (state, expected) => {
    expect(steps(state)).toBe(expected)
  })

  it('that was never migrated serves reads', () => {
    expect(steps(undefined)).toBe(ALL)
  })

  it('that was rolled back is not used to reconcile operations that were sent over it', () => {
    const migration = { planId: 'p', state: 'ROLLED_BACK', at: 1 } as const
    expect(step([unknown(set, { sentVia: 'usp' })], ['usp'], { migration })).toBe('wait contact')
    expect(step([unknown(set, { sentVia: 'usp' })], ['usp', 'cwmp'], { migration })).toBe('read 0 cwmp')
    expect(step([op(get)], ['usp'], { owner: 'usp', migration })).toBe('run 0 usp')
  })
})
