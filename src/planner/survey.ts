import type { ServiceTime } from '../base/index.ts'
import { type BulkWork, type DeviceId, type DeviceStore, ENDED, type Plan, type PlanStore } from '../domain/index.ts'
import { type BulkKind, PER_ROUND, type Piece } from '../rollout/index.ts'
import { leftOutBy, withLeftOut } from './left-out.ts'

interface SurveyDeps {
  plans: Pick<PlanStore, 'freeMembers'>
  devices: Pick<DeviceStore, 'get'>
  time: ServiceTime
}

/**
 * The bulk work that counts the devices that a rollback of the whole plan leaves out. The count is stored with the
 * progress, so that no device is counted twice.
 */
export class Survey implements BulkKind<Plan> {
  readonly #deps: SurveyDeps

  constructor(deps: SurveyDeps) {
    this.#deps = deps
  }

  /** Counts the next ended members. */
  async piece(plan: Plan, work: BulkWork): Promise<Piece<Plan>> {
    const { plans, devices, time } = this.#deps
    const query = { states: ENDED, after: work.after as DeviceId }
    const members = await plans.freeMembers(plan.id, query, time.now(), PER_ROUND)
    const records = await Promise.all(members.map(({ deviceId }) => devices.get(deviceId)))
    let leftOut = plan.leftOut ?? []
    for (const [i, member] of members.entries()) {
      const reason = leftOutBy(plan, member, records[i])
      if (reason !== undefined) leftOut = withLeftOut(leftOut, reason, member)
    }
    const found = leftOut.length === 0 ? plan : { ...plan, leftOut }
    if (members.length < PER_ROUND) return { plan: found }
    return { plan: found, left: { ...work, after: members.at(-1)?.deviceId ?? work.after } }
  }
}
