import { describe, expect, it } from 'vitest'
import type { Plan, PlanCounters } from '../../../src/domain/index.ts'
import { MIGRATION_STATES } from '../../../src/planner/machine/states.ts'
import { hasWork } from '../../../src/rollout/rounds.ts'
import { ANN } from '../../support/actors.ts'
import { countersOf, planOf } from '../../support/plans.ts'

const settings = { ...planOf().settings, maxInFlight: 2, gateMinSample: 1, failureGatePercent: 30 }
const work = (counters: Partial<PlanCounters>, plan: Partial<Plan> = {}) =>
  hasWork(planOf({ settings, ...plan }), countersOf(counters), MIGRATION_STATES, 'QUEUED')
const waiting: Partial<PlanCounters> = { states: { QUEUED: 5 }, waits: { 'QUEUED|offline': 5 } }

describe('a round over a plan', () => {
  it('has nothing to do while all members wait for their devices, or are under way', () => {
    expect(work(waiting)).toBe(false)
    expect(work({ states: { DUAL: 2, MIGRATED: 7 } })).toBe(false)
    expect(work(waiting, { state: 'paused' })).toBe(false)
    expect(work({ states: { ROLLING_BACK: 1 } }, { state: 'aborting' })).toBe(false)
  })

  it('starts devices as long as there are places', () => {
    const waits = { 'QUEUED|place': 1 } as const
    expect(work({ states: { QUEUED: 1 }, waits })).toBe(true)
    expect(work({ states: { QUEUED: 1, DUAL: 1 }, waits })).toBe(true)
    expect(work({ states: { QUEUED: 1, DUAL: 2 }, waits })).toBe(false)
    expect(work({ states: { QUEUED: 1 }, waits }, { state: 'paused' })).toBe(false)
  })

  it('carries on bulk work, closes the gate, and ends a plan whose members have ended', () => {
    const bulk = [{ kind: 'retry', actor: ANN, after: '' } as const]
    expect(work(waiting, { bulk })).toBe(true)
    expect(work(waiting, { bulk, state: 'paused' })).toBe(true)
    expect(work({ ...waiting, attempts: { failed: 1, moved: 0 } })).toBe(true)
    expect(work({ ...waiting, attempts: { failed: 1, moved: 0 } }, { state: 'paused' })).toBe(false)
    for (const state of ['running', 'paused', 'aborting'] as const)
      expect(work({ states: { MIGRATED: 3 } }, { state })).toBe(true)
    expect(work({})).toBe(true)
  })

  it('takes members back that come to the start of a plan that is being aborted', () => {
    expect(work({ states: { QUEUED: 1 }, waits: { 'QUEUED|place': 1 } }, { state: 'aborting' })).toBe(true)
  })

  it('deletes the members of a deleted plan that hold no device, and the plan when none is left', () => {
    expect(work({ states: { CANCELLED: 1, MIGRATED: 1 } }, { state: 'deleted' })).toBe(true)
    expect(work({ states: { MIGRATED: 1, STRANDED: 1 } }, { state: 'deleted' })).toBe(false)
    expect(work({}, { state: 'deleted' })).toBe(true)
  })
})
