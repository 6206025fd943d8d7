import { describe, expect, it } from 'vitest'
import type { DeviceId, LeftOut, PlanMember } from '../../../src/domain/index.ts'
import { leftOutText, withLeftOut } from '../../../src/planner/left-out.ts'

const member = (number: number) => ({ deviceId: `d${number}` as DeviceId }) as PlanMember
const devices = (count: number) => `${count} devices`

describe('devices that a rollback leaves out', () => {
  it('are counted by reason and plan, with an example each', () => {
    let rows: LeftOut[] = []
    for (const [i, planId] of ['p1', 'p2', 'p1'].entries())
      rows = withLeftOut(rows, { why: 'otherPlan', planId }, member(i))
    rows = withLeftOut(rows, { why: 'alreadyThere' }, member(3))
    expect(rows).toEqual([
      { why: 'otherPlan', planId: 'p1', count: 2, example: 'd0' },
      { why: 'otherPlan', planId: 'p2', count: 1, example: 'd1' },
      { why: 'alreadyThere', count: 1, example: 'd3' },
    ])
  })

  it('are named one by one or together', () => {
    const text = (count: number) =>
      leftOutText({ why: 'otherPlan', planId: 'p1', count, example: 'd' as DeviceId }, devices)
    expect(text(1)).toContain('roll it back there')
    expect(text(2)).toContain('roll them back there')
  })

  it('make a bounded number of rows for any number of plans', () => {
    let rows: LeftOut[] = []
    for (let i = 0; i < 50; i++) rows = withLeftOut(rows, { why: 'otherPlan', planId: `p${i}` }, member(i))
    expect(rows).toHaveLength(20)
    expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(50)
    expect(rows.at(-1)).toMatchObject({ why: 'otherPlan', count: 31 })
    expect(leftOutText(rows.at(-1) ?? { why: 'otherPlan', count: 0, example: '' as DeviceId }, devices)).toMatch(
      /31 devices that other plans/,
    )
  })
})
