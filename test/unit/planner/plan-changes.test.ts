import { describe, expect, it } from 'vitest'
import type { Plan } from '../../../src/domain/index.ts'
import {
  type ActionScope,
  changeBy,
  hasHappened,
  type PlanAction,
  refusalOf,
} from '../../../src/planner/plan-changes.ts'
import { ANN, BEN } from '../../support/actors.ts'
import { bulkOf } from '../../support/memory-rollout-store.ts'
import { planOf } from '../../support/plans.ts'

const attempts = { failed: 3, moved: 4 }
const left = [{ why: 'alreadyThere' as const, count: 1, example: planOf().id as never }]

function done(plan: Partial<Plan>, action: PlanAction, scope: ActionScope = {}): Plan {
  const { base, changes } = changeBy(planOf(plan), action, { actor: ANN, scope, attempts, now: 9 })
  return { ...base, ...changes }
}
const kinds = ({ bulk = [] }: Plan) => bulk.map(({ kind }) => kind)

describe('an action on a plan', () => {
  it('fits some states, and its refusal names them', () => {
    expect(refusalOf({ state: 'draft' }, 'start')).toBeUndefined()
    expect(refusalOf({ state: 'draft' }, 'abort')).toBe(
      'a plan that is draft cannot abort; it can when it is running or paused or finished',
    )
    expect(refusalOf({ state: 'deleted' }, 'rollback')).toBeUndefined()
    expect(refusalOf({ state: 'deleted' }, 'retry')).toContain('a plan that is deleted cannot retry')
  })

  it('that has happened already is done', () => {
    expect(hasHappened({ state: 'paused' }, 'pause')).toBe(true)
    expect(hasHappened({ state: 'aborted' }, 'abort')).toBe(true)
    expect(hasHappened({ state: 'running' }, 'retry')).toBe(false)
  })

  it('pause stops the rollbacks of the plan as well, and resume lets them go on', () => {
    const bulk = [bulkOf('rollback', { paced: true }), bulkOf('survey')]
    const paused = done({ state: 'running', bulk }, 'pause')
    expect(paused.state).toBe('paused')
    expect(paused.bulk).toEqual([{ ...bulk[0], paused: true }, bulk[1]])
    expect(hasHappened(paused, 'pause')).toBe(true)
    expect(done(paused, 'resume')).toMatchObject({ state: 'running', bulk })
    expect(done(paused, 'retry').bulk?.slice(0, 2)).toEqual(bulk)
  })

  it('pause stops the rollback of a plan that is being aborted, which stays so', () => {
    const aborting = { state: 'aborting' as const, reason: 'too many', bulk: [bulkOf('rollback')] }
    expect(hasHappened(aborting, 'pause')).toBe(false)
    expect(refusalOf(aborting, 'resume')).toContain('no rollback of it is paused')
    const paused = done(aborting, 'pause')
    expect(paused).toMatchObject({ state: 'aborting', reason: 'too many', bulk: [{ paused: true }] })
    expect(hasHappened(paused, 'pause')).toBe(true)
    const resumed = done(paused, 'resume')
    expect(resumed.state).toBe('aborting')
    expect(resumed.bulk).toEqual(aborting.bulk)
    expect(done(paused, 'rollback').bulk?.[0]).toEqual(aborting.bulk[0])
    expect(refusalOf({ state: 'aborting' }, 'pause')).toContain('wait until it is aborted')
  })

  it('pause stops a rollback that was asked for after the plan was paused; until then it goes on', () => {
    const plan = done({ state: 'paused', reason: 'too many' }, 'rollback', { selector: 'manufacturer==Acme' })
    expect(plan.bulk?.[0]?.paused).toBeUndefined()
    expect(hasHappened(plan, 'pause')).toBe(false)
    expect(done(plan, 'pause')).toMatchObject({ state: 'paused', reason: 'too many', bulk: [{ paused: true }] })
  })

  it('start enrols the group and counts attempts from zero', () => {
    const plan = done({ state: 'draft' }, 'start')
    expect(plan).toMatchObject({ state: 'running', startedAt: 9, gateBase: { failed: 0, moved: 0 } })
    expect(plan.bulk).toEqual([{ kind: 'enrol', actor: ANN, after: '' }])
  })

  it('resume and retry end the reason of a pause, and the gate judges the attempts from then on', () => {
    const resumed = done({ state: 'paused', reason: 'too many' }, 'resume')
    expect(resumed).toMatchObject({ state: 'running', gateBase: attempts })
    expect(resumed.reason).toBeUndefined()
    const retried = done({ state: 'finished', finishedAt: 8, leftOut: left }, 'retry')
    expect(retried).toMatchObject({ state: 'running', gateBase: attempts })
    expect([retried.finishedAt, retried.leftOut]).toEqual([undefined, undefined])
  })

  it('abort keeps the reason of the pause, and what the last rollback left out', () => {
    const plan = done({ state: 'paused', reason: 'too many', leftOut: left }, 'abort')
    expect(plan).toMatchObject({ state: 'aborting', reason: 'too many', leftOut: left })
    expect(kinds(plan)).toEqual(['abort'])
  })

  it('rollback of the whole plan cancels, brings back and counts what it leaves out', () => {
    const plan = done({ state: 'running', leftOut: left }, 'rollback', { paced: true })
    expect(plan.state).toBe('aborting')
    expect(kinds(plan)).toEqual(['abort', 'rollback', 'survey'])
    expect(plan.bulk?.[1]).toMatchObject({ paced: true })
    expect(plan.leftOut).toBeUndefined()
  })

  it('rollback by a selector goes on beside a plan that is live, and reopens one that is over', () => {
    const scope = { selector: 'manufacturer==Acme' }
    expect(done({ state: 'paused' }, 'rollback', scope)).toMatchObject({
      state: 'paused',
      bulk: [{ kind: 'rollback', selector: 'manufacturer==Acme' }],
    })
    expect(done({ state: 'finished' }, 'rollback', scope).state).toBe('running')
    expect(done({ state: 'aborted' }, 'rollback', scope).state).toBe('aborting')
    expect(() => done({ state: 'paused' }, 'rollback', { selector: '==' })).toThrow()
  })

  it('waits behind those before it, twenty at the most', () => {
    const bulk = Array.from({ length: 19 }, () => ({ kind: 'retry' as const, actor: BEN, after: '' }))
    expect(kinds(done({ bulk }, 'retry'))).toHaveLength(20)
    expect(() => done({ bulk }, 'rollback')).toThrow('20 actions of this plan wait already')
  })
})
