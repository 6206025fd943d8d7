import { defined } from '../../base/index.ts'
import type { MemberState, Page, PlanCounters, PlanMember, PlanStore } from '../../domain/index.ts'
import { fromDocument } from '../mongo/convert.ts'
import type { Collection, Document_ } from '../mongo/mongoose.ts'
import type { IdWindows } from '../reads/id-windows.ts'
import { decodeCursor, encodeCursor, page } from '../reads/paging.ts'

type ListQuery = Parameters<PlanStore['listMembers']>[1]

const toMember = (document: Document_) => fromDocument<PlanMember>(document)
/** One value is asked for by itself: SecantusDB finds no index for a list beside other conditions. */
export const anyOf = <T>(values: readonly T[]) => (values.length === 1 ? values[0] : { $in: [...values] })

/** Lists of up to that many members are read at once, whatever the limit. */
const FEW = 2000
/** Windows are of use when one of so many members is wanted. */
const SPARSE = 20

/** Pages of the members of a plan, in the order of their ids. */
export class MemberList {
  readonly #members: Collection
  readonly #counters: (planId: string) => Promise<PlanCounters>
  readonly #windows: IdWindows | undefined

  /** `windows`: for an engine that reads all that matches for each page. */
  constructor(
    members: Collection,
    counters: (planId: string) => Promise<PlanCounters>,
    windows: IdWindows | undefined,
  ) {
    this.#members = members
    this.#counters = counters
    this.#windows = windows
  }

  async page(planId: string, query: ListQuery): Promise<Page<PlanMember>> {
    if (this.#windows !== undefined && isWide(await this.#counters(planId), query))
      return this.#byWindows(planId, query, this.#windows)
    const { states, reason, waiting, silent } = query
    const filter = defined({
      planId,
      state: states === undefined ? undefined : anyOf(states),
      'reason.code': reason,
      waiting,
      silentAt: silent === undefined ? undefined : { $gt: 0 },
    })
    return page(this.#members, filter, { field: '_id', descending: false }, query, toMember)
  }

  /**
   * Window by window until the page is full. The other conditions are in no index with the id, and are looked at here.
   */
  async #byWindows(planId: string, query: ListQuery, windows: IdWindows): Promise<Page<PlanMember>> {
    const { limit, cursor } = query
    const items: PlanMember[] = []
    for await (const { above, upTo } of windows.behind(planId, cursor === undefined ? '' : decodeCursor(cursor).id)) {
      const _id = defined({ $gt: above, $lte: upTo })
      for await (const document of this.#members.find({ planId, _id }, { batchSize: 1000 }).sort({ _id: 1 })) {
        const member = toMember(document)
        if (fits(member, query)) items.push(member)
        if (items.length > limit) break
      }
      if (items.length > limit) break
    }
    const shown = items.slice(0, limit)
    const last = shown.at(-1)
    return items.length > limit && last !== undefined
      ? { items: shown, next: encodeCursor({ value: last.id, id: last.id }) }
      : { items: shown }
  }
}

function fits(member: PlanMember, { states, reason, waiting, silent }: ListQuery): boolean {
  return (
    (states === undefined || states.includes(member.state)) &&
    (reason === undefined || member.reason?.code === reason) &&
    (waiting === undefined || member.waiting === waiting) &&
    (silent === undefined || member.silentAt !== undefined)
  )
}

/** True when the list is long, and not a needle among the members of its plan. */
function isWide(counters: PlanCounters, { states, reason, waiting, silent }: ListQuery): boolean {
  const { states: counts, waits, reasons } = counters
  const sum = (values: readonly number[]) => values.reduce((total, count) => total + count, 0)
  const all = sum(Object.values(counts))
  const bounds = [all]
  if (states !== undefined) bounds.push(sum(states.map((state: MemberState) => counts[state] ?? 0)))
  if (waiting !== undefined)
    bounds.push(sum(Object.entries(waits).map(([key, count]) => (key.endsWith(`|${waiting}`) ? count : 0))))
  if (reason !== undefined) bounds.push(sum(reasons.map(({ code, count }) => (code === reason ? count : 0))))
  if (silent !== undefined) bounds.push(counters.silent)
  const found = Math.min(...bounds)
  return found >= FEW && found * SPARSE >= all
}
