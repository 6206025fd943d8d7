import { describe, expect, it } from 'vitest'
import { IllegalTransition, printTable } from '../../../src/base/index.ts'
import { deviceIdOf, MEMBER_STATES, type MemberState, type PlanMember } from '../../../src/device/index.ts'
import {
  afterRollback,
  backoffMs,
  ENDED,
  FAILED_STATES,
  IN_FLIGHT,
  MEMBER_TABLE,
  type MemberEventType,
  planSettings,
  reduce,
} from '../../../src/planner/index.ts'

const settings = planSettings(
  { awaitUspTimeoutMs: 5000, verifyTimeoutMs: 7000, offlineTimeoutMs: 9000, retryBackoffMs: 1000, maxAttempts: 3 },
  {
    endpointId: 'proto::isthmus',
    host: 'usp.example.com',
    port: 443,
    path: '/usp',
    tls: true,
    periodicNotifIntervalS: 60,
  },
)
const context = { now: 1000, actor: 'planner', settings }
const ALL_EVENTS = [...new Set(Object.values(MEMBER_TABLE).flatMap((row) => Object.keys(row)))] as MemberEventType[]

function memberIn(state: MemberState, more: Partial<PlanMember> = {}): PlanMember {
  const deviceId = deviceIdOf({ oui: '00256D', productClass: 'Box', serial: '1' })
  return {
    id: `p|${deviceId}`,
    planId: 'p',
    deviceId,
    state,
    step: '',
    cursor: {},
    attempt: 0,
    nextAt: 0,
    history: [],
    enteredAt: 0,
    revision: 1,
    ...more,
  }
}

describe('the per-device machine', () => {
  it('reads like the figure of the design', () => {
    const path = (events: MemberEventType[]) =>
      events.reduce<MemberState>((state, type) => reduce(memberIn(state), { type }, context).member.state, 'UNASSESSED')
    const way: MemberEventType[] = [
      'assessedEligible',
      'queue',
      'start',
      'prepared',
      'agentArrived',
      'bound',
      'verified',
    ]
    expect(path(way)).toBe('DUAL')
    expect(path([...way, 'soakOver', 'retired'])).toBe('MIGRATED')
    expect(path([...way, 'soakOver', 'retired', 'bootstrapSeen', 'assessedEligible'])).toBe('ELIGIBLE')
    expect(path([...way, 'linkLost', 'rollbackDone', 'retry'])).toBe('UNASSESSED')
  })

  it('has the same transitions as the diagram of the document', () => {
    expect(`${printTable(MEMBER_TABLE)}\n`).toMatchSnapshot()
  })

  it.each(MEMBER_STATES.flatMap((state) => ALL_EVENTS.map((type) => [state, type] as const)))(
    'in %s takes %s by the table, or refuses it with both names',
    (state, type) => {
      const to = MEMBER_TABLE[state][type]
      const run = () => reduce(memberIn(state), { type }, context)
      if (to === undefined) {
        expect(run).toThrow(IllegalTransition)
        return
      }
      const { member } = run()
      expect(member.state).toBe(to)
      expect(member.history.at(-1)).toMatchObject({ from: state, to, event: type, actor: 'planner', at: 1000 })
      expect(member.endedAt).toBe(ENDED.includes(to) ? 1000 : undefined)
      expect(member.enteredAt).toBe(1000)
    },
  )

  it('reaches every state from the first one', () => {
    const reached = new Set<MemberState>(['UNASSESSED'])
    for (const state of reached) for (const to of Object.values(MEMBER_TABLE[state])) reached.add(to)
    expect([...reached].sort()).toEqual([...MEMBER_STATES].sort())
  })

  it('leads every device that is half way through ROLLING_BACK or to a person, never straight to a failure', () => {
    for (const state of IN_FLIGHT) {
      if (state === 'ROLLING_BACK') continue
      for (const to of Object.values(MEMBER_TABLE[state])) {
        if (to !== 'CONFLICT') expect(FAILED_STATES).not.toContain(to)
      }
    }
  })

  it('leaves no state in which nothing happens and nobody can do anything', () => {
    for (const state of MEMBER_STATES) expect(Object.keys(MEMBER_TABLE[state]).length, state).toBeGreaterThan(0)
  })
})

describe('the reducer', () => {
  it('counts attempts when a device starts, and gives one back that never began', () => {
    const started = reduce(memberIn('QUEUED', { cursor: { tries: 1 }, attempt: 4 }), { type: 'start' }, context).member
    expect(started).toMatchObject({ attempt: 5, cursor: { tries: 2 }, step: 'snapshot', startedAt: 1000 })
    const back = reduce(started, { type: 'offline' }, context).member
    expect(back).toMatchObject({ attempt: 5, cursor: { tries: 1 }, state: 'QUEUED', deadlineAt: 10_000 })
  })

  it('gives the states that can time out their deadline', () => {
    expect(reduce(memberIn('PREPARING'), { type: 'prepared' }, context).member.deadlineAt).toBe(6000)
    expect(reduce(memberIn('BINDING'), { type: 'bound' }, context).member.deadlineAt).toBe(8000)
    expect(reduce(memberIn('QUEUED'), { type: 'start' }, context).member.deadlineAt).toBeUndefined()
  })

  it('remembers the first failure until the undoing is over', () => {
    const reason = { code: '9001', text: 'request denied' }
    const failing = memberIn('VERIFYING', { cursor: { tries: 1, created: ['Device.X.1.'] } })
    const { member } = reduce(failing, { type: 'verifyFailed', reason, retryable: true }, context)
    expect(member.cursor).toMatchObject({
      created: ['Device.X.1.'],
      failure: { code: '9001', retryable: true, from: 'VERIFYING' },
    })
    const aborted = reduce(member, { type: 'abort' }, context).member
    expect(aborted.cursor).toMatchObject({ aborted: true, failure: { code: '9001' } })
    expect(member.reason).toEqual(reason)
  })

  it('hands the device to the protocol that works before anything else happens', () => {
    expect(reduce(memberIn('VERIFYING'), { type: 'verified' }, context).effects).toContainEqual({
      kind: 'owner',
      protocol: 'usp',
    })
    for (const [state, type] of [
      ['DUAL', 'linkLost'],
      ['RETIRING', 'stepFailed'],
      ['MIGRATED', 'bootstrapSeen'],
    ] as const) {
      expect(reduce(memberIn(state), { type }, context).effects).toContainEqual({ kind: 'owner', protocol: 'cwmp' })
    }
  })

  it('gives up what a left state still has in the queue', () => {
    expect(reduce(memberIn('PREPARING'), { type: 'abort' }, context).effects).toContainEqual({
      kind: 'cancelOperations',
    })
    expect(reduce(memberIn('PREPARING'), { type: 'prepared' }, context).effects).toEqual([])
  })

  it('forgets nothing that lies on the box when a person asks again, and everything when the box was reset', () => {
    const cursor = { tries: 3, created: ['Device.X.1.'] }
    const again = reduce(memberIn('FAILED', { cursor }), { type: 'retry' }, context).member.cursor
    expect(again).toEqual({ created: ['Device.X.1.'] })
    expect(reduce(memberIn('MIGRATED', { cursor }), { type: 'bootstrapSeen' }, context).member.cursor).toEqual({})
  })

  it('keeps a bounded history', () => {
    let member = memberIn('QUEUED')
    for (let i = 0; i < 100; i++) {
      member = reduce(member, { type: 'start' }, context).member
      member = reduce(member, { type: 'offline' }, context).member
    }
    expect(member.history.length).toBe(60)
  })

  it('drops the reason of a failure once the device goes on well', () => {
    const member = memberIn('QUEUED', { reason: { code: 'x', text: 'y' } })
    expect(reduce(member, { type: 'start' }, context).member.reason).toBeUndefined()
  })
})

describe('what an undone attempt leads to', () => {
  const undone = (cursor: Record<string, unknown>) => afterRollback(memberIn('ROLLING_BACK', { cursor }), settings).type
  const failure = { code: 'x', text: 'y', retryable: true, from: 'PREPARING' }

  it('is another attempt while one is left and can help', () => {
    expect(undone({ tries: 1, failure })).toBe('rollbackRetry')
    expect(undone({ tries: 2, failure })).toBe('rollbackRetry')
  })

  it('is quarantine when all attempts are used up', () => {
    expect(undone({ tries: 3, failure })).toBe('rollbackExhausted')
  })

  it('is the end when no attempt can help, or a person has aborted', () => {
    expect(undone({ tries: 1, failure: { ...failure, retryable: false } })).toBe('rollbackDone')
    expect(undone({ tries: 1, failure, aborted: true })).toBe('rollbackDone')
  })

  it('waits twice as long after each try, at most a day', () => {
    expect([1, 2, 3].map((tries) => backoffMs(1000, tries))).toEqual([1000, 2000, 4000])
    expect(backoffMs(60_000, 20)).toBe(86_400_000)
  })
})
