import { AppError } from '../../src/base/index.ts'
import type { BulkWork, DeviceId, Pacing, Page } from '../../src/domain/index.ts'
import type { StateTable } from '../../src/rollout/index.ts'
import type { RolloutCounters, RolloutMember, RolloutPlan } from '../../src/rollout/plan.ts'
import type { RolloutStore } from '../../src/rollout/ports.ts'
import { ANN } from './actors.ts'
import { rowOf } from './copy.ts'

/** The content, for assertions. */
export interface RolloutRoom<P extends RolloutPlan, M extends RolloutMember> {
  plans: Map<string, P>
  members: Map<string, M>
  rounds: Map<string, { by?: string; until?: number; pacing?: Pacing }>
  /** Attempts that failed and that succeeded, of all plans. */
  attempts: RolloutCounters['attempts']
}

/** The store of a rollout of any kind, in memory, with a way to store members. */
export interface MemoryRolloutStore<P extends RolloutPlan, M extends RolloutMember> extends RolloutStore<P, M> {
  inside: RolloutRoom<P, M>
  /** AppError `conflict` when the stored member has another revision than `before`. */
  commit(before: M | undefined, member: M): Promise<void>
}

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)

/** Counts are made at each question: there are few members. */
export function memoryRolloutStore<P extends RolloutPlan, M extends RolloutMember>(
  states: StateTable<M['state']>,
): MemoryRolloutStore<P, M> {
  const inside: RolloutRoom<P, M> = {
    plans: new Map(),
    members: new Map(),
    rounds: new Map(),
    attempts: { failed: 0, moved: 0 },
  }
  const { plans, members, rounds, attempts } = inside
  const of = (planId: string) => [...members.values()].filter((member) => member.planId === planId).sort(byId)
  const isFree = ({ lease }: M, now: number) => lease === undefined || lease.until < now
  const lease = (member: M, by: string, until: number) => {
    member.lease = { by, until }
    member.revision++
    return rowOf(member)
  }
  const page = <T extends { id: string }>(all: T[], limit: number): Page<T> => {
    const items = all.slice(0, limit).map(rowOf)
    const last = items.at(-1)
    return all.length > limit && last !== undefined ? { items, next: last.id } : { items }
  }
  return {
    inside,
    async commit(before, member) {
      if (members.get(member.id)?.revision !== before?.revision)
        throw new AppError('conflict', 'the member has changed')
      members.set(member.id, rowOf(member))
    },
    async putPlan(plan, expectedRevision) {
      if (plans.get(plan.id)?.revision !== expectedRevision) throw new AppError('conflict', 'the plan has changed')
      plans.set(plan.id, rowOf(plan))
    },
    async getPlan(id) {
      const plan = plans.get(id)
      return plan === undefined ? undefined : rowOf(plan)
    },
    async listPlans({ states: wanted, limit, cursor = '' }) {
      const found = [...plans.values()].filter(({ id, state }) => id > cursor && wanted?.includes(state) !== false)
      return page(found.sort(byId), limit)
    },
    async deletePlan(id) {
      plans.delete(id)
      rounds.delete(id)
    },
    async deleteReleasedMembers(planId, limit) {
      const released = of(planId).filter(({ state }) => !states.holding.includes(state))
      for (const { id } of released.slice(0, limit)) members.delete(id)
      return Math.min(released.length, limit)
    },
    async takeRound(planId, by, now, leaseMs) {
      const round = rounds.get(planId) ?? {}
      if (round.by !== undefined && round.by !== by && (round.until ?? 0) >= now) return undefined
      rounds.set(planId, { ...round, by, until: now + leaseMs })
      return round.pacing === undefined ? {} : { pacing: round.pacing }
    },
    async keepPacing(planId, by, pacing) {
      const round = rounds.get(planId)
      if (round?.by === by) round.pacing = pacing
    },
    async leaveRound(planId, by) {
      const round = rounds.get(planId)
      if (round?.by === by) rounds.set(planId, round.pacing === undefined ? {} : { pacing: round.pacing })
    },
    async getMember(id) {
      const member = members.get(id)
      return member === undefined ? undefined : rowOf(member)
    },
    membersOf: async (deviceId) => [...members.values()].filter((member) => member.deviceId === deviceId).map(rowOf),
    async listMembers(planId, { states: wanted, limit, cursor = '' }) {
      return page(
        of(planId).filter(({ id, state }) => id > cursor && wanted?.includes(state) !== false),
        limit,
      )
    },
    async *awaitedDevices(planId) {
      const waiting = of(planId).filter((member) => member.waiting === 'offline' && member.dueMs === undefined)
      if (waiting.length > 0) yield waiting.map(({ deviceId }) => deviceId)
    },
    plansWith: async (state) => [
      ...new Set([...members.values()].filter((member) => member.state === state).map(({ planId }) => planId)),
    ],
    async claimDue(planId, by, now, leaseMs, limit) {
      const due = of(planId).filter(
        (member) => member.dueMs !== undefined && member.dueMs <= now && isFree(member, now),
      )
      return due.slice(0, limit).map((member) => lease(member, by, now + leaseMs))
    },
    async freeMembers(planId, { states: wanted, waiting, devices, after = '' }, now, limit) {
      const fits = (member: M) =>
        wanted?.includes(member.state) !== false &&
        (waiting === undefined || member.waiting === waiting) &&
        devices?.includes(member.deviceId) !== false &&
        member.deviceId > after &&
        isFree(member, now)
      return of(planId).filter(fits).slice(0, limit).map(rowOf)
    },
    async claim(id, by, now, leaseMs) {
      const member = members.get(id)
      if (member === undefined || !(isFree(member, now) || member.lease?.by === by)) return undefined
      return lease(member, by, now + leaseMs)
    },
    async free(ids, by, dueMs) {
      for (const id of ids) {
        const member = members.get(id)
        if (member?.lease?.by !== by) continue
        delete member.lease
        member.revision++
        if (dueMs !== undefined) member.dueMs = dueMs
      }
    },
    async counters(planId) {
      const counts: Record<string, number> = {}
      const waits: Record<string, number> = {}
      for (const { state, waiting } of of(planId)) {
        counts[state] = (counts[state] ?? 0) + 1
        if (waiting !== undefined) waits[`${state}|${waiting}`] = (waits[`${state}|${waiting}`] ?? 0) + 1
      }
      return { states: counts, waits, attempts: { ...attempts } }
    },
    recount: async () => {},
  }
}

/** Bulk work that begins now. */
export function bulkOf(kind: BulkWork['kind'], more: Partial<BulkWork> = {}): BulkWork {
  return { kind, actor: ANN, after: '', ...more }
}

/** The id of a member. */
export function memberId(planId: string, deviceId: DeviceId): string {
  return `${planId}|${deviceId}`
}
