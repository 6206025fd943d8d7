import { describe, expect, it } from 'vitest'
import {
  deviceIdOf,
  ENDED,
  HOLDING,
  IN_FLIGHT,
  MEMBER_STATES,
  type MemberState,
  PLANNER,
  type PlanMember,
} from '../../../src/domain/index.ts'
import { MEMBER_TABLE, type MemberEvent, reduce } from '../../../src/planner/index.ts'
import { ANN } from '../../support/actors.ts'

const time = (at: number) => ({ at, serviceMs: at + 1000 })

function member(state: MemberState, more: Partial<PlanMember> = {}): PlanMember {
  return {
    id: 'p|d',
    planId: 'p',
    deviceId: deviceIdOf({ oui: '0C96BF', productClass: 'CPE', serial: '1' }),
    state,
    step: 'controller',
    done: ['controller'],
    facts: { controllerRow: 'Device.USPAgent.Controller.2.' },
    attempt: 1,
    visit: 3,
    history: [],
    enteredAt: 0,
    enteredMs: 0,
    revision: 7,
    ...more,
  }
}

/** Every state reachable from one by the given events. */
function reach(from: MemberState, allowed: (event: string) => boolean): Set<MemberState> {
  const seen = new Set<MemberState>([from])
  for (const state of seen)
    for (const [event, to] of Object.entries(MEMBER_TABLE[state])) if (allowed(event)) seen.add(to as MemberState)
  return seen
}

describe('the per-device machine', () => {
  it('is this one', () => {
    const lines = MEMBER_STATES.map((state) => {
      const arrows = Object.entries(MEMBER_TABLE[state]).map(([event, to]) => `${event} -> ${to}`)
      return `${state}: ${arrows.join(', ')}`
    })
    expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
      "
      UNASSESSED: ineligible -> INELIGIBLE, blocked -> BLOCKED, eligible -> ELIGIBLE, alreadyThere -> MIGRATED, abort -> CANCELLED, gone -> CANCELLED
      INELIGIBLE: retry -> UNASSESSED, gone -> CANCELLED
      BLOCKED: retry -> UNASSESSED, abort -> CANCELLED, gone -> CANCELLED
      ELIGIBLE: queue -> QUEUED, abort -> CANCELLED, gone -> CANCELLED
      QUEUED: start -> PREPARING, blocked -> BLOCKED, alreadyThere -> MIGRATED, abort -> CANCELLED, gone -> CANCELLED
      PREPARING: prepared -> AWAITING_USP, conflict -> CONFLICT, fail -> ROLLING_BACK, abort -> ROLLING_BACK, rollback -> ROLLING_BACK, gone -> CANCELLED
      AWAITING_USP: agentHere -> BINDING, conflict -> CONFLICT, fail -> ROLLING_BACK, abort -> ROLLING_BACK, rollback -> ROLLING_BACK, gone -> CANCELLED
      BINDING: bound -> VERIFYING, conflict -> CONFLICT, fail -> ROLLING_BACK, abort -> ROLLING_BACK, rollback -> ROLLING_BACK, gone -> CANCELLED
      VERIFYING: verified -> DUAL, conflict -> CONFLICT, fail -> ROLLING_BACK, abort -> ROLLING_BACK, rollback -> ROLLING_BACK, gone -> CANCELLED
      DUAL: soakOver -> RETIRING, fail -> ROLLING_BACK, abort -> ROLLING_BACK, rollback -> ROLLING_BACK, gone -> CANCELLED
      RETIRING: retired -> MIGRATED, fail -> ROLLING_BACK, abort -> ROLLING_BACK, rollback -> ROLLING_BACK, gone -> CANCELLED
      MIGRATED: rollback -> ROLLING_BACK, regress -> REGRESSED, reset -> UNASSESSED, left -> CANCELLED, gone -> CANCELLED
      ROLLING_BACK: rolledBack -> ROLLED_BACK, tryLater -> BACKOFF, again -> QUEUED, giveUp -> QUARANTINED, rollbackFailed -> FAILED, stranded -> STRANDED, gone -> CANCELLED
      BACKOFF: again -> QUEUED, abort -> ROLLED_BACK, gone -> CANCELLED
      ROLLED_BACK: retry -> QUEUED, gone -> CANCELLED
      FAILED: retry -> ROLLING_BACK, rollback -> ROLLING_BACK, gone -> CANCELLED
      QUARANTINED: retry -> QUEUED, gone -> CANCELLED
      STRANDED: retry -> ROLLING_BACK, rollback -> ROLLING_BACK, came -> ROLLING_BACK, gone -> CANCELLED
      CONFLICT: retry -> ROLLING_BACK, abort -> ROLLING_BACK, rollback -> ROLLING_BACK, gone -> CANCELLED
      REGRESSED: reassess -> UNASSESSED, retry -> UNASSESSED, abort -> CANCELLED, gone -> CANCELLED
      CANCELLED: retry -> UNASSESSED
      "
    `)
  })

  it('leads from the start to every state, and from every state that has not ended to an end', () => {
    expect([...reach('UNASSESSED', () => true)].sort()).toEqual([...MEMBER_STATES].sort())
    for (const state of MEMBER_STATES) {
      const ends = [...reach(state, () => true)].filter((to) => ENDED.includes(to))
      expect(ends.length, state).toBeGreaterThan(0)
    }
  })

  it('leaves a device that a plan has written on only through the rollback, a reset or its deletion', () => {
    for (const state of HOLDING) {
      for (const [event, to] of Object.entries(MEMBER_TABLE[state]) as [MemberEvent, MemberState][]) {
        if (HOLDING.includes(to)) continue
        if (state === 'ROLLING_BACK') expect(['rolledBack', 'tryLater', 'again', 'giveUp', 'gone']).toContain(event)
        else expect(['gone', 'regress', 'reset', 'left']).toContain(event)
      }
    }
    expect(IN_FLIGHT.filter((state) => Object.values(MEMBER_TABLE[state]).includes('MIGRATED'))).toEqual(['RETIRING'])
  })

  it('takes the deletion of the device in every state but CANCELLED', () => {
    for (const state of MEMBER_STATES)
      expect(MEMBER_TABLE[state].gone, state).toBe(state === 'CANCELLED' ? undefined : 'CANCELLED')
  })

  it('refuses what the table does not know', () => {
    expect(() => reduce(member('QUEUED'), 'verified', time(1), PLANNER)).toThrow(/QUEUED.*verified|verified.*QUEUED/)
  })

  it('notes who, when, why, and keeps the reason of a failure until the next attempt', () => {
    const why = { code: '9001', text: 'refused' }
    const failed = reduce(member('PREPARING', { waiting: 'operation', deadlineMs: 9 }), 'fail', time(5), PLANNER, {
      reason: why,
      evidence: { step: 'mtp' },
      facts: { afterwards: 'retry' },
    })
    expect(failed).toMatchObject({ state: 'ROLLING_BACK', step: '', done: [], visit: 4, enteredAt: 5, reason: why })
    expect(failed).toMatchObject({ dueMs: 1005, enteredMs: 1005, facts: { afterwards: 'retry' } })
    expect(failed.history).toEqual([
      {
        at: 5,
        from: 'PREPARING',
        to: 'ROLLING_BACK',
        event: 'fail',
        actor: 'planner',
        code: '9001',
        reason: 'refused',
        evidence: { step: 'mtp' },
      },
    ])
    expect(failed).not.toHaveProperty('waiting')
    expect(failed).not.toHaveProperty('deadlineMs')
    const back = reduce(failed, 'tryLater', time(6), PLANNER)
    expect(back).toMatchObject({ state: 'BACKOFF', reason: why })
    const again = reduce(back, 'again', time(7), PLANNER)
    // A plan that has paused by its failures names them.
    expect(again).toMatchObject({ state: 'QUEUED', attempt: 2, waiting: 'place', facts: {}, reason: why })
    for (const gone of ['endedAt', 'dueMs']) expect(again).not.toHaveProperty(gone)
    expect(reduce(again, 'start', time(8), PLANNER)).not.toHaveProperty('reason')
    for (const state of ['ROLLING_BACK', 'QUARANTINED'] as const)
      expect(
        reduce(member(state, { reason: why }), state === 'ROLLING_BACK' ? 'again' : 'retry', time(9), PLANNER),
      ).not.toHaveProperty('reason')
  })

  it('shows no reason of a block or a reset that is over once the member is cancelled', () => {
    const reason = { code: 'otherPlan', text: 'plan b is moving this device' }
    for (const state of ['BLOCKED', 'REGRESSED', 'QUEUED'] as const)
      expect(reduce(member(state, { reason }), 'abort', time(1), ANN)).not.toHaveProperty('reason')
    const own = { code: 'deviceGone', text: 'the device was deleted' }
    expect(reduce(member('BLOCKED', { reason }), 'gone', time(1), ANN, { reason: own }).reason).toEqual(own)
  })

  it('gives no due time to a member that has ended', () => {
    for (const state of MEMBER_STATES)
      for (const [event, to] of Object.entries(MEMBER_TABLE[state]) as [MemberEvent, MemberState][]) {
        const next = reduce(member(state, { dueMs: 1, waiting: 'soak' }), event, time(1), ANN)
        if (!ENDED.includes(to)) continue
        expect(next, `${state} ${event}`).not.toHaveProperty('dueMs')
        expect(next).not.toHaveProperty('waiting')
        expect(next.endedAt).toBe(1)
      }
  })

  it('counts no attempt for an absence, nor for another try of a rollback', () => {
    const attempt = (state: MemberState, event: MemberEvent) => reduce(member(state), event, time(1), ANN).attempt
    expect(attempt('ROLLING_BACK', 'again')).toBe(1)
    expect(attempt('STRANDED', 'came')).toBe(1)
    expect(attempt('STRANDED', 'retry')).toBe(1)
    expect(attempt('FAILED', 'retry')).toBe(1)
    expect(attempt('BACKOFF', 'again')).toBe(2)
    expect(attempt('QUARANTINED', 'retry')).toBe(2)
    expect(attempt('CONFLICT', 'retry')).toBe(2)
  })

  it('begins another attempt without the facts of the one before', () => {
    for (const [state, event] of [
      ['BACKOFF', 'again'],
      ['QUARANTINED', 'retry'],
      ['REGRESSED', 'retry'],
      ['MIGRATED', 'reset'],
    ] as const)
      expect(reduce(member(state), event, time(1), PLANNER).facts).toEqual({})
    // A rollback that failed is tried again with its reason.
    const facts = { afterwards: 'quarantine', ours: ['x'], removed: 1 } as const
    expect(reduce(member('FAILED', { facts: { ...facts, ours: ['x'] } }), 'retry', time(1), ANN).facts).toEqual({
      afterwards: 'quarantine',
    })
  })

  it('is pure', () => {
    const given = Object.freeze(member('QUEUED'))
    const events: MemberEvent[] = ['start', 'abort']
    for (const event of events) expect(reduce(given, event, time(3), ANN)).toEqual(reduce(given, event, time(3), ANN))
    expect(given.state).toBe('QUEUED')
  })
})
