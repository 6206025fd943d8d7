import type { Clock, Log } from '../base/index.ts'
import type { DeviceId, DeviceStore, Plan, PlanMember, PlanStore, Protocol, Selector } from '../device/index.ts'
import type { MemberRunner } from './member-runner.ts'
import { pages } from './pages.ts'
import { absence } from './presence.ts'

/** Devices that are kept in memory; the look finds the others. */
const MAX_DEVICES = 200_000
const PAGE = 500

export interface AwaitedDeps {
  plans: PlanStore
  devices: DeviceStore
  clock: Clock
  log: Log
}

/**
 * Devices that members wait for. The first contact over CWMP wakes the members, so that nobody has to ask again and again whether an absent
 * device has come. What this process does not hear of, because the contact was with another instance or was cut off, is found by `look`.
 */
export class Awaited {
  readonly #deps: AwaitedDeps
  readonly #runner: () => MemberRunner
  readonly #came: (memberId: string, planId: string) => Promise<void>
  readonly #devices = new Set<DeviceId>()
  readonly #cursors = new Map<string, string>()

  /** `came` is called for a member whose rollback waits for its device. */
  constructor(
    deps: AwaitedDeps,
    runner: () => MemberRunner,
    came: (memberId: string, planId: string) => Promise<void>,
  ) {
    this.#deps = deps
    this.#runner = runner
    this.#came = came
  }

  /** Notes a stored member. */
  note(member: PlanMember): void {
    if (!isAwaiting(member) || this.#devices.size >= MAX_DEVICES) return
    this.#devices.add(member.deviceId)
  }

  /** A device is in contact. Costs nothing for a device that nobody waits for. */
  contact(deviceId: DeviceId, protocol: Protocol): void {
    if (protocol === 'cwmp' && this.#devices.delete(deviceId)) this.#wakeSoon(deviceId)
  }

  #wakeSoon(deviceId: DeviceId): void {
    this.#wake(deviceId).catch((err: unknown) => {
      this.#devices.add(deviceId)
      this.#deps.log.warn(
        { err, deviceId },
        'members of a device that came were not woken; its next contact wakes them',
      )
    })
  }

  /**
   * Looks at one page of the members of a plan that wait for absent devices, and wakes those whose devices have come. Called again, it goes on
   * behind that page, and begins anew at the end.
   */
  async look({ id }: Plan): Promise<void> {
    const { plans, devices, clock } = this.#deps
    const cursor = this.#cursors.get(id)
    const page = await plans.listMembers(id, {
      waiting: 'offline',
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    })
    if (page.next === undefined) this.#cursors.delete(id)
    else this.#cursors.set(id, page.next)
    await Promise.all(
      page.items.filter(isAwaiting).map(async (member) => {
        const device = await devices.get(member.deviceId)
        if (device === undefined || absence(device, member, clock.now()) === undefined)
          await this.#runner().arrived(member.id)
        else this.note(member)
      }),
    )
  }

  /** Wakes members whose rollback waits for a device that was heard of since, and notes the others. */
  async lookAtStranded(): Promise<void> {
    const { devices } = this.#deps
    const stranded: Selector = { field: 'migration.state', operator: '==', values: ['STRANDED'] }
    for await (const ids of devices.ids(stranded, PAGE)) {
      for (const id of ids) {
        const device = await devices.get(id)
        if (device?.migration === undefined) continue
        if ((device.cwmp?.lastInformAt ?? 0) > device.migration.at) this.#wakeSoon(id)
        else if (this.#devices.size < MAX_DEVICES) this.#devices.add(id)
      }
    }
  }

  /** Notes every member that waits, after a start. */
  async load(states: Plan['state'][]): Promise<void> {
    const { plans } = this.#deps
    for await (const plan of pages((cursor) => plans.listPlans({ states, limit: PAGE, ...cursor }))) {
      const waiting = pages((cursor) => plans.listMembers(plan.id, { waiting: 'offline', limit: PAGE, ...cursor }))
      for await (const member of waiting) this.note(member)
    }
  }

  async #wake(deviceId: DeviceId): Promise<void> {
    for (const member of await this.#deps.plans.membersOf(deviceId)) {
      if (member.state === 'STRANDED') await this.#came(member.id, member.planId)
      else if (isAwaiting(member)) await this.#runner().arrived(member.id)
    }
  }
}

/** Only a contact of the device brings such a member on. */
function isAwaiting({ state, waiting, dueMs }: PlanMember): boolean {
  return state === 'STRANDED' || (waiting === 'offline' && dueMs === undefined)
}
