import {
  type DeviceId,
  MEMBER_STATES,
  type MemberCommit,
  type MemberState,
  type PlanCounters,
  type PlanMember,
  WAITING_REASONS,
} from '../../domain/index.ts'
import type { Write } from '../commit/write-set.ts'
import { isDuplicate } from '../mongo/failure.ts'
import type { Collection, Db, Document_, UpdateFilter } from '../mongo/mongoose.ts'

const MAX_CODE = 64
/** Minutes whose moves stay countable: the rates of a status need five. */
const KEPT_MINUTES = 60
/** Number of times that a plan is counted again because a member changed meanwhile. */
const RECOUNTS = 10

/** Field of the counter document for a reason; codes of devices may hold any character. */
function reasonKey(code: string, state: MemberState): string {
  return `${code.replaceAll(/[^A-Za-z0-9_]/g, '_').slice(0, MAX_CODE)}|${state}`
}

/** Fields of the counter document that a member stands in. */
function fieldsOf({ state, waiting, reason, silentAt, facts }: PlanMember): string[] {
  return [
    `states.${state}`,
    ...(waiting === undefined ? [] : [`waits.${state}|${waiting}`]),
    ...(reason === undefined ? [] : [`reasons.${reasonKey(reason.code, state)}.count`]),
    ...(silentAt === undefined ? [] : ['silent']),
    ...(state === 'MIGRATED' && facts.alreadyThere === true ? ['alreadyThere'] : []),
  ]
}

/**
 * The change of a plan's counters that belongs to a change of one member. Changes of many members in one flush become
 * one write. Undefined when nothing that is counted changes.
 */
export function counterWrite({
  before,
  member,
  count,
}: Pick<MemberCommit, 'before' | 'member' | 'count'>): Write | undefined {
  const left = before === undefined ? [] : fieldsOf(before)
  const entered = fieldsOf(member)
  // Most commits store a step, and steps are not counted.
  if (count === undefined && left.length === entered.length && left.every((field, i) => field === entered[i]))
    return undefined
  const $inc: Record<string, number> = {}
  const add = (field: string, by: number) => {
    $inc[field] = ($inc[field] ?? 0) + by
    if ($inc[field] === 0) delete $inc[field]
  }
  for (const field of left) add(field, -1)
  for (const field of entered) add(field, 1)
  const $set: Record<string, unknown> = {}
  const { reason, state, deviceId, planId } = member
  if (reason !== undefined) {
    const key = reasonKey(reason.code, state)
    if ($inc[`reasons.${key}.count`] === 1) {
      $set[`reasons.${key}.text`] = reason.text
      $set[`reasons.${key}.code`] = reason.code
      $set[`reasons.${key}.example`] = deviceId
    }
  }
  if (count !== undefined && 'failed' in count) add('attempts.failed', 1)
  if (count !== undefined && 'movedInMinute' in count) {
    add('attempts.moved', 1)
    add(`minutes.${count.movedInMinute}`, 1)
  }
  if (Object.keys($inc).length === 0) return undefined
  $inc.changes = 1
  const update = { $inc, ...(Object.keys($set).length === 0 ? {} : { $set }) } as UpdateFilter
  return {
    collection: 'planCounters',
    mergeKey: `planCounters|${planId}`,
    operation: { updateOne: { filter: { _id: planId }, update, upsert: true } },
  }
}

const WAITS: ReadonlySet<string> = new Set(
  MEMBER_STATES.flatMap((state) => WAITING_REASONS.map((reason) => `${state}|${reason}`)),
)

function isWait(key: string): key is keyof PlanCounters['waits'] {
  return WAITS.has(key)
}

/** The counters as the domain knows them; fields that are zero are left out. */
export function countersOf(document: Document_ | null): PlanCounters {
  const states: PlanCounters['states'] = {}
  const waits: PlanCounters['waits'] = {}
  const held = numbers(document?.states)
  const waiting = numbers(document?.waits)
  for (const state of MEMBER_STATES) if ((held[state] ?? 0) > 0) states[state] = held[state] ?? 0
  for (const [key, count] of Object.entries(waiting)) if (isWait(key) && count > 0) waits[key] = count
  const attempts = numbers(document?.attempts)
  return {
    states,
    waits,
    reasons: reasonsOf(document),
    attempts: { failed: attempts.failed ?? 0, moved: attempts.moved ?? 0 },
    silent: Math.max(0, Number(document?.silent ?? 0)),
    alreadyThere: Math.max(0, Number(document?.alreadyThere ?? 0)),
    movedPerMinute: numbers(document?.minutes),
  }
}

function reasonsOf(document: Document_ | null): PlanCounters['reasons'] {
  const rows = Object.entries((document?.reasons ?? {}) as Record<string, Record<string, unknown>>)
  return rows
    .flatMap(([key, row]) => {
      const count = Number(row.count ?? 0)
      const state = MEMBER_STATES.find((name) => key.endsWith(`|${name}`))
      if (count <= 0 || state === undefined) return []
      const code = String(row.code ?? key.slice(0, -state.length - 1))
      return [{ code, state, count, text: String(row.text ?? ''), example: String(row.example ?? '') as DeviceId }]
    })
    .sort((a, b) => b.count - a.count || a.code.localeCompare(b.code))
}

function numbers(value: unknown): Record<string, number> {
  return Object.fromEntries(
    Object.entries((value ?? {}) as Record<string, unknown>).map(([name, count]) => [name, Number(count)]),
  )
}

/** Members that are equal in all that is counted. */
interface CountedRow {
  _id: { state?: unknown; waiting?: unknown; code?: unknown; silent?: unknown; alreadyThere?: unknown }
  count: number
  text?: unknown
  example?: unknown
}

/** Counts the members of a plan anew, unless they change all the time. Attempts and minutes are history and stay. */
export async function recount(members: Collection, counters: Collection, planId: string): Promise<void> {
  for (let i = 0; i < RECOUNTS; i++) if (await recountOnce(members, counters, planId)) return
}

/** False when a member has changed meanwhile: its change of the counters would be lost. */
async function recountOnce(members: Collection, counters: Collection, planId: string): Promise<boolean> {
  const before = await counters.findOne({ _id: planId }, { projection: { changes: 1 } })
  const rows = await members
    .aggregate<CountedRow>([
      { $match: { planId } },
      {
        $group: {
          _id: {
            state: '$state',
            waiting: '$waiting',
            code: '$reason.code',
            silent: { $gt: ['$silentAt', null] },
            alreadyThere: '$facts.alreadyThere',
          },
          count: { $sum: 1 },
          text: { $first: '$reason.text' },
          example: { $first: '$deviceId' },
        },
      },
    ])
    .toArray()
  const states: Record<string, number> = {}
  const waits: Record<string, number> = {}
  const reasons: Record<string, { count: number; code: string; text: string; example: string }> = {}
  let silent = 0
  let alreadyThere = 0
  for (const { _id, count, text, example } of rows) {
    const { state, waiting, code } = _id
    const name = MEMBER_STATES.find((known) => known === state)
    if (name === undefined) continue
    states[name] = (states[name] ?? 0) + count
    if (typeof waiting === 'string') waits[`${name}|${waiting}`] = (waits[`${name}|${waiting}`] ?? 0) + count
    if (_id.silent === true) silent += count
    if (name === 'MIGRATED' && _id.alreadyThere === true) alreadyThere += count
    if (typeof code !== 'string') continue
    const key = reasonKey(code, name)
    const known = reasons[key]
    if (known !== undefined) known.count += count
    else reasons[key] = { count, code, text: String(text), example: String(example) }
  }
  try {
    await counters.updateOne(
      { _id: planId, changes: before?.changes ?? null },
      { $set: { states, waits, reasons, silent, alreadyThere } },
      { upsert: true },
    )
    return true
  } catch (error) {
    if (isDuplicate(error)) return false
    throw error
  }
}

/** Drops the minutes that no rate needs any more. */
export async function dropOldMinutes(counters: Collection, planId: string, now: number): Promise<void> {
  const document = await counters.findOne({ _id: planId }, { projection: { minutes: 1 } })
  const oldest = Math.floor(now / 60_000) - KEPT_MINUTES
  const old = Object.keys(numbers(document?.minutes)).filter((minute) => Number(minute) < oldest)
  if (old.length === 0) return
  await counters.updateOne({ _id: planId }, { $unset: Object.fromEntries(old.map((name) => [`minutes.${name}`, ''])) })
}

/** Counts the members of a plan of a database anew. */
export function recountPlan(db: Db, planId: string): Promise<void> {
  return recount(db.collection<Document_>('planMembers'), db.collection<Document_>('planCounters'), planId)
}
