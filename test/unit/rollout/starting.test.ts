import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../support/manual-clock.ts'
import { createParameterWorld, type ParameterWorld } from '../../support/parameter-rollout.ts'

const ABSENT = { cwmp: { lastInformAt: 0, events: [], version: '1.4' } }

describe('starts', () => {
  let world: ParameterWorld
  beforeEach(() => {
    world = createParameterWorld()
  })
  afterEach(async () => {
    await world.rollout.stop()
  })

  /** One round over a plan that has its members, and the runs that it begins. */
  async function round(): Promise<void> {
    const plan = world.plan()
    if (plan !== undefined) await world.rollout.round(plan)
  }
  const waiting = () =>
    [...world.store.inside.members.values()].filter(({ waiting: reason }) => reason === 'offline').length

  it('find devices that are here behind many that are absent, in one round', async () => {
    await world.devices(300, ABSENT)
    await world.devices(2)
    await world.start({ maxInFlight: 2 })
    await round()
    await until(world.clock, () => world.states().SET === 2)
    expect(waiting()).toBeGreaterThan(200)
    expect(world.clock.now()).toBe(1_700_000_000_000)
  })

  it('are spent on devices that are here: looking at an absent one costs none', async () => {
    await world.devices(20, ABSENT)
    await world.devices(1)
    await world.start({ startsPerMinute: 1 })
    await round()
    await until(world.clock, () => world.states().SET === 1)
    expect(world.store.inside.rounds.get('p1')?.pacing).toMatchObject({ tokens: 0 })
  })

  it('keep the rest of the rate with the round, for the next holder', async () => {
    await world.devices(3)
    await world.start({ startsPerMinute: 1 })
    await round()
    await until(world.clock, () => world.states().SET === 1)
    const other = world.another('two')
    const plan = world.plan()
    if (plan !== undefined) await other.round(plan)
    expect(world.states()).toEqual({ SET: 1, WAITING: 2 })
    await other.stop()
  })

  it('are made by the holder of the round alone', async () => {
    await world.devices(2)
    await world.start()
    await world.store.takeRound('p1', 'two', world.clock.now(), 60_000)
    await round()
    expect(world.states()).toEqual({})
    await world.store.leaveRound('p1', 'two')
    await round()
    await until(world.clock, () => world.states().SET === 2)
  })

  it('end a member whose device was deleted, and leave its place to another', async () => {
    const [, second] = await world.devices(3)
    world.answer = () => ({ state: 'queued' })
    await world.start({ maxInFlight: 1 })
    world.rollout.start()
    await until(world.clock, () => world.states().SETTING === 1)
    if (second !== undefined) await world.forget(second)
    world.answer = () => ({ state: 'done' })
    await until(world.clock, () => world.plan()?.state === 'finished')
    expect(world.states()).toEqual({ SET: 2, CANCELLED: 1 })
    expect(world.asked.map(({ deviceId }) => deviceId)).not.toContain(second)
  })
})
