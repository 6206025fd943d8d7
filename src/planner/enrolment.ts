import type { Actor, BulkWork, DeviceId, DeviceStore, GroupStore, Plan, PlanMember } from '../domain/index.ts'
import type { Groups } from '../groups/index.ts'
import { type BulkKind, PER_ROUND, type Piece } from '../rollout/index.ts'
import { enrol } from './enrolling.ts'

/** Devices in one read. */
const BATCH = 500

type EnrolmentDeps = Parameters<typeof enrol>[2] & {
  devices: DeviceStore
  groups: Groups
  groupStore: Pick<GroupStore, 'get'>
  /** Passes on each member that was made. */
  noted(member: PlanMember): void
}

/** Devices behind an id, as one query streams them. */
interface Stream {
  after: string
  ids: AsyncIterator<DeviceId[]>
}

/** The bulk work that freezes the membership of a plan: every device of its group is a member from then on. */
export class Enrolment implements BulkKind<Plan> {
  readonly #deps: EnrolmentDeps
  /** Devices that are being enrolled, by plan: one query serves all rounds. */
  readonly #streams = new Map<string, Stream>()

  constructor(deps: EnrolmentDeps) {
    this.#deps = deps
  }

  /**
   * Enrols the next devices. AppError `notFound` when the group was deleted meanwhile and the plan runs. A plan that
   * was paused for it, or that is being aborted, has all members that it can have.
   */
  async piece(plan: Plan, work: BulkWork): Promise<Piece<Plan>> {
    const gone = plan.state !== 'running' && (await this.#deps.groupStore.get(plan.groupId)) === undefined
    if (gone) return {}
    const stream = await this.#behind(plan, work.after)
    let goesOn = false
    try {
      for (let count = 0; count < PER_ROUND; ) {
        const next = await stream.ids.next()
        if (next.done === true) return {}
        await this.#enrolAll(plan, next.value, work.actor)
        stream.after = next.value.at(-1) ?? stream.after
        count += next.value.length
      }
      goesOn = true
      return { left: { ...work, after: stream.after } }
    } finally {
      if (!goesOn) await this.idle(plan.id)
    }
  }

  /** Ends the query of a plan. */
  async idle(planId: string): Promise<void> {
    const stream = this.#streams.get(planId)
    this.#streams.delete(planId)
    await stream?.ids.return?.()
  }

  async #enrolAll(plan: Plan, ids: DeviceId[], actor: Actor): Promise<void> {
    const { devices, noted } = this.#deps
    const members = await Promise.all(
      ids.map(async (id) => {
        const device = await devices.get(id)
        return device === undefined ? undefined : enrol(plan, device, this.#deps, actor)
      }),
    )
    for (const member of members) if (member !== undefined) noted(member)
  }

  /**
   * The devices of the plan's group behind an id. The embedded engine reads all matches for each query, whatever the
   * limit.
   */
  async #behind(plan: Plan, after: string): Promise<Stream> {
    const { groups, devices } = this.#deps
    const group = await groups.get(plan.groupId)
    const open = this.#streams.get(plan.id)
    if (open?.after === after) return open
    await this.idle(plan.id)
    const ids = devices.ids(groups.selectorOf(group), BATCH, after)[Symbol.asyncIterator]()
    const stream = { after, ids }
    this.#streams.set(plan.id, stream)
    return stream
  }
}
