import { describe, expect, it } from 'vitest'
import type { DeviceId, Plan, PlanCounters } from '../../../src/domain/index.ts'
import { placeMeans, planStatus } from '../../../src/planner/status.ts'
import { ANN } from '../../support/actors.ts'
import { bulkOf } from '../../support/memory-rollout-store.ts'
import { countersOf, planOf } from '../../support/plans.ts'

/** Half a minute after a full minute. */
const NOW = 1_000_000 * 60_000 + 30_000
const clock = { now: () => NOW, after: () => () => undefined }
const minute = (back: number) => String(1_000_000 - back)
const status = (counters: Partial<PlanCounters>, plan: Partial<Plan> = {}) =>
  planStatus(planOf(plan), countersOf(counters), clock)

describe('the status of a plan', () => {
  it('adds up its counters', () => {
    const found = status({
      states: { INELIGIBLE: 1, QUEUED: 2, PREPARING: 3, DUAL: 4, ROLLING_BACK: 5, BACKOFF: 6, MIGRATED: 7, FAILED: 8 },
      silent: 2,
    })
    expect(found).toMatchObject({
      planId: 'p1',
      name: 'north',
      groupId: 'g1',
      state: 'running',
      total: 36,
      inFlight: 12,
      ended: 16,
      migrated: 7,
      failed: 8,
      silent: 2,
    })
  })

  it('counts devices that were on USP before apart from those that it has moved', () => {
    const found = status({ states: { MIGRATED: 7 }, alreadyThere: 3 })
    expect(found).toMatchObject({ total: 7, ended: 7, migrated: 4, alreadyThere: 3, states: { MIGRATED: 7 } })
  })

  it('counts no device as ended that will be tried again, and names it in the next step', () => {
    const found = status({ states: { BACKOFF: 9, MIGRATED: 1 }, waits: { 'BACKOFF|backoff': 9 } })
    expect(found.ended).toBe(1)
    expect(found.waiting).toEqual({ backoff: 9 })
    expect(found.next).toBe('9 devices to go; 9 devices failed and will be tried again')
  })

  it('shows the waits of members, over all states', () => {
    const waits = { 'QUEUED|offline': 5, 'UNASSESSED|offline': 2, 'DUAL|soak': 3, 'QUEUED|place': 4 } as const
    expect(status({ states: { QUEUED: 9 }, waits }).waiting).toEqual({ offline: 7, soak: 3, place: 4 })
  })

  it('shows a place apart from the rate and from a plan that does not run', () => {
    const means = (counters: Partial<PlanCounters>, plan: Partial<Plan> = {}) =>
      placeMeans(planOf(plan), countersOf(counters))
    const paced = { settings: { ...planOf().settings, startsPerMinute: 30, maxInFlight: 2 } }
    expect(means({})).toBe('place')
    expect(means({}, paced)).toBe('rate')
    expect(means({ states: { DUAL: 2 } }, paced)).toBe('place')
    expect(means({}, { state: 'paused', ...paced })).toBe('paused')
    expect(means({}, { state: 'aborting' })).toBe('paused')
    expect(status({ waits: { 'QUEUED|place': 4 } }, { state: 'paused' }).waiting).toEqual({ paused: 4 })
  })

  it('shows the ten most frequent failures', () => {
    const reasons = Array.from({ length: 12 }, (_, i) => ({
      code: `c${i}`,
      state: 'FAILED' as const,
      count: 12 - i,
      text: '',
      example: 'd' as DeviceId,
    }))
    expect(status({ reasons }).failures).toEqual(reasons.slice(0, 10))
  })

  it('shows what failed before what cannot be moved, however many that are', () => {
    const row = (state: 'FAILED' | 'INELIGIBLE', count: number) => ({
      ...{ code: state, state, count, text: '', example: 'd' as DeviceId },
    })
    const reasons = [row('INELIGIBLE', 40), row('FAILED', 3), row('INELIGIBLE', 2), row('FAILED', 1)]
    expect(status({ reasons }).failures.map(({ count }) => count)).toEqual([3, 1, 40, 2])
  })

  it('has the reason for which the plan paused by itself', () => {
    expect(status({}, { state: 'paused', reason: 'too many failed' })).toMatchObject({
      reason: 'too many failed',
      next: 'look at the failures, then resume or abort: too many failed',
    })
    expect(status({}, { state: 'paused' }).next).toBe('resume or abort the plan')
  })
})

describe('the rollback in the status', () => {
  const states = { ROLLING_BACK: 1, MIGRATED: 9 }
  const left = (plan: Partial<Plan>, matching = 0) =>
    planStatus(planOf(plan), countersOf({ states, alreadyThere: 2 }), clock, { matching }).rollback

  it('counts devices that are being brought back, and those with which it has not begun', () => {
    expect(left({ bulk: [bulkOf('rollback')] })).toEqual({ left: 8 })
    expect(left({ bulk: [bulkOf('rollback', { selector: 'serial==S1' })] }, 3)).toEqual({ left: 4 })
    expect(left({})).toEqual({ left: 1 })
    expect(status({ states: { MIGRATED: 9 } }).rollback).toBeUndefined()
  })

  it('is paused when nothing more begins', () => {
    const paused = bulkOf('rollback', { paused: true })
    expect(left({ bulk: [paused] })).toEqual({ left: 8, paused: true })
    expect(left({ bulk: [paused, bulkOf('rollback')] })).toEqual({ left: 8 })
  })
})

describe('rate and ETA', () => {
  it('count devices that were moved, in the last minute and the last five', () => {
    const movedPerMinute = { [minute(0)]: 6, [minute(1)]: 8, [minute(2)]: 10, [minute(5)]: 4, [minute(6)]: 1000 }
    expect(status({ movedPerMinute }).rate).toEqual({ lastMinute: 10, lastFiveMinutes: (6 + 8 + 10 + 2) / 5 })
    // Others than moved ones make no rate.
    expect(status({ states: { INELIGIBLE: 50, BLOCKED: 5, CANCELLED: 9 } }).rate.lastFiveMinutes).toBe(0)
  })

  it('count from the start of a plan that is younger than five minutes', () => {
    const movedPerMinute = { [minute(0)]: 6, [minute(1)]: 8 }
    const rate = (minutes: number) =>
      status({ movedPerMinute }, { startedAt: NOW - minutes * 60_000 }).rate.lastFiveMinutes
    expect(rate(2)).toBe(7)
    expect(rate(0.1)).toBe(14)
    expect(rate(60)).toBe(14 / 5)
  })

  it('have two decimals at most, and the ETA comes from the exact rate', () => {
    const movedPerMinute = { [minute(0)]: 7, [minute(1)]: 8 }
    const startedAt = NOW - 3 * 60_000 + 900
    const found = status({ states: { QUEUED: 10 }, movedPerMinute }, { startedAt })
    expect(found.rate.lastFiveMinutes).toBe(5.03)
    const slow = status({ states: { QUEUED: 1 }, movedPerMinute: { [minute(5)]: 0.01 } })
    expect(slow.rate.lastFiveMinutes).toBe(0)
    expect(slow.etaMs).toBe(1000 * 60_000)
  })

  it('leave out devices that are being brought back', () => {
    const movedPerMinute = { [minute(1)]: 50 }
    expect(status({ states: { ROLLING_BACK: 9 }, movedPerMinute }).etaMs).toBeUndefined()
    const some = { states: { QUEUED: 20, ROLLING_BACK: 9 }, waits: { 'ROLLING_BACK|offline': 4 } as const }
    expect(status({ ...some, movedPerMinute })).toMatchObject({ etaMs: 2 * 60_000, etaLeavesOut: { offline: 4 } })
  })

  it('last as long as the devices that can go on need at the rate of the last five minutes', () => {
    const found = status({ states: { QUEUED: 100, DUAL: 20 }, movedPerMinute: { [minute(1)]: 50 } })
    expect(found.etaMs).toBe(12 * 60_000)
    expect(found.etaLeavesOut).toBeUndefined()
  })

  it('leave out devices whose wait has no known end, and name them', () => {
    const found = status({
      states: { QUEUED: 100 },
      waits: { 'QUEUED|offline': 70, 'DUAL|busy': 10 },
      movedPerMinute: { [minute(1)]: 50 },
    })
    expect(found.etaMs).toBe(2 * 60_000)
    expect(found.etaLeavesOut).toEqual({ offline: 70, busy: 10 })
  })

  it('say nothing of devices that cannot go on, or that have not begun to', () => {
    const offline = status({
      states: { QUEUED: 5 },
      waits: { 'QUEUED|offline': 5 },
      movedPerMinute: { [minute(1)]: 5 },
    })
    expect(offline.etaMs).toBeUndefined()
    expect(offline.etaLeavesOut).toEqual({ offline: 5 })
    expect(status({ states: { QUEUED: 5 } }).etaMs).toBeUndefined()
    const moving = { states: { QUEUED: 5 }, movedPerMinute: { [minute(1)]: 5 } }
    expect(status(moving, { state: 'paused' }).etaMs).toBeUndefined()
    expect(status({ ...moving, states: { MIGRATED: 5 } }).etaMs).toBeUndefined()
  })
})

describe('the next thing to do', () => {
  const next = (counters: Partial<PlanCounters>, plan: Partial<Plan> = {}) => status(counters, plan).next

  it.each<[string, Partial<PlanCounters>, Partial<Plan>, string]>([
    ['a draft', {}, { state: 'draft' }, 'start the plan'],
    [
      'an enrolment',
      {},
      { bulk: [{ kind: 'enrol', actor: ANN, after: '' }] },
      'the devices of the group are being enrolled',
    ],
    [
      'a running plan',
      { states: { QUEUED: 3, MIGRATED: 2 }, waits: { 'QUEUED|offline': 2 } },
      {},
      '3 devices to go; 2 of them are offline and go on when they connect',
    ],
    [
      'an abort',
      { states: { ROLLING_BACK: 1 } },
      { state: 'aborting' },
      '1 device to cancel or roll back; a rollback is under way, 1 device left',
    ],
    [
      'a rollback of the whole plan',
      { states: { ROLLING_BACK: 2, MIGRATED: 4 }, alreadyThere: 1 },
      { state: 'aborting', bulk: [bulkOf('rollback')] },
      '2 devices to cancel or roll back; a rollback is under way, 5 devices left',
    ],
    [
      'a paused rollback of the whole plan',
      { states: { MIGRATED: 4 } },
      { state: 'aborting', bulk: [bulkOf('rollback', { paused: true })] },
      '0 devices to cancel or roll back; a rollback is paused, 4 devices left: resume goes on with it',
    ],
    [
      'a rollback beside devices that go on',
      { states: { QUEUED: 3, ROLLING_BACK: 1, MIGRATED: 9 } },
      { bulk: [bulkOf('rollback', { selector: 'serial==S1' })] },
      '3 devices to go; a rollback is under way, 1 device left',
    ],
    [
      'a rollback in a paused plan',
      { states: { QUEUED: 3, ROLLING_BACK: 1 } },
      { state: 'paused' },
      'resume or abort the plan; a rollback is under way, 1 device left',
    ],
    [
      'one device that is offline',
      { states: { QUEUED: 2 }, waits: { 'QUEUED|offline': 1 } },
      {},
      '2 devices to go; 1 of them is offline and goes on when it connects',
    ],
    [
      'one device that failed',
      { states: { QUARANTINED: 1 } },
      { state: 'finished' },
      'look at 1 device that failed, then retry it',
    ],
    ['a plan at its end', { states: { MIGRATED: 2 } }, {}, 'the plan is about to finish'],
    ['an end without a remainder', { states: { MIGRATED: 2 } }, { state: 'finished' }, 'nothing'],
    [
      'devices that failed',
      { states: { QUARANTINED: 2, INELIGIBLE: 1 } },
      { state: 'finished' },
      'look at 2 devices that failed, then retry them; 1 device cannot be moved',
    ],
  ])('of %s', (_what, counters, plan, expected) => {
    expect(next(counters, plan)).toBe(expected)
  })

  it('of an aborted plan is what its devices still hold', () => {
    const states = { CONFLICT: 1, FAILED: 2, STRANDED: 3, QUARANTINED: 4, CANCELLED: 5 }
    const text = next({ states }, { state: 'aborted' })
    expect(text).toContain('conflicts of 1 device')
    expect(text).toContain('2 devices')
    expect(text).toContain('3 devices')
    expect(text).not.toContain('4 devices')
    expect(next({ states: { CANCELLED: 5 } }, { state: 'aborted' })).toBe('nothing')
  })

  it('names silent devices that were migrated', () => {
    expect(next({ states: { MIGRATED: 9 }, silent: 2 }, { state: 'finished' })).toContain('2 devices')
  })
})
