import { type Clock, type Log, retryOnConflict, sleep } from '../base/index.ts'
import {
  type DeviceId,
  type DeviceStore,
  type FeedEvent,
  IN_FLIGHT,
  PLANNER,
  type Plan,
  type PlanMember,
  type PlanStore,
} from '../domain/index.ts'
import { statesThatTake } from './machine/machine.ts'
import { DELETED, LEFT, missedBy } from './machine/missed.ts'
import type { MemberStep } from './machine/transition.ts'
import type { MemberNotes, MigrationRunner } from './member-notes.ts'
import { ownerChange } from './states/owner.ts'

interface PlanEventsDeps {
  plans: PlanStore
  devices: DeviceStore
  clock: Clock
  log: Log
  /** Runs work that no round of the plan may see half done. */
  alone(planId: string, work: () => Promise<void>): Promise<void>
  kick(planId: string): void
  runner: Pick<MigrationRunner, 'apply' | 'wake'>
  notes: MemberNotes
}

/** Events for which a member under way looks again. */
const LOOK_AGAIN: ReadonlySet<string> = new Set([
  'device.connected',
  'device.booted',
  'device.conflict',
  'device.bound',
])
const MAX_TRIES = 5
const AGAIN_MS = 100

/** Carries events of the feed to the members of the device. */
export class PlanEvents {
  readonly #deps: PlanEventsDeps

  constructor(deps: PlanEventsDeps) {
    this.#deps = deps
  }

  /** Takes an event; its work goes on in the background, and its errors are logged. */
  take({ type, deviceId, data }: FeedEvent): void {
    if (deviceId === undefined) return
    if (LOOK_AGAIN.has(type)) this.#background('wake', deviceId, () => this.#wake(deviceId))
    if (type === 'device.bootstrapped') this.#background('regress', deviceId, () => this.#regress(deviceId))
    if (type === 'device.deleted') this.#background('gone', deviceId, () => this.#gone(deviceId))
    if (type === 'member.changed' && data.event === 'rolledBack')
      this.#background('left', deviceId, () => this.#left(deviceId))
  }

  /**
   * Carries out events that the record of the device shows and the member missed. A member that has taken its event
   * since it was read stays as it is. Throws as `MemberRunner.apply` does.
   */
  async catchUp(listed: PlanMember): Promise<void> {
    const { plans, devices } = this.#deps
    const { id, deviceId } = listed
    if (missedBy(listed, await devices.get(deviceId)) === undefined) return
    await this.#insist(async () => {
      const member = await plans.getMember(id)
      if (member === undefined) return
      const missed = missedBy(member, await devices.get(deviceId))
      if (missed === 'reset') await this.#regress(deviceId)
      else if (missed !== undefined) await this.#apply(member, missed)
    })
  }

  async #wake(deviceId: DeviceId): Promise<void> {
    const pointer = (await this.#deps.devices.get(deviceId))?.migration
    if (pointer === undefined) return
    const memberId = `${pointer.planId}|${deviceId}`
    if (IN_FLIGHT.includes(pointer.state)) this.#deps.runner.wake(memberId)
    else if (pointer.state === 'MIGRATED') await this.#deps.notes.setSilence(memberId, 'heard')
  }

  /**
   * A migrated device that starts as new over CWMP has lost its Controller: CWMP owns it again, in every plan that
   * counts it as migrated.
   */
  async #regress(deviceId: DeviceId): Promise<void> {
    const device = await this.#deps.devices.get(deviceId)
    if (device === undefined) return
    const members = (await this.#deps.plans.membersOf(deviceId)).filter(({ state }) => state === 'MIGRATED')
    if (members.length === 0 || (device.migration !== undefined && IN_FLIGHT.includes(device.migration.state))) return
    await this.#deps.devices.commit(ownerChange(device, 'cwmp', this.#deps.clock.now()))
    const reason = { code: 'bootstrap', text: 'the device was reset to factory settings' }
    for (const { id, planId } of members) {
      // A round between the two could end the plan, and the device would not be moved again.
      await this.#deps.alone(planId, async () => {
        const plan = await this.#deps.plans.getPlan(planId)
        await this.#deps.runner.apply(id, { event: goesOn(plan) ? 'reset' : 'regress', reason }, PLANNER)
      })
      this.#deps.kick(planId)
    }
  }

  /** The record of the device was deleted: no plan has it any more. */
  async #gone(deviceId: DeviceId): Promise<void> {
    if ((await this.#deps.devices.get(deviceId)) === undefined) await this.#all(deviceId, DELETED)
  }

  /** A device that one plan has brought back is migrated in no other plan either. */
  async #left(deviceId: DeviceId): Promise<void> {
    const device = await this.#deps.devices.get(deviceId)
    if (device?.owner === 'cwmp') await this.#all(deviceId, LEFT)
  }

  async #all(deviceId: DeviceId, step: MemberStep): Promise<void> {
    for (const member of await this.#deps.plans.membersOf(deviceId)) await this.#apply(member, step)
  }

  async #apply({ id, state, planId }: PlanMember, step: MemberStep): Promise<void> {
    if (!statesThatTake(step.event).includes(state)) return
    await this.#deps.runner.apply(id, step, PLANNER)
    this.#deps.kick(planId)
  }

  #background(what: string, deviceId: DeviceId, work: () => Promise<void>): void {
    this.#insist(work).catch((err: unknown) =>
      this.#deps.log.warn({ err, deviceId, what }, 'an event did not reach the plan members of its device'),
    )
  }

  /** A change that met another one is done again: no later event asks for it. */
  async #insist(work: () => Promise<void>): Promise<void> {
    const pause = (attempt: number) => sleep(this.#deps.clock, AGAIN_MS * attempt)
    await retryOnConflict(work, { attempts: MAX_TRIES, pause })
  }
}

function goesOn(plan: Plan | undefined): boolean {
  return plan?.state === 'running' || plan?.state === 'paused'
}
