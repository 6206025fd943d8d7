import { beforeEach, describe, expect, it } from 'vitest'
import { deviceIdOf, type NewOperation, type Operation, type PlanMember } from '../../../src/domain/index.ts'
import { Script, type ScriptDeps } from '../../../src/planner/machine/script.ts'
import { planOf } from '../../support/plans.ts'

const DEVICE = deviceIdOf({ oui: '0C96BF', productClass: 'CPE', serial: '1' })

function memberOf(more: Partial<PlanMember> = {}): PlanMember {
  return {
    id: `p1|${DEVICE}`,
    planId: 'p1',
    deviceId: DEVICE,
    state: 'VERIFYING',
    step: '',
    done: [],
    facts: {},
    attempt: 1,
    visit: 3,
    history: [],
    enteredAt: 1,
    enteredMs: 1,
    revision: 7,
    ...more,
  }
}

describe('steps of a state', () => {
  let nowMs: number
  /** The stored members, in order. */
  let stored: PlanMember[]
  let asked: NewOperation[]
  beforeEach(() => {
    nowMs = 1000
    stored = []
    asked = []
  })

  function scriptOf(member = memberOf()): Script {
    const deps = {
      time: { now: () => nowMs, startedAt: 0, silenceCountsFrom: 0, wallTime: (ms: number) => ms },
      operations: {
        submit: async (wanted: NewOperation) => {
          asked.push(wanted)
          const result = { outcome: 'done', results: [{ path: 'Device.X', value: 'x' }] }
          return { id: wanted.idempotencyKey, deviceId: DEVICE, state: 'done', result } as unknown as Operation
        },
      },
      devices: { get: async () => ({ id: DEVICE }) },
    } as unknown as ScriptDeps
    return new Script(planOf(), member, deps, async (before, after) => {
      const next = { ...after, revision: before.revision + 1 }
      stored.push(next)
      return next
    })
  }

  const read = (script: Script, name: string) => async () => {
    await script.read(name, ['Device.X'], 'usp')
    return { facts: { identity: name } }
  }

  it('are stored one by one', async () => {
    const script = scriptOf()
    await script.step('a', async () => ({ facts: { interval: '1' } }))
    await script.step('b', async () => ({}))
    expect(stored.map(({ done }) => done)).toEqual([['a'], ['a', 'b']])
    expect(stored.at(-1)).toMatchObject({ step: 'b', facts: { interval: '1' }, revision: 9 })
  })

  it('that only ask the device are stored with the next one', async () => {
    const script = scriptOf()
    await script.derived('a', read(script, 'a'))
    await script.derived('b', read(script, 'b'))
    expect(stored).toEqual([])
    expect(script.member).toMatchObject({ step: 'b', done: ['a', 'b'], facts: { identity: 'b' }, revision: 7 })
    await script.step('c', async () => ({}))
    expect(stored).toMatchObject([{ done: ['a', 'b', 'c'], facts: { identity: 'b' }, revision: 8 }])
  })

  it('are done once in a run, and after a crash ask for the operation that they asked for before', async () => {
    const first = scriptOf()
    await first.derived('a', read(first, 'a'))
    await first.derived('a', read(first, 'a'))
    expect(asked).toHaveLength(1)
    // Nothing of it was stored: the next run has the same member.
    const second = scriptOf()
    await second.derived('a', read(second, 'a'))
    expect(asked.map(({ idempotencyKey }) => idempotencyKey)).toEqual(Array(2).fill(`p1|${DEVICE}#3#a`))
    expect(second.facts.identity).toBe('a')
  })

  it('are stored in time to keep the lease', async () => {
    const script = scriptOf()
    await script.derived('a', read(script, 'a'))
    nowMs += 15_000
    await script.derived('b', read(script, 'b'))
    expect(stored).toMatchObject([{ done: ['a', 'b'] }])
    await script.derived('c', read(script, 'c'))
    expect(stored).toHaveLength(1)
  })

  it('forget which operation the one before waited for', async () => {
    const script = scriptOf(memberOf({ facts: { asked: { step: 'a', ms: 5 } } }))
    await script.derived('a', read(script, 'a'))
    expect(script.facts.asked).toBeUndefined()
  })

  it('ask over CWMP as long as the device needs to connect, and read its record once for that', async () => {
    let reads = 0
    const script = scriptOf()
    Object.assign(script.deps.devices, {
      get: async () => {
        reads++
        return { id: DEVICE, cwmp: { informIntervalS: 7200 } }
      },
    })
    await script.read('a', ['Device.X'], 'cwmp', { more: true })
    await script.read('b', ['Device.X'], 'cwmp')
    expect(reads).toBe(1)
    expect(asked).toMatchObject([{ expiresInMs: 14_460_000, more: true }, { expiresInMs: 14_460_000 }])
    expect(asked[1]?.more).toBeUndefined()
  })
})
