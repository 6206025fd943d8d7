import { expect, it } from 'vitest'
import type { Plan, PlanState, PlanStore } from '../../../src/domain/index.ts'
import { groupStatus } from '../../../src/planner/group-status.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { countersOf, planOf } from '../../support/plans.ts'

const group = { id: 'g1', name: 'north', revision: 1, createdAt: 1, updatedAt: 1 }
const counted = { value: { cwmp: 2, usp: 1, uspLinked: 1 }, countedAt: 5 }

/** A store of these plans, newest first, that lists them and knows no counts. */
function storeOf(plans: Plan[]): PlanStore {
  const store: Pick<PlanStore, 'listPlans' | 'counters'> = {
    async listPlans({ states, limit }) {
      const found = plans.filter(({ state }) => (states as readonly PlanState[] | undefined)?.includes(state) ?? true)
      const items = found.slice(0, limit)
      return found.length > limit ? { items, next: 'more' } : { items }
    },
    counters: async () => countersOf(),
  }
  return store as PlanStore
}

const statusOf = (plans: Plan[]) =>
  groupStatus(group, counted, storeOf(plans), createManualClock(0), async (plan) => ({ plan, matching: 0 }))
const drafts = (count: number) => Array.from({ length: count }, (_, n) => planOf({ id: `draft ${n}`, state: 'draft' }))

it('the status of a group lists a running plan behind 100 newer ones, and marks that older ones are left out', async () => {
  const running = planOf({ id: 'old', state: 'running', startedAt: 1 })
  const status = await statusOf([...drafts(120), running, planOf({ id: 'oldest', state: 'finished', startedAt: 1 })])
  expect(status.plans).toHaveLength(101)
  expect(status.plans.at(-1)).toEqual({ id: 'old', name: 'north', state: 'running' })
  expect(status.plan?.planId).toBe('old')
  expect(status.truncated).toBe(true)
})

it('the status of a group lists all of its few plans once', async () => {
  const status = await statusOf([...drafts(2), planOf({ id: 'now', startedAt: 1 })])
  expect(status.plans.map(({ id }) => id)).toEqual(['draft 0', 'draft 1', 'now'])
  expect(status).not.toHaveProperty('truncated')
})
