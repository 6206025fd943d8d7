import { describe, expect, it } from 'vitest'
import { deviceIdOf, MEMBER_STATES, type MemberState, type PlanMember } from '../../../src/device/index.ts'
import { ENDED, IN_FLIGHT, MEMBER_TABLE, type MemberEvent, reduce } from '../../../src/planner/index.ts'

function member(state: MemberState, more: Partial<PlanMember> = {}): PlanMember {
  return {
    id: 'p|d',
    planId: 'p',
    deviceId: deviceIdOf({ oui: '0C96BF', productClass: 'Box', serial: '1' }),
    state,
    step: 'controller',
    cursor: { controllerRow: 'Device.USPAgent.Controller.2.', preexisting: '' },
    attempt: 1,
    nextAt: 0,
    history: [],
    enteredAt: 0,
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
      INELIGIBLE: retry -> UNASSESSED
      BLOCKED: retry -> UNASSESSED, abort -> CANCELLED
      ELIGIBLE: queue -> QUEUED, abort -> CANCELLED, gone -> CANCELLED
      QUEUED: start -> PREPARING, blocked -> BLOCKED, abort -> CANCELLED, gone -> CANCELLED
      PREPARING: prepared -> AWAITING_USP, conflict -> CONFLICT, fail -> ROLLING_BACK, abort -> ROLLING_BACK, gone -> CANCELLED
      AWAITING_USP: agentHere -> BINDING, conflict -> CONFLICT, fail -> ROLLING_BACK, abort -> ROLLING_BACK, gone -> CANCELLED
      BINDING: bound -> VERIFYING, conflict -> CONFLICT, fail -> ROLLING_BACK, abort -> ROLLING_BACK, gone -> CANCELLED
      VERIFYING: verified -> DUAL, conflict -> CONFLICT, fail -> ROLLING_BACK, abort -> ROLLING_BACK, gone -> CANCELLED
      DUAL: soakOver -> RETIRING, fail -> ROLLING_BACK, abort -> ROLLING_BACK, gone -> CANCELLED
      RETIRING: retired -> MIGRATED, fail -> ROLLING_BACK, abort -> ROLLING_BACK, gone -> CANCELLED
      MIGRATED: regress -> REGRESSED
      ROLLING_BACK: rolledBack -> ROLLED_BACK, rollbackFailed -> FAILED, stranded -> STRANDED, gone -> CANCELLED
      ROLLED_BACK: again -> QUEUED, retry -> QUEUED, giveUp -> QUARANTINED
      FAILED: retry -> ROLLING_BACK
      QUARANTINED: retry -> QUEUED
      STRANDED: retry -> ROLLING_BACK
      CONFLICT: retry -> QUEUED, abort -> ROLLING_BACK
      REGRESSED: reassess -> UNASSESSED, retry -> UNASSESSED, abort -> CANCELLED
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

  it('leaves no way from a box in flight to an end but through its checks or the way back', () => {
    for (const state of IN_FLIGHT) {
      for (const to of Object.values(MEMBER_TABLE[state])) {
        if (to === 'MIGRATED') expect(state).toBe('RETIRING')
        else if (to === 'CANCELLED') expect(MEMBER_TABLE[state].gone).toBe(to)
        else if (ENDED.includes(to as MemberState) && to !== 'CONFLICT') expect(state).toBe('ROLLING_BACK')
      }
    }
  })

  it('refuses what the table does not know', () => {
    expect(() => reduce(member('QUEUED'), 'verified', 1, 'planner')).toThrow(/QUEUED.*verified|verified.*QUEUED/)
  })

  it('notes who, when, why, and keeps the reason of a failure until the next attempt', () => {
    const why = { code: '9001', text: 'refused' }
    const failed = reduce(member('PREPARING', { waiting: 'operation', deadlineAt: 9 }), 'fail', 5, 'planner', {
      reason: why,
      evidence: { step: 'mtp' },
    })
    expect(failed).toMatchObject({ state: 'ROLLING_BACK', step: '', enteredAt: 5, nextAt: 5, reason: why })
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
    expect(failed).not.toHaveProperty('deadlineAt')
    const back = reduce(failed, 'rolledBack', 6, 'planner')
    expect(back).toMatchObject({ state: 'ROLLED_BACK', reason: why, endedAt: 6 })
    const again = reduce(back, 'again', 7, 'planner')
    expect(again).toMatchObject({ state: 'QUEUED', attempt: 2 })
    expect(again).not.toHaveProperty('reason')
    expect(again).not.toHaveProperty('endedAt')
  })

  it('begins another attempt with nothing but what was on the box before the first', () => {
    const before = '[{"path":"Device.A","value":"1"}]'
    const cursor = { preexisting: 'Device.USPAgent.Controller.1.', before, controllerRow: 'x', 'PREPARING.mtp': true }
    expect(reduce(member('ROLLED_BACK', { cursor }), 'again', 1, 'planner').cursor).toEqual({
      preexisting: 'Device.USPAgent.Controller.1.',
      before,
    })
    // A way back that failed is tried again with all that it has to undo.
    const tried = { ...cursor, 'ROLLING_BACK.find': true }
    expect(reduce(member('FAILED', { cursor: tried }), 'retry', 1, 'me').cursor).toEqual(cursor)
  })

  it('forgets everything about a box that was reset to factory settings', () => {
    const cursor = { preexisting: 'Device.USPAgent.Controller.1.', before: '[]', 'PREPARING.mtp': true }
    for (const event of ['reassess', 'retry'] as const)
      expect(reduce(member('REGRESSED', { cursor }), event, 1, 'planner')).toMatchObject({ cursor: {}, attempt: 2 })
  })

  it('is pure', () => {
    const given = Object.freeze(member('QUEUED'))
    const events: MemberEvent[] = ['start', 'abort']
    for (const event of events) expect(reduce(given, event, 3, 'x')).toEqual(reduce(given, event, 3, 'x'))
    expect(given.state).toBe('QUEUED')
  })
})
