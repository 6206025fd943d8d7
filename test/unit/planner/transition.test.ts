import { describe, expect, it } from 'vitest'
import { deviceIdOf, type MemberCommit, type PlanMember } from '../../../src/domain/index.ts'
import { Transitions } from '../../../src/planner/machine/transition.ts'
import { planOf } from '../../support/plans.ts'

const DEVICE = deviceIdOf({ oui: '0C96BF', productClass: 'CPE', serial: '1' })

function memberIn(state: PlanMember['state']): PlanMember {
  return {
    id: `p1|${DEVICE}`,
    planId: 'p1',
    deviceId: DEVICE,
    state,
    step: '',
    done: [],
    facts: {},
    attempt: 1,
    visit: 3,
    history: [],
    enteredAt: 1,
    enteredMs: 1,
    revision: 7,
  }
}

function world() {
  const commits: MemberCommit[] = []
  const transitions = new Transitions({
    plans: {
      commitMember: async (commit) => {
        commits.push(commit)
      },
    },
    devices: { get: async () => undefined },
    clock: { now: () => 5, after: () => () => undefined },
    time: { now: () => 5, silenceCountsFrom: 0, wallTime: (ms) => ms },
  })
  return { commits, transitions }
}

describe('an event of a member', () => {
  it('is one commit with the event that follows at once; both are in history and feed', async () => {
    const { commits, transitions } = world()
    const stored = await transitions.apply(planOf(), memberIn('AWAITING_USP'), {
      event: 'agentHere',
      followedBy: { event: 'bound', evidence: { proof: 'bound' } },
    })
    expect(stored).toMatchObject({ state: 'VERIFYING', visit: 5, revision: 8 })
    expect(stored.history.map(({ event }) => event)).toEqual(['agentHere', 'bound'])
    expect(commits).toHaveLength(1)
    expect(commits[0]?.events.map(({ data }) => [data.from, data.to])).toEqual([
      ['AWAITING_USP', 'BINDING'],
      ['BINDING', 'VERIFYING'],
    ])
    expect(commits[0]?.device?.guard).toEqual({ migration: { planId: planOf().id, state: 'AWAITING_USP' } })
  })

  it('counts as a failed attempt when the one that follows is a conflict', async () => {
    const { commits, transitions } = world()
    const reason = { code: 'conflict', text: 'bound to nothing' }
    await transitions.apply(planOf(), memberIn('AWAITING_USP'), {
      event: 'agentHere',
      followedBy: { event: 'conflict', reason },
    })
    expect(commits[0]).toMatchObject({ member: { state: 'CONFLICT', reason }, count: { failed: true } })
  })

  it('keeps the guard of a change of the device beside that of its pointer', async () => {
    const { commits, transitions } = world()
    const change = { deviceId: DEVICE, set: { owner: 'usp' as const }, guard: { owner: 'cwmp' as const } }
    await transitions.apply(planOf(), memberIn('VERIFYING'), { event: 'verified', change })
    expect(commits[0]?.device).toMatchObject({
      set: { owner: 'usp', migration: { state: 'DUAL' } },
      guard: { owner: 'cwmp', migration: { state: 'VERIFYING' } },
    })
  })
})
