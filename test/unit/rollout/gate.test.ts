import { describe, expect, it } from 'vitest'
import type { Plan } from '../../../src/domain/index.ts'
import { defaultPlanSettings } from '../../../src/planner/index.ts'
import { gateClosed } from '../../../src/rollout/gate.ts'
import { planOf } from '../../support/plans.ts'

const settings = { ...defaultPlanSettings(planOf().settings.controller), failureGatePercent: 30, gateMinSample: 10 }
const closed = (failed: number, moved: number, plan: Partial<Plan> = {}) =>
  gateClosed(planOf({ settings, ...plan }), { attempts: { failed, moved } })

describe('the gate', () => {
  it('closes when more than its share of the attempts failed', () => {
    expect(closed(3, 7)).toBe(false)
    expect(closed(4, 6)).toBe(true)
    expect(closed(10, 0)).toBe(true)
    expect(closed(0, 10)).toBe(false)
  })

  it('judges from its sample on', () => {
    expect(closed(9, 0)).toBe(false)
    expect(closed(10, 0)).toBe(true)
    expect(closed(0, 0, { settings: { ...settings, gateMinSample: 0 } })).toBe(false)
  })

  it('judges the attempts since a person last let the plan go on', () => {
    const gateBase = { failed: 50, moved: 50 }
    expect(closed(59, 50, { gateBase })).toBe(false)
    expect(closed(60, 50, { gateBase })).toBe(true)
    expect(closed(53, 57, { gateBase })).toBe(false)
  })

  it('with 100 percent never closes, with 0 at the first failure of a sample', () => {
    expect(closed(10, 0, { settings: { ...settings, failureGatePercent: 100 } })).toBe(false)
    expect(closed(1, 9, { settings: { ...settings, failureGatePercent: 0 } })).toBe(true)
    expect(closed(0, 10, { settings: { ...settings, failureGatePercent: 0 } })).toBe(false)
  })
})
