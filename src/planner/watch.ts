import { type ServiceTime, unlessConflict } from '../base/index.ts'
import type { Device, DeviceId, DeviceStore, Plan, PlanMember, PlanStore, Selector } from '../domain/index.ts'
import { batches } from '../rollout/index.ts'
import type { MemberNotes } from './member-notes.ts'

const BATCH = 200
const PAGE = 500

const moved: Selector = { field: 'migration.state', operator: '==', values: ['MIGRATED'] }
const unheard: Selector = {
  or: [
    { field: 'usp.linked', operator: '==', values: [false] },
    { field: 'usp.answering', operator: '==', values: [false] },
  ],
}

interface WatchDeps {
  plans: PlanStore
  devices: DeviceStore
  time: ServiceTime
  notes: MemberNotes
  /** Rolls back a silent device whose plan wants that. */
  rollBack(plan: Plan, deviceId: DeviceId): Promise<void>
}

/**
 * Watches migrated devices. An Agent that has not answered for `silentAfterMs` of service time is an event and a count
 * of its plan, and is rolled back when the plan says so; one that answers again is not silent any more.
 */
export class MigratedWatch {
  readonly #deps: WatchDeps

  constructor(deps: WatchDeps) {
    this.#deps = deps
  }

  /** Looks once at all devices that were moved and are not heard. To be called about once a minute. */
  async look(): Promise<void> {
    const known = new Map<string, Promise<Plan | undefined>>()
    for await (const ids of this.#deps.devices.ids({ and: [moved, unheard] }, BATCH)) {
      const plans = await Promise.all(ids.map((id) => this.#unheard(id, known)))
      for (const [i, id] of ids.entries()) await this.#rollBack(plans[i], id)
    }
    for (const planId of await this.#deps.plans.plansWith('silent')) await this.#heardAgain(planId)
  }

  /** Takes the mark from members of a plan whose Agents answer again. */
  async #heardAgain(planId: string): Promise<void> {
    const { plans, devices } = this.#deps
    const read = (cursor: { cursor?: string }) => plans.listMembers(planId, { silent: true, limit: PAGE, ...cursor })
    for await (const silent of batches(read))
      await Promise.all(
        silent.map(async ({ id, deviceId }) => {
          const device = await devices.get(deviceId)
          if (device !== undefined && isHeard(device)) await this.#deps.notes.setSilence(id, 'heard')
        }),
      )
  }

  /** Resolves with the plan that wants the device back, if it does. */
  async #unheard(deviceId: DeviceId, plans: Map<string, Promise<Plan | undefined>>): Promise<Plan | undefined> {
    const device = await this.#deps.devices.get(deviceId)
    const planId = device?.migration?.planId
    if (device === undefined || planId === undefined || isHeard(device)) return undefined
    const asked = plans.get(planId) ?? this.#deps.plans.getPlan(planId)
    plans.set(planId, asked)
    const plan = await asked
    const member = await this.#deps.plans.getMember(`${planId}|${deviceId}`)
    if (plan === undefined || member?.state !== 'MIGRATED' || plan.settings.silentAfterMs === 0) return undefined
    return (await this.#isDueBack(plan, member, device)) ? plan : undefined
  }

  /** Notes the silence of a device; true when its plan wants it back. */
  async #isDueBack({ settings }: Plan, member: PlanMember, device: Device): Promise<boolean> {
    const { time } = this.#deps
    const since = member.facts.silentMs
    const heardSince = since === undefined || (device.usp?.lastSeenAt ?? 0) > time.wallTime(since)
    // The next look comes to a member that was changed meanwhile.
    if (heardSince) {
      await unlessConflict(this.#deps.notes.setSilence(member.id, 'unheard'))
      return false
    }
    if (time.now() - since < settings.silentAfterMs) return false
    if (member.silentAt === undefined) await unlessConflict(this.#deps.notes.setSilence(member.id, 'silent'))
    return settings.onSilent === 'rollback'
  }

  async #rollBack(plan: Plan | undefined, deviceId: DeviceId): Promise<void> {
    if (plan !== undefined) await unlessConflict(this.#deps.rollBack(plan, deviceId))
  }
}

function isHeard({ usp }: Device): boolean {
  return usp?.linked === true && usp.answering !== false
}
