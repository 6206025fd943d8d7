import { beforeEach, describe, expect, it } from 'vitest'
import { PlanLock } from '../../../src/rollout/plan-lock.ts'
import { createManualClock, type ManualClock, settled } from '../../support/manual-clock.ts'
import { type MemoryRolloutStore, memoryRolloutStore } from '../../support/memory-rollout-store.ts'
import { SET_STATES, type SetMember, type SetPlan } from '../../support/parameter-rollout.ts'

describe('work on a plan as a whole', () => {
  let clock: ManualClock
  let plans: MemoryRolloutStore<SetPlan, SetMember>
  let kicked: string[]
  beforeEach(() => {
    clock = createManualClock()
    plans = memoryRolloutStore(SET_STATES)
    kicked = []
  })
  const lockOf = (instance = 'one') => {
    const time = { now: clock.now, silenceCountsFrom: 0, wallTime: (ms: number) => ms }
    return new PlanLock({ plans, instance, clock, time }, (planId) => kicked.push(planId))
  }
  /** Work that ends when it is let go. */
  const held = () => {
    let letGo = () => {}
    const work = () =>
      new Promise<void>((resolve) => {
        letGo = resolve
      })
    return { work, letGo: () => letGo() }
  }

  it('is one round at a time; one that is asked for meanwhile follows', async () => {
    const lock = lockOf()
    const { work, letGo } = held()
    const first = lock.round('p', work)
    let rounds = 0
    const second = lock.round('p', async () => void rounds++)
    letGo()
    await Promise.all([first, second])
    expect(rounds).toBe(0)
    expect(kicked).toEqual(['p'])
  })

  it('waits for the round of this instance, and holds the round of all instances', async () => {
    const lock = lockOf()
    const { work, letGo } = held()
    const round = lock.round('p', work)
    let holder: string | undefined
    const alone = lock.alone('p', async () => {
      holder = plans.inside.rounds.get('p')?.by
      return 7
    })
    await settled()
    expect(holder).toBeUndefined()
    letGo()
    await round
    expect(await alone).toBe(7)
    expect(holder).toBe('one')
    expect(plans.inside.rounds.get('p')?.by).toBeUndefined()
  })

  it('waits for another instance, and gives up after some seconds', async () => {
    await plans.takeRound('p', 'two', clock.now(), 60_000)
    const waiting = lockOf().alone('p', async () => 7)
    const outcome = waiting.then(
      (value) => value,
      (error: { code: string }) => error.code,
    )
    for (let i = 0; i < 20; i++) {
      await settled(4)
      clock.advance(200)
    }
    await plans.leaveRound('p', 'two')
    await settled(4)
    clock.advance(200)
    expect(await outcome).toBe(7)

    await plans.takeRound('p', 'two', clock.now(), 60_000)
    const refused = lockOf()
      .alone('p', async () => 7)
      .catch((error: { code: string }) => error.code)
    for (let i = 0; i < 60; i++) {
      await settled(4)
      clock.advance(200)
    }
    expect(await refused).toBe('conflict')
  })

  it('gives the plan back after work that fails, and its error to the caller alone', async () => {
    const lock = lockOf()
    const failing = lock.alone('p', async () => {
      throw new Error('broke')
    })
    const next = lock.alone('p', async () => 'done')
    await expect(failing).rejects.toThrow('broke')
    expect(await next).toBe('done')
    await lock.idle()
  })

  it('keeps plans apart', async () => {
    const lock = lockOf()
    const { work, letGo } = held()
    const one = lock.round('p', work)
    expect(await lock.alone('q', async () => 'q')).toBe('q')
    letGo()
    await one
  })
})
