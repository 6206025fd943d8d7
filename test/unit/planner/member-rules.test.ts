import { beforeEach, describe, expect, it } from 'vitest'
import { type Device, type DeviceId, type MemberState, newDevice, type PlanMember } from '../../../src/domain/index.ts'
import { MemberNotes } from '../../../src/planner/member-notes.ts'
import { memberRules } from '../../../src/planner/member-rules.ts'
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts'
import { memberOf, planOf } from '../../support/plans.ts'

function memberIn(state: MemberState, more: Partial<PlanMember> = {}): PlanMember {
  return memberOf('d1' as PlanMember['deviceId'], { state, ...more })
}

const conflict = expect.objectContaining({ code: 'conflict' })
const thrown = (work: () => unknown) => {
  try {
    return work()
  } catch (error) {
    return error
  }
}

describe('rules of actions on members', () => {
  const stopped: string[] = []
  let migration: Device['migration']
  const device = newDevice('d1' as DeviceId, { oui: '0C96BF', productClass: 'CPE', serial: '1' }, 'usp', 0)
  const rules = memberRules(async (memberId) => void stopped.push(memberId), {
    get: async () => (migration === undefined ? device : { ...device, migration }),
  })
  beforeEach(() => void stopped.splice(0))

  it('retry takes ineligible devices by name alone', () => {
    expect(rules.retry.named).toContain('INELIGIBLE')
    expect(rules.retry.states).not.toContain('INELIGIBLE')
  })

  it('retry begins no attempt in a plan that is being aborted, but goes on with a rollback', () => {
    const aborting = planOf({ state: 'aborting' })
    expect(thrown(() => rules.retry.step(aborting, memberIn('QUARANTINED')))).toEqual(conflict)
    expect(rules.retry.step(aborting, memberIn('FAILED'))).toEqual({ event: 'retry' })
    expect(rules.retry.step(planOf(), memberIn('QUARANTINED'))).toEqual({ event: 'retry' })
  })

  it('retry of a conflict brings the device back first, and another attempt follows at once', () => {
    expect(rules.retry.step(planOf(), memberIn('CONFLICT')).facts).toEqual({ afterwards: 'again' })
  })

  it('rollback refuses a device that the plan has not moved', () => {
    expect(thrown(() => rules.rollback.step(planOf(), memberIn('MIGRATED')))).toEqual(conflict)
    const there = memberIn('MIGRATED', { startedAt: 1, facts: { alreadyThere: true } })
    expect(thrown(() => rules.rollback.step(planOf(), there))).toEqual(conflict)
    expect(rules.rollback.step(planOf(), memberIn('MIGRATED', { startedAt: 1 }))).toMatchObject({ event: 'rollback' })
  })

  it('rollback names the plan that has moved the device', async () => {
    const refusal = (member: PlanMember) => rules.rollback.refusal?.(planOf(), member)
    const there = memberIn('MIGRATED', { facts: { alreadyThere: true } })
    expect(await refusal(there)).toBeUndefined()
    migration = { planId: 'p2', state: 'MIGRATED', at: 1 }
    expect(await refusal(there)).toBe('plan p2 has moved this device; roll it back in that plan first')
    expect(await refusal(memberIn('ROLLED_BACK', { startedAt: 1 }))).toBeUndefined()
  })

  it('abort and rollback of a device that is being rolled back let no attempt follow', async () => {
    await rules.abort.underWay?.(memberIn('ROLLING_BACK'))
    await rules.rollback.underWay?.(memberIn('ROLLING_BACK'))
    expect(stopped).toEqual(['p1|d1', 'p1|d1'])
    expect(rules.abort.underWay?.(memberIn('DUAL'))).toBeUndefined()
    expect(rules.retry.underWay).toBeUndefined()
  })
})

describe('notes on a member', () => {
  let clock: ManualClock
  let member: PlanMember | undefined
  let events: unknown[]
  let notes: MemberNotes
  beforeEach(() => {
    clock = createManualClock(5000)
    events = []
    const time = { now: () => 70, silenceCountsFrom: 0, wallTime: (ms: number) => ms }
    const runner = {
      async change(_id: string, change: (found: PlanMember) => { member: PlanMember; events: unknown[] } | undefined) {
        const changed = member === undefined ? undefined : change(member)
        if (changed === undefined) return
        member = changed.member
        events.push(...changed.events)
      },
    }
    notes = new MemberNotes(runner, { clock, time })
  })

  it('count the silence of an Agent from the first look, and report it once it is too long', async () => {
    member = memberIn('MIGRATED')
    await notes.setSilence('p1|d1', 'unheard')
    expect(member?.facts.silentMs).toBe(70)
    expect(events).toEqual([])
    await notes.setSilence('p1|d1', 'silent')
    await notes.setSilence('p1|d1', 'silent')
    expect(member?.silentAt).toBe(5000)
    await notes.setSilence('p1|d1', 'heard')
    expect([member?.silentAt, member?.facts.silentMs]).toEqual([undefined, undefined])
    expect(events).toMatchObject([
      { type: 'member.silent', data: { silent: true } },
      { type: 'member.silent', data: { silent: false } },
    ])
  })

  it('leave a member alone that is not migrated', async () => {
    member = memberIn('DUAL')
    await notes.setSilence('p1|d1', 'silent')
    expect(member).toEqual(memberIn('DUAL'))
  })

  it('stop after a rollback, and only there', async () => {
    member = memberIn('ROLLING_BACK', { facts: { afterwards: 'retry' } })
    await notes.stopAfterRollback('p1|d1')
    expect(member?.facts.afterwards).toBe('stop')
    member = memberIn('MIGRATED')
    await expect(notes.stopAfterRollback('p1|d1')).rejects.toEqual(conflict)
    member = undefined
    await expect(notes.stopAfterRollback('p1|d1')).rejects.toEqual(conflict)
  })
})
