import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OperationResult } from '../../../src/domain/index.ts'
import { until } from '../../support/manual-clock.ts'
import { bulkOf } from '../../support/memory-rollout-store.ts'
import { createParameterWorld, type ParameterWorld } from '../../support/parameter-rollout.ts'

const REFUSED: OperationResult = {
  outcome: 'failed',
  results: [],
  error: { code: '9001', text: 'refused', retryable: false },
}

describe('a rollout that sets a parameter on each device of a group', () => {
  let world: ParameterWorld
  beforeEach(() => {
    world = createParameterWorld()
  })
  afterEach(async () => {
    await world.rollout.stop()
  })

  const ended = () => until(world.clock, () => world.plan()?.state === 'finished')

  it('sets it on every device once, and is finished', async () => {
    const ids = await world.devices(3)
    await world.start()
    world.rollout.start()
    await ended()
    expect(world.states()).toEqual({ SET: 3 })
    expect(world.asked.map(({ deviceId }) => deviceId).sort()).toEqual(ids.sort())
    expect(world.asked[0]?.request).toEqual({ verb: 'set', values: [{ path: 'Device.Time.NTPServer1', value: 'ntp' }] })
    const [member] = world.store.inside.members.values()
    expect(member?.facts).toEqual({ found: 'ntp' })
  })

  it('keeps to the places of the plan', async () => {
    await world.devices(5)
    let most = 0
    world.answer = () => {
      most = Math.max(most, world.states().SETTING ?? 0)
      return { state: 'done' }
    }
    await world.start({ maxInFlight: 2 })
    world.rollout.start()
    await ended()
    expect(world.states()).toEqual({ SET: 5 })
    expect(most).toBeLessThanOrEqual(2)
  })

  it('keeps to the start rate of the plan', async () => {
    await world.devices(3)
    await world.start({ startsPerMinute: 1 })
    const begun = world.clock.now()
    world.rollout.start()
    await ended()
    expect(world.clock.now() - begun).toBeGreaterThan(120_000)
    expect(world.clock.now() - begun).toBeLessThan(130_000)
  })

  it('lets an absent device wait for its contact, while others go on', async () => {
    const [absent] = await world.devices(1, { cwmp: { lastInformAt: 0, events: [], version: '1.4' } })
    await world.devices(1)
    await world.start({ maxInFlight: 1 })
    world.rollout.start()
    await until(world.clock, () => world.states().SET === 1)
    expect(world.states()).toEqual({ SET: 1, WAITING: 1 })
    if (absent !== undefined) await world.contact(absent)
    await ended()
    expect(world.states()).toEqual({ SET: 2 })
  })

  it('is paused by the gate when too many fail, and starts no other', async () => {
    await world.devices(4)
    world.answer = () => ({ state: 'failed', result: REFUSED })
    await world.start({ maxInFlight: 1, gateMinSample: 2 })
    world.rollout.start()
    await until(world.clock, () => world.plan()?.state === 'paused')
    expect(world.plan()?.reason).toBe('more than 30 % of the attempts failed')
    expect(world.states()).toEqual({ FAILED: 2, WAITING: 2 })
  })

  it('retries those that failed, and none that ended well', async () => {
    const [first] = await world.devices(2)
    world.answer = ({ deviceId }) => (deviceId === first ? { state: 'failed', result: REFUSED } : { state: 'done' })
    await world.start()
    world.rollout.start()
    await ended()
    expect(world.states()).toEqual({ SET: 1, FAILED: 1 })
    world.answer = () => ({ state: 'done' })
    await world.change({ state: 'running', bulk: [bulkOf('retry')] })
    await ended()
    expect(world.states()).toEqual({ SET: 2 })
    expect(world.asked).toHaveLength(3)
  })

  it('is aborted: what has not started is cancelled, and what is under way ends', async () => {
    await world.devices(3)
    world.answer = () => ({ state: 'queued' })
    await world.start({ maxInFlight: 1 })
    world.rollout.start()
    await until(world.clock, () => world.states().SETTING === 1)
    await world.change({ state: 'aborting', bulk: [bulkOf('abort')] })
    await until(world.clock, () => world.states().CANCELLED === 2)
    expect(world.states()).toEqual({ SETTING: 1, CANCELLED: 2 })
    world.answer = () => ({ state: 'done' })
    await until(world.clock, () => world.plan()?.state === 'aborted')
    expect(world.states()).toEqual({ SET: 1, CANCELLED: 2 })
  })

  it('is carried on by another server, which asks for no operation twice', async () => {
    await world.devices(2)
    world.answer = () => ({ state: 'queued' })
    await world.start()
    world.rollout.start()
    await until(world.clock, () => world.asked.length === 2)
    await world.rollout.stop()
    world.answer = () => ({ state: 'done' })
    const other = world.another('two')
    other.start()
    await ended()
    await other.stop()
    expect(world.states()).toEqual({ SET: 2 })
    expect(world.asked).toHaveLength(2)
  })

  it('of a deleted plan is deleted with its members, when none holds its device', async () => {
    await world.devices(2)
    await world.start()
    world.rollout.start()
    await ended()
    await world.change({ state: 'deleted' })
    await until(world.clock, () => world.plan() === undefined)
    expect(world.states()).toEqual({})
  })
})
