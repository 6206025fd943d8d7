import type { Clock, Log } from '../base/index.ts'
import { cwmpPresence, type DeviceId, type DeviceStore, type Plan, type Protocol } from '../domain/index.ts'
import { batches, pages } from './pages.ts'
import type { RolloutMember, RolloutPlan } from './plan.ts'
import type { RolloutStore } from './ports.ts'
import { absence } from './presence.ts'

/** Devices that are kept in memory; the look finds the others. */
const MAX_DEVICES = 1_000_000
const PAGE = 500
/** Devices that one look takes. */
const LOOK = 2000

interface AwaitedDeps<P extends RolloutPlan, M extends RolloutMember> {
  plans: RolloutStore<P, M>
  devices: Pick<DeviceStore, 'get'>
  clock: Clock
  log: Log
  /** The state in which ended members wait for their device, if there is one. */
  awaiting: M['state'] | undefined
  /** The device of a member that waits for it is in contact. */
  arrived(memberId: string): Promise<void>
  /** The device of a member in the state `awaiting` is in contact. */
  returned(memberId: string, planId: string): Promise<void>
}

/**
 * Devices that members wait for. The first contact over CWMP wakes the members, so that an absent device is not asked
 * for again and again. A contact that this process does not see, because it was with another instance or was cut off,
 * is found by `look`.
 */
export class Awaited<P extends RolloutPlan, M extends RolloutMember> {
  readonly #deps: AwaitedDeps<P, M>
  readonly #devices = new Set<DeviceId>()
  /** Passes over the members that wait, by plan. */
  readonly #passes = new Map<string, AsyncIterator<DeviceId[]>>()

  constructor(deps: AwaitedDeps<P, M>) {
    this.#deps = deps
  }

  /** Notes the device of a stored member that waits for it. */
  note(member: M): void {
    if (this.#isAwaiting(member)) this.#note(member.deviceId)
  }

  /** Takes a contact of a device. Costs nothing for a device that is not waited for. */
  contact(deviceId: DeviceId, protocol: Protocol): void {
    if (protocol === 'cwmp' && this.#devices.delete(deviceId)) this.#wakeSoon(deviceId)
  }

  /**
   * Looks at some of the members of a plan that wait for absent devices, and wakes those whose devices were in contact.
   * Called again, it goes on behind them; after the last one it begins with the first. One query serves a whole pass.
   */
  async look({ id }: Pick<Plan, 'id'>): Promise<void> {
    const { plans, devices, clock, arrived } = this.#deps
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
        if (member === undefined || !this.#isAwaiting(member)) return
        if (device === undefined || absence(device, member, clock.now()) === undefined) await arrived(member.id)
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

  /** Wakes ended members that wait for a device that was in contact since, and notes the other devices. */
  async lookAtEnded(): Promise<void> {
    const { plans, devices, awaiting } = this.#deps
    if (awaiting === undefined) return
    for (const planId of await plans.plansWith(awaiting)) {
      const read = (cursor: { cursor?: string }) =>
        plans.listMembers(planId, { states: [awaiting], limit: PAGE, ...cursor })
      for await (const found of batches(read))
        await Promise.all(
          found.map(async ({ deviceId, enteredAt }) => {
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

  #wakeSoon(deviceId: DeviceId): void {
    this.#wake(deviceId).catch((err: unknown) => {
      this.#devices.add(deviceId)
      this.#deps.log.warn(
        { err, deviceId },
        'members of a device that is in contact were not woken; its next contact wakes them',
      )
    })
  }

  async #wake(deviceId: DeviceId): Promise<void> {
    const { plans, awaiting, arrived, returned } = this.#deps
    for (const member of await plans.membersOf(deviceId)) {
      if (member.state === awaiting) await returned(member.id, member.planId)
      else if (this.#isAwaiting(member)) await arrived(member.id)
    }
  }

  /** True for a member that only a contact of its device brings on. */
  #isAwaiting({ state, waiting, dueMs }: M): boolean {
    return state === this.#deps.awaiting || (waiting === 'offline' && dueMs === undefined)
  }
}
