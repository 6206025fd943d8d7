import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import type { MemberState, PlanStore } from '../../src/domain/index.ts'
import { ANN } from '../support/actors.ts'
import { type PlannerWorld, plannerWorld, refuses, silent } from '../support/planner-world.ts'

const FLYING: MemberState[] = ['PREPARING', 'AWAITING_USP', 'BINDING', 'VERIFYING', 'DUAL', 'RETIRING']

let world: PlannerWorld
beforeEach(async () => {
  world = await plannerWorld(inject('mongodbUri'))
})
afterEach(() => world.stop())

const statesOf = async (planId: string) => (await world.planner.status(planId)).states
const flying = async (planId: string) => {
  const states = await statesOf(planId)
  return FLYING.reduce((sum, state) => sum + (states[state] ?? 0), 0)
}

describe('rounds over plans', () => {
  it('move a plan however many newer ones there are', async () => {
    await world.devices(1)
    const plan = await world.plan()
    await world.planner.act(plan.id, 'start', ANN)
    const { groupId } = plan
    for (let i = 0; i < 205; i++) await world.planner.create({ name: `draft ${i}`, groupId }, ANN)
    await world.planner.stop()
    const heir = world.anotherPlanner('heir')
    await world.until(async () => (await flying(plan.id)) === 1, heir)
    expect((await world.planner.groupStatus(groupId)).plan?.planId).toBe(plan.id)
  })

  it('finish a plan of an empty group, and say why', async () => {
    const plan = await world.plan()
    await world.planner.act(plan.id, 'start', ANN)
    await world.untilState(plan, 'finished')
    expect((await world.planner.get(plan.id)).reason).toMatch(/no device/)
  })

  it('let go of devices that were deleted, in each state', async () => {
    const [first, second] = await world.devices(2)
    if (first === undefined || second === undefined) throw new Error('no devices')
    const [third] = await world.devices(1)
    if (third === undefined) throw new Error('no device')
    const plan = await world.plan({ maxInFlight: 1 })
    await world.planner.act(plan.id, 'start', ANN)
    await world.until(async () => (await flying(plan.id)) === 1)
    for (const id of [first, second]) await world.store.devices.delete(id)
    world.answer = refuses
    await world.until(async () => {
      world.clock.nowMs += 60_000
      await world.heard(third)
      return (await world.planner.get(plan.id)).state === 'finished'
    })
    const member = await world.planner.member(plan.id, first)
    expect(member).toMatchObject({ state: 'CANCELLED', reason: { code: 'deviceGone' } })
  })

  it('hold the limit of devices in flight over instances that tick at once', async () => {
    await world.devices(40)
    const plan = await world.plan({ maxInFlight: 5 })
    const others = ['b', 'c', 'd'].map((name) => world.anotherPlanner(name))
    await world.planner.act(plan.id, 'start', ANN)
    await world.until(async () => ((await statesOf(plan.id)).QUEUED ?? 0) >= 35)
    for (let i = 0; i < 10; i++) await Promise.all([world.planner, ...others].map((planner) => planner.tick()))
    expect(await flying(plan.id)).toBe(5)
  })

  it('hold the start rate, while instances start and stop', async () => {
    await world.devices(30)
    const plan = await world.plan({ maxInFlight: 100, startsPerMinute: 12 })
    await world.planner.act(plan.id, 'start', ANN)
    await world.until(async () => {
      const { total, states } = await world.planner.status(plan.id)
      return total === 30 && states.UNASSESSED === undefined
    })
    for (let second = 0; second < 60; second++) {
      const planner = second % 3 === 0 ? world.anotherPlanner(`i${second}`) : world.planner
      // A tick may join a round that began before the second did.
      for (let i = 0; i < 4; i++) await planner.tick()
      world.clock.nowMs += 1000
    }
    await world.planner.tick()
    const started = await flying(plan.id)
    expect(started).toBeGreaterThanOrEqual(10)
    expect(started).toBeLessThanOrEqual(13)
  })

  it('never let two plans move one device', async () => {
    const ids = await world.devices(10)
    const [a, b] = [await world.plan(), await world.plan()]
    await world.planner.act(a.id, 'start', ANN)
    await world.planner.act(b.id, 'start', ANN)
    await world.until(async () => {
      const [one, two] = [await statesOf(a.id), await statesOf(b.id)]
      return [one, two].every(({ UNASSESSED = 0, ELIGIBLE = 0, QUEUED = 0 }) => UNASSESSED + ELIGIBLE + QUEUED === 0)
    })
    for (const id of ids) {
      const states = [await world.planner.member(a.id, id), await world.planner.member(b.id, id)].map(
        (member) => member.state,
      )
      expect(states.sort()).toEqual(['BLOCKED', 'PREPARING'])
    }
  })
})

describe('the gate', () => {
  it('closes on first attempts that failed, not only when all attempts are used up', async () => {
    await world.devices(30)
    world.answer = refuses
    const plan = await world.plan({ maxInFlight: 2, maxAttempts: 3, gateMinSample: 4, failureGatePercent: 50 })
    await world.planner.act(plan.id, 'start', ANN)
    await world.untilState(plan, 'paused')
    const states = await statesOf(plan.id)
    expect(states.QUEUED).toBeGreaterThan(20)
    expect(states.QUARANTINED ?? 0).toBe(0)
  })

  it('judges the attempts after a person resumed', async () => {
    await world.devices(30)
    world.answer = refuses
    const plan = await world.plan({ maxInFlight: 1, maxAttempts: 1, gateMinSample: 4, failureGatePercent: 50 })
    await world.planner.act(plan.id, 'start', ANN)
    await world.untilState(plan, 'paused')
    const before = (await statesOf(plan.id)).QUARANTINED ?? 0
    world.clock.nowMs += 1
    await world.planner.act(plan.id, 'resume', ANN)
    await world.until(async () => ((await statesOf(plan.id)).QUARANTINED ?? 0) > before + 1)
    await world.untilState(plan, 'paused')
    expect((await statesOf(plan.id)).QUARANTINED ?? 0).toBeLessThan(before + 8)
  })
})

describe('devices that are offline', () => {
  it('wait for their start without a place, and start when they are heard of', async () => {
    const [gone] = await world.devices(1)
    if (gone === undefined) throw new Error('no device')
    world.clock.nowMs += 86_400_000
    await world.devices(2)
    const plan = await world.plan({ maxInFlight: 3 })
    await world.planner.act(plan.id, 'start', ANN)
    await world.until(async () => (await flying(plan.id)) === 2)
    expect(await world.planner.member(plan.id, gone)).toMatchObject({ state: 'QUEUED' })
    await world.until(async () => (await world.planner.member(plan.id, gone)).waiting === 'offline')
    await world.until(async () => (await world.planner.status(plan.id)).next.includes('3 of them are offline'))
    world.clock.nowMs += 900_000
    await world.heard(gone)
    await world.until(async () => (await flying(plan.id)) === 3)
  })

  it('are no failures: neither for the gate nor for the attempts', async () => {
    const [id] = await world.devices(1)
    if (id === undefined) throw new Error('no device')
    world.answer = () => 'expired'
    const plan = await world.plan({ maxAttempts: 1, gateMinSample: 1, failureGatePercent: 0 })
    await world.planner.act(plan.id, 'start', ANN)
    await world.until(async () => (await world.planner.member(plan.id, id)).visit > 4)
    world.answer = silent
    // Not before it has been heard of.
    for (let i = 0; i < 10; i++) {
      world.clock.nowMs += 20_000
      await world.planner.tick()
    }
    expect(await world.planner.member(plan.id, id)).toMatchObject({ state: 'QUEUED', waiting: 'offline', attempt: 1 })
    expect((await world.planner.get(plan.id)).state).toBe('running')
    await world.heard(id)
    await world.until(async () => {
      world.clock.nowMs += 20_000
      await world.heard(id)
      return (await world.planner.member(plan.id, id)).state === 'PREPARING'
    })
  })

  it('are given at least two inform intervals to connect', async () => {
    const [id] = await world.devices(1, {
      cwmp: {
        lastInformAt: world.clock.nowMs,
        events: [],
        version: '1.4',
        informIntervalS: 7200,
        discoveredFor: '1.0',
      },
    })
    const plan = await world.plan({ offlineTimeoutMs: 60_000 })
    await world.planner.act(plan.id, 'start', ANN)
    await world.until(async () => world.asked.length > 0)
    expect(world.asked[0]?.deviceId).toBe(id)
    expect((world.asked[0]?.expiresAt ?? 0) - (world.asked[0]?.createdAt ?? 0)).toBeGreaterThan(2 * 7200 * 1000)
  })
})

describe('steering', () => {
  it('takes an action that has happened already as done', async () => {
    await world.devices(1)
    const plan = await world.plan()
    for (const [action, state] of [
      ['start', 'running'],
      ['start', 'running'],
      ['pause', 'paused'],
      ['pause', 'paused'],
      ['resume', 'running'],
      ['resume', 'running'],
    ] as const)
      expect((await world.planner.act(plan.id, action, ANN)).state).toBe(state)
    await world.planner.act(plan.id, 'abort', ANN)
    expect((await world.planner.act(plan.id, 'abort', ANN)).state).toMatch(/^abort/)
    await expect(world.planner.act(plan.id, 'pause', ANN)).rejects.toMatchObject({ code: 'conflict' })
    const { items } = await world.store.audit.list({ target: plan.id, limit: 50 })
    const told = items.map(({ action, result }) => `${action} ${result}`).filter((line) => !line.includes('finish'))
    expect(told.reverse()).toEqual([
      'plan.create ok',
      'plan.start ok',
      'plan.pause ok',
      'plan.resume ok',
      'plan.abort ok',
      'plan.pause refused',
    ])
  })

  it('reports for each device that was to be retried if it is', async () => {
    const ids = await world.devices(3)
    const [first, second] = ids
    if (first === undefined || second === undefined) throw new Error('no devices')
    world.answer = refuses
    const plan = await world.plan({ maxAttempts: 1 })
    await world.planner.act(plan.id, 'start', ANN)
    await world.untilState(plan, 'finished')
    const { items } = await world.store.plans.listMembers(plan.id, { reason: '9001', limit: 10 })
    expect(items.map(({ deviceId }) => deviceId)).toEqual(ids)
    expect((await world.store.plans.listMembers(plan.id, { waiting: 'offline', limit: 10 })).items).toEqual([])
    world.answer = silent
    expect(await world.planner.forDevices(plan.id, 'retry', ['nobody' as typeof first], ANN)).toMatchObject({
      accepted: 0,
      plan: { state: 'finished' },
    })
    const retried = await world.planner.forDevices(plan.id, 'retry', [first, 'nobody' as typeof first], ANN)
    expect(retried).toMatchObject({ accepted: 1, refused: [{ deviceId: 'nobody', reason: /no member/ }] })
    await world.until(async () => (await world.planner.member(plan.id, first)).state === 'PREPARING')
    expect((await world.planner.member(plan.id, second)).state).toBe('QUARANTINED')
    await world.planner.act(plan.id, 'retry', ANN)
    await world.until(async () => (await flying(plan.id)) === 3)
  })

  it('does not end a plan between its reopening and that of its devices, on any instance', async () => {
    const [id] = await world.devices(1)
    if (id === undefined) throw new Error('no device')
    world.answer = refuses
    const plan = await world.plan({ maxAttempts: 1 })
    await world.planner.act(plan.id, 'start', ANN)
    await world.untilState(plan, 'finished')
    world.answer = silent
    const other = world.anotherPlanner('other')
    const { plans } = world.store
    let looked = 0
    const commitMember: PlanStore['commitMember'] = async (commit) => {
      // The first is the retry itself.
      if (looked++ === 0) await other.tick()
      return plans.commitMember(commit)
    }
    const retrying = world.anotherPlanner('retrying', Object.create(plans, { commitMember: { value: commitMember } }))
    expect(await retrying.forDevices(plan.id, 'retry', [id], ANN)).toMatchObject({ accepted: 1 })
    expect(looked).toBeGreaterThan(0)
    expect((await world.planner.get(plan.id)).state).toBe('running')
    await world.until(async () => (await world.planner.member(plan.id, id)).state === 'PREPARING')
  })

  it('moves a device again that was reset to factory settings after its migration', async () => {
    // The other one keeps the plan going.
    const [id] = await world.devices(2)
    if (id === undefined) throw new Error('no device')
    const plan = await world.plan()
    await world.planner.act(plan.id, 'start', ANN)
    await world.until(async () => (await flying(plan.id)) === 2)
    await world.until(async () => (await world.planner.member(plan.id, id)).lease === undefined)
    const member = await world.planner.member(plan.id, id)
    const { lease: _lease, ...free } = member
    const { dueMs: _due, waiting: _waiting, ...rest } = free
    await world.store.plans.commitMember({
      before: member,
      member: { ...rest, state: 'MIGRATED', facts: {}, revision: member.revision + 1 },
      events: [],
      device: {
        deviceId: id,
        set: { owner: 'usp', migration: { planId: plan.id, state: 'MIGRATED', at: world.clock.nowMs } },
        newRevision: true,
      },
    })
    const asked = world.asked.length
    await world.store.events.append([{ type: 'device.bootstrapped', at: world.clock.nowMs, deviceId: id, data: {} }])
    await world.until(async () => {
      const { history, state } = await world.planner.member(plan.id, id)
      return history.some(({ event }) => event === 'reset') && state === 'PREPARING'
    })
    await world.until(async () => world.asked.length > asked)
    expect((await world.store.devices.get(id))?.owner).toBe('cwmp')
  })
})
