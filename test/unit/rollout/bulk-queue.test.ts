import { beforeEach, describe, expect, it } from 'vitest'
import type { BulkWork } from '../../../src/domain/index.ts'
import { type BulkKind, BulkQueue, mayGoOn, type Piece } from '../../../src/rollout/bulk-queue.ts'
import { bulkOf, memoryRolloutStore } from '../../support/memory-rollout-store.ts'
import { SET_STATES, type SetMember, type SetPlan } from '../../support/parameter-rollout.ts'
import { planOf } from '../../support/plans.ts'

describe('the order of bulk work', () => {
  it('is the order of the list', () => {
    expect(mayGoOn({ kind: 'retry' }, [])).toBe(true)
    expect(mayGoOn({ kind: 'retry' }, [{ kind: 'enrol' }])).toBe(false)
    expect(mayGoOn({ kind: 'survey' }, [{ kind: 'rollback' }])).toBe(false)
  })

  it('lets an abort go on at once, and others beside it, but no retry', () => {
    expect(mayGoOn({ kind: 'abort' }, [{ kind: 'enrol' }])).toBe(true)
    expect(mayGoOn({ kind: 'rollback' }, [{ kind: 'abort' }])).toBe(true)
    expect(mayGoOn({ kind: 'retry' }, [{ kind: 'abort' }])).toBe(false)
  })

  it('stops paused work, and lets others go on beside it', () => {
    expect(mayGoOn({ kind: 'rollback', paused: true }, [])).toBe(false)
    expect(mayGoOn({ kind: 'rollback' }, [{ kind: 'rollback', paused: true }])).toBe(true)
  })

  it('lets all go on beside a paced rollback', () => {
    expect(mayGoOn({ kind: 'retry' }, [{ kind: 'rollback', paced: true }])).toBe(true)
    expect(mayGoOn({ kind: 'survey' }, [{ kind: 'rollback', paced: true }, { kind: 'abort' }])).toBe(true)
  })
})

describe('the bulk work of a plan', () => {
  let done: string[]
  let ended: string[]
  /** Pieces that each kind still has. */
  let pieces: Partial<Record<BulkWork['kind'], number>>
  const store = () => memoryRolloutStore<SetPlan, SetMember>(SET_STATES)
  beforeEach(() => {
    done = []
    ended = []
    pieces = {}
  })

  const kind = (name: BulkWork['kind']): BulkKind<SetPlan> => ({
    async piece(plan, work, behind): Promise<Piece<SetPlan>> {
      done.push(`${name}${behind ? ' behind' : ''}`)
      const left = (pieces[name] ?? 1) - 1
      pieces[name] = left
      const found = name === 'survey' ? { plan: { ...plan, reason: 'surveyed' } } : {}
      return left > 0 ? { ...found, left: { ...work, after: `d${left}` } } : found
    },
    idle: async () => void ended.push(name),
  })

  async function queueOf(...bulk: BulkWork[]) {
    const plans = store()
    const settings = { ...planOf().settings, path: 'Device.X', value: 'x' }
    const plan: SetPlan = { ...planOf(), settings, bulk }
    await plans.putPlan(plan)
    const kinds = ['enrol', 'retry', 'abort', 'rollback', 'survey'] as const
    const queue = new BulkQueue<SetPlan, SetMember>(
      plans,
      Object.fromEntries(kinds.map((name) => [name, kind(name)])) as Record<BulkWork['kind'], BulkKind<SetPlan>>,
    )
    return { plans, plan, queue }
  }

  it('goes on by one piece a round, and its progress is stored', async () => {
    pieces.retry = 3
    const { plans, plan, queue } = await queueOf(bulkOf('retry'))
    const next = await queue.goOn(plan)
    expect(next).toMatchObject({ revision: 2, bulk: [{ kind: 'retry', after: 'd2' }] })
    expect(plans.inside.plans.get(plan.id)).toEqual(next)
    const last = await queue.goOn(await queue.goOn(next))
    expect(last.bulk).toBeUndefined()
    expect(done).toEqual(['retry', 'retry', 'retry'])
  })

  it('leaves the plan as it is while no work goes on', async () => {
    const { plan, queue } = await queueOf()
    expect(await queue.goOn(plan)).toBe(plan)
  })

  it('waits behind work that is not done', async () => {
    pieces.enrol = 2
    const { plan, queue } = await queueOf(bulkOf('enrol'), bulkOf('retry'), bulkOf('abort'))
    const next = await queue.goOn(plan)
    expect(done).toEqual(['enrol', 'abort behind'])
    expect(next.bulk?.map((work) => work.kind)).toEqual(['enrol', 'retry'])
  })

  it('begins nothing that is paused, and keeps its place', async () => {
    const { plan, queue } = await queueOf(bulkOf('rollback', { paused: true, after: 'd3' }))
    expect(await queue.goOn(plan)).toBe(plan)
    expect(done).toEqual([])
  })

  it('stores what it has found with its progress', async () => {
    const { plan, queue } = await queueOf(bulkOf('survey'))
    expect(await queue.goOn(plan)).toMatchObject({ reason: 'surveyed', revision: 2 })
  })

  it('lets each kind end what it holds for a plan that has no such work', async () => {
    const { plan, queue } = await queueOf(bulkOf('enrol'))
    await queue.goOn(plan)
    expect(ended).toEqual(['retry', 'abort', 'rollback', 'survey'])
  })
})
