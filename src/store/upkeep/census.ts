import type { MemberState, OperationState, PlanState, Protocol } from '../../domain/index.ts'
import { MEMBER_STATES } from '../../domain/index.ts'
import type { Connection, Document_ } from '../mongo/mongoose.ts'
import { countersOf } from '../repositories/plan-counters.ts'

/** Presence over the protocol that owns a device. */
type OwnerPresence = 'online' | 'late' | 'silent' | 'offline' | 'never'

/** Counts of everything, for metrics. */
export interface Census {
  devices: { owner: Protocol; presence: OwnerPresence; count: number }[]
  /** Operations that have not ended, by state. */
  operations: Partial<Record<OperationState, number>>
  /** Plans that are not deleted, by state. */
  plans: Partial<Record<PlanState, number>>
  /** Members of plans that are not deleted, by state. */
  members: Partial<Record<MemberState, number>>
}

const DEFAULT_INTERVAL_S = 3600
const MIN_INTERVAL_MS = 150_000
const OPEN_STATES = ['queued', 'sent', 'unknown'] as const satisfies readonly OperationState[]

/** Counts everything in one pass over the devices and the plans. It takes as long as a look at each device does. */
export async function takeCensus(connection: Connection, now: number): Promise<Census> {
  const [devices, operations, { plans, members }] = await Promise.all([
    countDevices(connection, now),
    countOperations(connection),
    countPlans(connection),
  ])
  return { devices, operations, plans, members }
}

/** As `cwmpPresence` and `uspPresence` say, in the words of an aggregation. */
async function countDevices(connection: Connection, now: number): Promise<Census['devices']> {
  const interval = {
    $max: [{ $multiply: [{ $ifNull: ['$cwmp.informIntervalS', DEFAULT_INTERVAL_S] }, 1000] }, MIN_INTERVAL_MS],
  }
  const age = { $subtract: [now, { $ifNull: ['$cwmp.lastInformAt', 0] }] }
  const isWithin = (intervals: number) => ({ $lte: [age, { $multiply: [interval, intervals] }] })
  const overCwmp = { $cond: [isWithin(2), 'online', { $cond: [isWithin(6), 'late', 'offline'] }] }
  const overUsp = {
    $cond: [
      { $eq: ['$usp.linked', true] },
      { $cond: [{ $eq: ['$usp.answering', false] }, 'silent', 'online'] },
      'offline',
    ],
  }
  const has = (field: string) => ({ $gt: [field, null] })
  const presence = {
    $cond: [
      { $eq: ['$owner', 'cwmp'] },
      { $cond: [has('$cwmp.lastInformAt'), overCwmp, 'never'] },
      { $cond: [has('$usp'), overUsp, 'never'] },
    ],
  }
  const rows = await connection
    .collection<Document_>('devices')
    .aggregate<{ _id: { owner: Protocol; presence: OwnerPresence }; count: number }>([
      { $group: { _id: { owner: '$owner', presence }, count: { $sum: 1 } } },
    ])
    .toArray()
  return rows.map(({ _id, count }) => ({ ..._id, count: Number(count) }))
}

async function countOperations(connection: Connection): Promise<Census['operations']> {
  const operations = connection.collection<Document_>('operations')
  const counts = await Promise.all(
    OPEN_STATES.map(async (state) => [state, await operations.countDocuments({ state })] as const),
  )
  return Object.fromEntries(counts)
}

async function countPlans(connection: Connection): Promise<Pick<Census, 'plans' | 'members'>> {
  const [found, counters] = await Promise.all([
    connection
      .collection<Document_>('plans')
      .find({}, { projection: { state: 1 } })
      .toArray(),
    connection.collection<Document_>('planCounters').find({}).toArray(),
  ])
  const live = new Set<string>()
  const plans: Census['plans'] = {}
  for (const { _id, state } of found) {
    const known = state as PlanState
    if (known === 'deleted') continue
    live.add(_id)
    plans[known] = (plans[known] ?? 0) + 1
  }
  const members: Census['members'] = {}
  for (const document of counters) {
    if (!live.has(document._id)) continue
    const { states } = countersOf(document)
    for (const state of MEMBER_STATES)
      if (states[state] !== undefined) members[state] = (members[state] ?? 0) + states[state]
  }
  return { plans, members }
}
