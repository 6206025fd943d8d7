import type { Clock, Log } from '../base/index.ts'
import {
  cwmpPresence,
  type DeviceId,
  type DeviceStore,
  type Plan,
  type PlanMember,
  type PlanStore,
  type Protocol,
} from '../domain/index.ts'
import type { MemberRunner } from './member-runner.ts'
import { batches, pages } from './pages.ts'
import { absence } from './presence.ts'

/** Devices that are kept in memory; the look finds the others. */
const MAX_DEVICES = 1_000_000
const PAGE = 500
/** Devices that one look takes. */
const LOOK = 2000

interface AwaitedDeps {
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
  /** Passes over the members that wait, by plan. */
  readonly #passes = new Map<string, AsyncIterator<DeviceId[]>>()

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
    if (isAwaiting(member)) this.#note(member.deviceId)
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
   * Looks at some of the members of a plan that wait for absent devices, and wakes those whose devices have come. Called again, it goes on
   * behind them; when it has seen all that waited, it begins anew. One query serves a whole pass.
   */
  async look({ id }: Plan): Promise<void> {
    const { plans, devices, clock } = this.#deps
    const pass = this.#passes.get(id) ?? plans.awaitedDevices(id, LOOK)[Symbol.asyncIterator]()
    // A pass that fails is over.
    this.#passes.delete(id)
    const { done, value } = await pass.next()
    if (done === true) return
    this.#passes.set(id, pass)
    await Promise.all(
      value.map(async (deviceId) => {
        const device = await devices.get(deviceId)
        if (device !== undefined && cwmpPresence(device, clock.now()) !== 'online') return this.#note(deviceId)
        const member = await plans.getMember(`${id}|${deviceId}`)
        if (member === undefined || !isAwaiting(member)) return
        if (device === undefined || absence(device, member, clock.now()) === undefined)
          await this.#runner().arrived(member.id)
        else this.#note(deviceId)
      }),
    )
  }

  /** Ends the passes over members of plans that do not go on any more. */
  async forget(live: ReadonlySet<string>): Promise<void> {
    for (const [planId, pass] of this.#passes) {
      if (live.has(planId)) continue
      this.#passes.delete(planId)
      await pass.return?.()
    }
  }

  /** Wakes members whose rollback waits for a device that was heard of since, and notes the others. */
  async lookAtStranded(): Promise<void> {
    const { plans, devices } = this.#deps
    for (const planId of await plans.plansWith('STRANDED')) {
      const read = (cursor: { cursor?: string }) =>
        plans.listMembers(planId, { states: ['STRANDED'], limit: PAGE, ...cursor })
      for await (const stranded of batches(read))
        await Promise.all(
          stranded.map(async ({ deviceId, enteredAt }) => {
            const device = await devices.get(deviceId)
            if ((device?.cwmp?.lastInformAt ?? 0) > enteredAt) this.#wakeSoon(deviceId)
            else if (device !== undefined) this.#note(deviceId)
          }),
        )
    }
  }

  /** Notes every device that is waited for, after a start. */
  async load(states: Plan['state'][]): Promise<void> {
    const { plans } = this.#deps
    for await (const plan of pages((cursor) => plans.listPlans({ states, limit: PAGE, ...cursor })))
      for await (const ids of plans.awaitedDevices(plan.id, LOOK)) for (const id of ids) this.#note(id)
  }

  #note(deviceId: DeviceId): void {
    if (this.#devices.size < MAX_DEVICES) this.#devices.add(deviceId)
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
