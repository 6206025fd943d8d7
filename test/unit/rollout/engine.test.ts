import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AppError } from '../../../src/base/index.ts'
import type { DeviceId } from '../../../src/domain/index.ts'
import { ANN } from '../../support/actors.ts'
import { until } from '../../support/manual-clock.ts'
import { createParameterWorld, type ParameterWorld } from '../../support/parameter-rollout.ts'

const ABSENT = { cwmp: { lastInformAt: 0, events: [], version: '1.4' } }

describe('rounds over plans', () => {
  let world: ParameterWorld
  beforeEach(() => {
    world = createParameterWorld()
  })
  afterEach(async () => {
    await world.rollout.stop()
  })

  it('pause a plan with the reason of an error that would be the same again', async () => {
    await world.devices(1)
    world.beforeEnrol = () => {
      throw new AppError('notFound', 'there is no group g1')
    }
    await world.start()
    world.rollout.start()
    await until(world.clock, () => world.plan()?.state === 'paused')
    expect(world.plan()?.reason).toBe('there is no group g1')
  })

  it('repeat work that failed on anything else', async () => {
    await world.devices(1)
    let tries = 0
    world.beforeEnrol = () => {
      if (++tries < 3) throw new AppError('unavailable', 'the database does not answer')
    }
    await world.start()
    world.rollout.start()
    await until(world.clock, () => world.plan()?.state === 'finished')
    expect(tries).toBe(3)
  })

  it('end a plan without members with a reason', async () => {
    await world.start()
    world.rollout.start()
    await until(world.clock, () => world.plan()?.state === 'finished')
    expect(world.plan()?.reason).toBe('the group had no device')
  })

  it('cancel a member that comes to the start after the abort has gone through all', async () => {
    await world.devices(1, ABSENT)
    await world.start()
    world.rollout.start()
    await until(world.clock, () => world.states().WAITING === 1)
    const { bulk: _bulk, ...plan } = world.plan() ?? {}
    await world.change({ ...plan, state: 'aborting' })
    await until(world.clock, () => world.plan()?.state === 'aborted')
    expect(world.states()).toEqual({ CANCELLED: 1 })
  })

  it('find a device that was in contact with another instance', async () => {
    const [id] = await world.devices(1, ABSENT)
    await world.start()
    world.rollout.start()
    await until(world.clock, () => world.states().WAITING === 1)
    if (id !== undefined) await world.contact(id, { contact: () => {} })
    const from = world.clock.now()
    await until(world.clock, () => world.states().SET === 1)
    expect(world.clock.now() - from).toBeLessThan(70_000)
  })

  it('try a member again whose work broke off', async () => {
    await world.devices(1)
    let tries = 0
    world.answer = () => {
      if (++tries === 1) throw new TypeError('a defect')
      return { state: 'done' }
    }
    await world.start()
    world.rollout.start()
    await until(world.clock, () => world.states().SET === 1)
    expect(tries).toBe(2)
  })
})

describe('actions for named devices', () => {
  let world: ParameterWorld
  beforeEach(async () => {
    world = createParameterWorld()
    await world.devices(2)
    world.answer = () => ({ state: 'done' })
  })
  afterEach(async () => {
    await world.rollout.stop()
  })

  it('report those that take it, those for which there is nothing to do, and those that are no members', async () => {
    const [absent] = await world.devices(1, ABSENT)
    await world.start()
    world.rollout.start()
    await until(world.clock, () => world.states().SET === 2)
    const plan = world.plan()
    const [done] = [...world.store.inside.members.values()].filter(({ state }) => state === 'SET')
    if (plan === undefined || absent === undefined || done === undefined) throw new Error('no plan')
    const stranger = '0C96BF-CPE-none' as DeviceId
    const report = await world.rollout.actions.forDevices(plan, 'abort', [absent, done.deviceId, stranger], ANN)
    expect(report).toEqual({
      accepted: 1,
      underWay: 0,
      refused: expect.arrayContaining([
        { deviceId: done.deviceId, reason: 'the device is SET: there is nothing to abort' },
        { deviceId: stranger, reason: 'the device is no member of this plan' },
      ]),
    })
    expect(world.states()).toEqual({ SET: 2, CANCELLED: 1 })
  })

  it('refuse a member that another instance works on', async () => {
    const [absent] = await world.devices(1, ABSENT)
    await world.start()
    world.rollout.start()
    await until(world.clock, () => world.states().SET === 2)
    const plan = world.plan()
    if (plan === undefined || absent === undefined) throw new Error('no plan')
    await world.store.claim(`p1|${absent}`, 'two', world.clock.now(), 60_000)
    const { refused } = await world.rollout.actions.forDevices(plan, 'abort', [absent], ANN)
    expect(refused).toEqual([
      { deviceId: absent, reason: 'a step of the device is under way; repeat the request in some seconds' },
    ])
  })
})
