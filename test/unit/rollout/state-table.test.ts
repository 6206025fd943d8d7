import { describe, expect, it } from 'vitest'
import { MIGRATION_STATES } from '../../../src/planner/machine/states.ts'
import { StateTable } from '../../../src/rollout/index.ts'

const rows = {
  NEW: { phase: 'before', holds: 'none' },
  WORKING: { phase: 'forward', holds: 'working' },
  UNDOING: { phase: 'back', holds: 'working' },
  DONE: { phase: 'ended', holds: 'done' },
  STOPPED: { phase: 'ended', holds: 'none' },
} as const
type State = keyof typeof rows

describe('a table of states', () => {
  const table = new StateTable<State>(Object.keys(rows) as State[], (state) => rows[state])

  it('gives the lists that a rollout works with', () => {
    expect(table.open).toEqual(['NEW', 'WORKING', 'UNDOING'])
    expect(table.holding).toEqual(['WORKING', 'UNDOING', 'DONE'])
    expect(table.all.filter((state) => table.isInFlight(state))).toEqual(['WORKING', 'UNDOING'])
  })

  it('finds members that have not ended, that hold their device, and that do not', () => {
    expect(table.hasOpen({ states: { UNDOING: 1 } })).toBe(true)
    expect(table.hasOpen({ states: { DONE: 1, STOPPED: 1 } })).toBe(false)
    expect(table.hasHolding({ states: { DONE: 1 } })).toBe(true)
    expect(table.hasHolding({ states: { NEW: 1, STOPPED: 1 } })).toBe(false)
    expect(table.hasReleased({ states: { STOPPED: 1 } })).toBe(true)
    expect(table.hasReleased({ states: { DONE: 1 } })).toBe(false)
  })
})

describe('places of a migration', () => {
  const taken = (states: Record<string, number>, waits: Record<string, number> = {}) =>
    MIGRATION_STATES.placesTaken({ states, waits })

  it('are taken by devices under way, wherever they are, and by those on their way back that come', () => {
    const forward = { PREPARING: 1, AWAITING_USP: 1, BINDING: 1, VERIFYING: 1, DUAL: 1, RETIRING: 1 }
    expect(taken({ QUEUED: 9, ...forward, MIGRATED: 9 }, { 'DUAL|offline': 1 })).toBe(6)
    expect(taken({ ROLLING_BACK: 5, BACKOFF: 3 }, { 'ROLLING_BACK|offline': 2 })).toBe(3)
    expect(taken({}, { 'ROLLING_BACK|offline': 2 })).toBe(0)
  })
})
