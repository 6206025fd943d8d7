import { AppError } from '../../src/base/index.ts'
import {
  type DeviceSnapshot,
  HOLDING,
  type MemberCommit,
  type MemberQuery,
  type NewEvent,
  type Pacing,
  type Page,
  type Plan,
  type PlanCounters,
  type PlanMember,
  type PlanStore,
} from '../../src/domain/index.ts'
import { countersOf, counterWrite } from '../../src/store/repositories/plan-counters.ts'
import { maybeRow, rowOf } from './copy.ts'
import { type DeviceRoom, deviceWrite } from './memory-device-store.ts'

/** Plans and all that belongs to them, for assertions. */
export interface PlanRoom {
  plans: Map<string, Plan>
  members: Map<string, PlanMember>
  snapshots: Map<string, DeviceSnapshot>
  /** Counter documents in the form of the store. */
  counters: Map<string, CounterDocument>
  rounds: Map<string, { by?: string; until?: number; pacing?: Pacing }>
}

export function emptyPlanRoom(): PlanRoom {
  return { plans: new Map(), members: new Map(), snapshots: new Map(), counters: new Map(), rounds: new Map() }
}

export interface PlanRoomDeps {
  room: DeviceRoom
  append(events: NewEvent[]): void
  now(): number
}

const SHOWN: Plan['state'][] = ['draft', 'running', 'paused', 'aborting', 'aborted', 'finished']

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
const isFree = ({ lease }: PlanMember, now: number) => lease === undefined || lease.until < now

function pageOf<T extends { id: string }>(all: T[], limit: number): Page<T> {
  const items = all.slice(0, limit).map(rowOf)
  const last = items.at(-1)
  return all.length > limit && last !== undefined ? { items, next: last.id } : { items }
}

function fits(member: PlanMember, planId: string, { states, waiting, devices, after }: MemberQuery): boolean {
  if (member.planId !== planId) return false
  if (states !== undefined && !states.includes(member.state)) return false
  if (waiting !== undefined && member.waiting !== waiting) return false
  if (after !== undefined) return member.deviceId > after
  return devices === undefined || devices.includes(member.deviceId)
}

/**
 * Plans, members, counters, rounds and snapshots in memory. Every write is whole: what is refused has changed nothing.
 */
export function planStore(inside: PlanRoom, { room, append, now }: PlanRoomDeps): PlanStore {
  const { plans, members, snapshots, counters, rounds } = inside
  const where = (holds: (member: PlanMember) => boolean): PlanMember[] => {
    const found: PlanMember[] = []
    for (const member of members.values()) if (holds(member)) found.push(member)
    return found
  }
  const all = (planId: string) => where((member) => member.planId === planId)
  const lease = (found: PlanMember[], by: string, at: number, leaseMs: number) => {
    for (const member of found) {
      member.lease = { by, until: at + leaseMs }
      member.revision++
    }
    return found.sort(byId).map(rowOf)
  }
  const free = (member: PlanMember) => void delete member.lease
  return {
    async putPlan(plan, expectedRevision) {
      if (plans.get(plan.id)?.revision !== expectedRevision) throw new AppError('conflict', 'the plan has changed')
      plans.set(plan.id, rowOf(plan))
    },
    getPlan: async (id) => maybeRow(plans.get(id)),
    async listPlans({ states = SHOWN, groupId, limit, cursor }) {
      const found: Plan[] = []
      for (const plan of plans.values()) {
        if (!states.includes(plan.state) || (groupId !== undefined && groupId !== plan.groupId)) continue
        if (cursor === undefined || plan.id < cursor) found.push(plan)
      }
      return pageOf(found.sort(byId).reverse(), limit)
    },
    async deleteReleasedMembers(planId, limit) {
      const released = all(planId).filter(({ state }) => !HOLDING.includes(state))
      for (const { id } of released.slice(0, limit)) members.delete(id)
      return Math.min(released.length, limit)
    },
    async deletePlan(id) {
      counters.delete(id)
      rounds.delete(id)
      plans.delete(id)
    },
    async takeRound(planId, by, at, leaseMs) {
      const round = rounds.get(planId) ?? {}
      if (round.by !== undefined && round.by !== by && !((round.until ?? 0) < at)) return undefined
      rounds.set(planId, { ...round, by, until: at + leaseMs })
      return round.pacing === undefined ? {} : { pacing: { ...round.pacing } }
    },
    async keepPacing(planId, by, pacing) {
      const round = rounds.get(planId)
      if (round?.by === by) round.pacing = { ...pacing }
    },
    async leaveRound(planId, by) {
      const round = rounds.get(planId)
      if (round?.by !== by) return
      delete round.by
      delete round.until
    },
    getMember: async (id) => maybeRow(members.get(id)),
    membersOf: async (deviceId) => where((member) => member.deviceId === deviceId).map(rowOf),
    async listMembers(planId, { states, reason, waiting, silent, limit, cursor }) {
      const found = where(
        (member) =>
          member.planId === planId &&
          (states === undefined || states.includes(member.state)) &&
          (reason === undefined || member.reason?.code === reason) &&
          (waiting === undefined || member.waiting === waiting) &&
          (silent === undefined || member.silentAt !== undefined) &&
          (cursor === undefined || member.id > cursor),
      )
      return pageOf(found.sort(byId), limit)
    },
    async *awaitedDevices(planId, batchSize) {
      const found = where(
        ({ planId: of, waiting, dueMs }) => of === planId && waiting === 'offline' && dueMs === undefined,
      )
      const ids = found.map(({ deviceId }) => deviceId)
      for (let i = 0; i < ids.length; i += batchSize) yield ids.slice(i, i + batchSize)
    },
    async plansWith(what) {
      const count = ({ states, silent }: PlanCounters) => (what === 'silent' ? silent : (states[what] ?? 0))
      return [...counters.values()].filter((one) => count(countsOf(one)) > 0).map(({ _id }) => _id)
    },
    async claimDue(planId, by, at, leaseMs, limit) {
      const due = where(
        (member) => member.planId === planId && member.dueMs !== undefined && member.dueMs <= at && isFree(member, at),
      ).sort((a, b) => (a.dueMs ?? 0) - (b.dueMs ?? 0))
      return lease(due.slice(0, limit), by, at, leaseMs)
    },
    async freeMembers(planId, query, at, limit) {
      const found = where((member) => fits(member, planId, query) && isFree(member, at))
      return found.sort(byId).slice(0, limit).map(rowOf)
    },
    async claim(id, by, at, leaseMs) {
      const member = members.get(id)
      if (member === undefined || !(isFree(member, at) || member.lease?.by === by)) return undefined
      return lease([member], by, at, leaseMs)[0]
    },
    async free(ids, by, dueMs) {
      for (const id of ids) {
        const member = members.get(id)
        if (member?.lease?.by !== by) continue
        free(member)
        member.revision++
        if (dueMs !== undefined) member.dueMs = dueMs
      }
    },
    async freeLeases(alive) {
      for (const member of members.values())
        if (member.lease !== undefined && !alive.includes(member.lease.by)) {
          free(member)
          member.revision++
        }
      for (const round of rounds.values()) {
        if (round.by === undefined || alive.includes(round.by)) continue
        delete round.by
        delete round.until
      }
    },
    async commitMember(commit) {
      const { before, member, events, device, snapshot } = commit
      const stored = members.get(member.id)
      if (stored?.revision !== before?.revision) throw new AppError('conflict', 'the plan member has changed')
      const writeDevice = device === undefined ? undefined : deviceWrite(room, device, now())
      members.set(member.id, rowOf(member))
      count(counters, commit)
      if (snapshot === 'delete') snapshots.delete(member.deviceId)
      else if (snapshot !== undefined) snapshots.set(member.deviceId, rowOf(snapshot))
      writeDevice?.()
      const told = device?.events
      append(told === undefined || told.length === 0 ? events : [...events, ...told])
    },
    counters: async (planId) => countsOf(documentOf(counters, planId)),
    async recount(planId) {
      const { attempts, minutes } = documentOf(counters, planId)
      counters.delete(planId)
      for (const member of all(planId)) count(counters, { member })
      const document = documentOf(counters, planId)
      counted.delete(document)
      Object.assign(document, { attempts, minutes })
    },
    snapshot: async (deviceId) => maybeRow(snapshots.get(deviceId)),
  }
}

type Counters = PlanRoom['counters']
type CounterDocument = Record<string, unknown> & { _id: string }

/** The counters that belong to a document, until it changes. */
const counted = new WeakMap<CounterDocument, PlanCounters>()

/** The counters of a document as the port gives them. */
export function countsOf(document: CounterDocument): PlanCounters {
  const known = counted.get(document) ?? countersOf(document)
  counted.set(document, known)
  return known
}

function documentOf(counters: Counters, planId: string): CounterDocument {
  const document = counters.get(planId) ?? { _id: planId }
  counters.set(planId, document)
  return document
}

/** Carries out the store's own change of the counters. */
function count(counters: Counters, change: Pick<MemberCommit, 'before' | 'member' | 'count'>): void {
  const operation = counterWrite(change)?.operation
  if (operation === undefined || !('updateOne' in operation) || Array.isArray(operation.updateOne.update)) return
  const document = documentOf(counters, change.member.planId)
  counted.delete(document)
  const { $inc = {}, $set = {} } = operation.updateOne.update
  for (const [path, by] of Object.entries($inc)) setAt(document, path, (held) => Number(held ?? 0) + Number(by))
  for (const [path, value] of Object.entries($set)) setAt(document, path, () => value)
}

function setAt(document: Record<string, unknown>, path: string, change: (held: unknown) => unknown): void {
  const names = path.split('.')
  const last = names.pop() ?? ''
  let part = document
  for (const name of names) {
    const held = part[name]
    const next = typeof held === 'object' && held !== null ? (held as Record<string, unknown>) : {}
    part[name] = next
    part = next
  }
  part[last] = change(part[last])
}
