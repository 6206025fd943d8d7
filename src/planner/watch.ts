import { isConflict } from '../base/index.ts'
import type { Device, DeviceId, Plan, PlanMember, Selector } from '../device/index.ts'
import type { MemberRunner, RunnerDeps } from './member-runner.ts'
import { pages } from './pages.ts'

const BATCH = 200
const PAGE = 500
const STARTED: Plan['state'][] = ['running', 'paused', 'aborting', 'aborted', 'finished', 'deleted']

const moved: Selector = { field: 'migration.state', operator: '==', values: ['MIGRATED'] }
const unheard: Selector = {
  or: [
    { field: 'usp.linked', operator: '==', values: [false] },
    { field: 'usp.answering', operator: '==', values: [false] },
  ],
}

export interface WatchDeps extends RunnerDeps {
  /** Rolls back a silent device whose plan wants that. */
  rollBack(plan: Plan, deviceId: DeviceId): Promise<void>
}

/**
 * Watches migrated devices. An Agent that has not answered for `silentAfterMs` of service time is an event and a count of its plan, and is
 * rolled back when the plan says so; one that answers again is not silent any more.
 */
export class MigratedWatch {
  readonly #deps: WatchDeps
  readonly #runner: MemberRunner

  constructor(deps: WatchDeps, runner: MemberRunner) {
    this.#deps = deps
    this.#runner = runner
  }

  /** Looks once at all devices that were moved and are not heard. To be called about once a minute. */
  async look(): Promise<void> {
    const known = new Map<string, Plan | undefined>()
    for await (const ids of this.#deps.devices.ids({ and: [moved, unheard] }, BATCH)) {
      for (const id of ids) await this.#unheard(id, known)
    }
    for await (const plan of pages((cursor) => this.#deps.plans.listPlans({ states: STARTED, limit: PAGE, ...cursor })))
      await this.#heardAgain(plan)
  }

  /** Takes the mark from members of a plan whose Agents answer again. */
  async #heardAgain({ id }: Plan): Promise<void> {
    const silent = pages((cursor) => this.#deps.plans.listMembers(id, { silent: true, limit: PAGE, ...cursor }))
    for await (const member of silent) {
      const device = await this.#deps.devices.get(member.deviceId)
      if (device !== undefined && isHeard(device)) await this.#runner.setSilence(member.id, 'heard')
    }
  }

  async #unheard(deviceId: DeviceId, plans: Map<string, Plan | undefined>): Promise<void> {
    const device = await this.#deps.devices.get(deviceId)
    const planId = device?.migration?.planId
    if (device === undefined || planId === undefined || isHeard(device)) return
    if (!plans.has(planId)) plans.set(planId, await this.#deps.plans.getPlan(planId))
    const plan = plans.get(planId)
    const member = await this.#deps.plans.getMember(`${planId}|${deviceId}`)
    if (plan === undefined || member?.state !== 'MIGRATED' || plan.settings.silentAfterMs === 0) return
    try {
      await this.#judge(plan, member, device)
    } catch (error) {
      if (!isConflict(error)) throw error
    }
  }

  async #judge(plan: Plan, member: PlanMember, device: Device): Promise<void> {
    const { time } = this.#deps
    const since = member.facts.silentMs
    const heardSince = since === undefined || (device.usp?.lastSeenAt ?? 0) > time.wallTime(since)
    if (heardSince) {
      await this.#runner.setSilence(member.id, 'unheard')
      return
    }
    if (time.now() - since < plan.settings.silentAfterMs) return
    if (member.silentAt === undefined) await this.#runner.setSilence(member.id, 'silent')
    if (plan.settings.onSilent === 'rollback') await this.#deps.rollBack(plan, member.deviceId)
  }
}

function isHeard({ usp }: Device): boolean {
  return usp?.linked === true && usp.answering !== false
}
