import { AppError, type Clock, isConflict, type ServiceTime } from '../../base/index.ts'
import {
  type Actor,
  type Device,
  type DeviceChange,
  type DeviceSnapshot,
  type DeviceStore,
  HOLDING,
  type MemberCommit,
  type MigrationPointer,
  memberStateRow,
  type NewEvent,
  PLANNER,
  type Plan,
  type PlanMember,
  type PlanStore,
  type Readiness,
  ROLLBACK_PENDING,
  type Timestamp,
} from '../../domain/index.ts'
import { type MemberEvent, reduce, type Why } from './machine.ts'

/** An event for a member, with its reason, evidence and facts. */
export interface MemberStep extends Why {
  event: MemberEvent
  /** A change of the device in the same commit. */
  change?: DeviceChange
  /** The snapshot of the device in the same commit. */
  snapshot?: DeviceSnapshot
  /** The event that follows at once, in the same commit. */
  followedBy?: MemberStep
}

export interface TransitionDeps {
  plans: Pick<PlanStore, 'commitMember'>
  devices: Pick<DeviceStore, 'get'>
  clock: Clock
  time: ServiceTime
}

/** No pause between attempts is longer. */
const MAX_BACKOFF_MS = 86_400_000
/** The rollback is over, and the device is as it was. */
const DEVICE_IS_BACK: readonly MemberEvent[] = ['rolledBack', 'tryLater', 'again', 'giveUp']
/** A factory reset has undone what plans wrote on the device. */
const DEVICE_WAS_RESET: readonly MemberEvent[] = ['regress', 'reset']

/**
 * Reason for which a plan must leave a device alone: another plan moves it, moved it, or must bring it back. Undefined:
 * it may begin.
 */
export function heldByOther(
  planId: string,
  pointer: MigrationPointer | undefined,
): { code: 'otherPlan' | 'rollbackPending'; text: string } | undefined {
  if (pointer === undefined || pointer.planId === planId || !HOLDING.includes(pointer.state)) return undefined
  if (ROLLBACK_PENDING.includes(pointer.state))
    return {
      code: 'rollbackPending',
      text:
        `plan ${pointer.planId} has to bring this device back first (it is ${pointer.state} there); ` +
        'retry it in that plan',
    }
  return pointer.state === 'MIGRATED'
    ? { code: 'otherPlan', text: `plan ${pointer.planId} has moved this device; roll it back in that plan first` }
    : { code: 'otherPlan', text: `plan ${pointer.planId} is moving this device` }
}

/**
 * Carries events of the machine into the store: member, counters, pointer of the device, snapshot and feed change
 * together or not at all.
 */
export class Transitions {
  readonly #deps: TransitionDeps

  constructor(deps: TransitionDeps) {
    this.#deps = deps
  }

  /**
   * Applies an event and resolves with the stored member. `lease`: who goes on with it at once; absent, the member is
   * free. `device`: its record, where it was just read. Throws AppError `conflict` when the member or the device's
   * pointer has changed, or when another plan holds the device; IllegalTransition when the machine does not know the
   * event.
   */
  async apply(
    plan: Plan,
    member: PlanMember,
    step: MemberStep,
    options: { actor?: Actor; lease?: PlanMember['lease']; device?: Device } = {},
  ): Promise<PlanMember> {
    const { clock, time } = this.#deps
    const at = clock.now()
    const events: NewEvent[] = []
    let after = member
    for (const one of inOrder(step)) {
      const before = after
      after = reduce(before, one.event, { at, serviceMs: time.now() }, options.actor ?? PLANNER, one)
      events.push(changedEvent(plan, before, after, one, at))
    }
    const { lease: _lease, ...next } = after
    this.#setTimes(plan, next)
    const stored: PlanMember = { ...next, revision: member.revision + 1 }
    if (options.lease !== undefined && stored.endedAt === undefined && stored.waiting === undefined)
      stored.lease = options.lease
    const commit: MemberCommit = {
      before: member,
      member: stored,
      events,
      ...countOf(step, at),
      ...(step.snapshot === undefined ? {} : { snapshot: step.snapshot }),
    }
    if (member.state === 'ROLLING_BACK' && DEVICE_IS_BACK.includes(step.event)) commit.snapshot = 'delete'
    const { device } = options
    const known = device === undefined ? ownPointer(plan, member, stored, at) : pointerChange(plan, stored, device, at)
    if (known !== undefined && step.event !== 'gone') {
      try {
        await this.#deps.plans.commitMember({ ...commit, device: together(known, step.change) })
        return stored
      } catch (error) {
        if (!isConflict(error)) throw error
      }
    }
    const pointer = step.event === 'gone' ? undefined : await this.#pointer(plan, stored, at)
    // Without a pointer another plan holds the device or has brought it back, and the snapshot is its own.
    if (DEVICE_WAS_RESET.includes(step.event) && pointer !== undefined) commit.snapshot = 'delete'
    const change = pointer === undefined ? undefined : together(pointer, step.change)
    try {
      await this.#deps.plans.commitMember({ ...commit, ...(change === undefined ? {} : { device: change }) })
    } catch (error) {
      if (!isConflict(error) || change === undefined) throw error
      // A device that was deleted has no record for the pointer; its member ends without one.
      if ((await this.#deps.devices.get(member.deviceId)) !== undefined) throw error
      await this.#deps.plans.commitMember(commit)
    }
    return stored
  }

  /**
   * Stores a new member with the events that are known of its device already. `record`: its device as they were decided
   * by, with a readiness to store; absent, its pointer stays as it is. `last` gets the member as it will be stored.
   * AppError `conflict` when it exists, or when the device has changed.
   */
  async create(
    plan: Plan,
    member: PlanMember,
    record: { device: Device; readiness?: Readiness } | undefined,
    steps: MemberStep[],
    actor: Actor,
    last: (member: PlanMember) => PlanMember,
  ): Promise<PlanMember> {
    const { clock, time } = this.#deps
    const at = clock.now()
    let next = member
    for (const step of steps) next = reduce(next, step.event, { at, serviceMs: time.now() }, actor, step)
    next = last(next)
    const final = steps.at(-1)
    const pointer = record === undefined ? undefined : pointerChange(plan, next, record.device, at)
    if (pointer !== undefined && record?.readiness !== undefined)
      pointer.set = { ...pointer.set, readiness: record.readiness }
    await this.#deps.plans.commitMember({
      member: next,
      events: final === undefined ? [] : [changedEvent(plan, member, next, final, at)],
      ...(pointer === undefined ? {} : { device: pointer }),
    })
    return next
  }

  #setTimes(plan: Plan, next: PlanMember): void {
    const { settings } = plan
    const now = next.enteredMs
    if (next.state === 'VERIFYING') next.deadlineMs = now + settings.verifyTimeoutMs
    if (next.state === 'BACKOFF') {
      next.waiting = 'backoff'
      next.dueMs = now + Math.min(settings.retryBackoffMs * 2 ** (next.attempt - 1), MAX_BACKOFF_MS)
    }
  }

  async #pointer(plan: Plan, next: PlanMember, at: Timestamp): Promise<DeviceChange | undefined> {
    const device = await this.#deps.devices.get(next.deviceId)
    return device === undefined || isGuest(plan, next, device) ? undefined : pointerChange(plan, next, device, at)
  }
}

/** Returns an event and those that follow it at once. */
function inOrder(step: MemberStep): MemberStep[] {
  return step.followedBy === undefined ? [step] : [step, ...inOrder(step.followedBy)]
}

/** Returns the change of a pointer with another change of the same device. */
function together(pointer: DeviceChange, change: DeviceChange | undefined): DeviceChange {
  if (change === undefined) return pointer
  return {
    ...change,
    ...pointer,
    set: { ...change.set, ...pointer.set },
    guard: { ...change.guard, ...pointer.guard },
    events: [...(change.events ?? []), ...(pointer.events ?? [])],
  }
}

/**
 * True for a member that ends and holds nothing of its device, while the pointer of the device is that of another plan:
 * it was on USP before the plan came to it, or the other plan moved it. The pointer stays with the plan that moved the
 * device last.
 */
function isGuest(plan: Plan, { state }: PlanMember, { migration }: Device): boolean {
  const { phase, holds } = memberStateRow(state)
  return phase === 'ended' && holds === 'none' && migration !== undefined && migration.planId !== plan.id
}

/**
 * The plan of a member that moves its device has the pointer: the device need not be read for it. Undefined: that is
 * not known.
 */
function ownPointer(plan: Plan, before: PlanMember, next: PlanMember, at: Timestamp): DeviceChange | undefined {
  if (memberStateRow(before.state).holds !== 'moving') return undefined
  return {
    deviceId: next.deviceId,
    set: { migration: { planId: plan.id, state: next.state, at } },
    newRevision: true,
    guard: { migration: { planId: plan.id, state: before.state } },
  }
}

/**
 * The pointer of a device follows the member, unless another plan holds the device. AppError `conflict` when the member
 * would need it.
 */
function pointerChange(plan: Plan, next: PlanMember, device: Device, at: Timestamp): DeviceChange | undefined {
  const other = heldByOther(plan.id, device.migration)
  if (other !== undefined) {
    if (HOLDING.includes(next.state) && next.state !== 'MIGRATED')
      throw new AppError('conflict', other.text, { context: { deviceId: next.deviceId, code: other.code } })
    return undefined
  }
  return {
    deviceId: next.deviceId,
    set: { migration: { planId: plan.id, state: next.state, at } },
    newRevision: true,
    guard: device.migration === undefined ? { revision: device.revision } : { migration: device.migration },
  }
}

function changedEvent(
  plan: Plan,
  before: PlanMember,
  after: PlanMember,
  { event, reason }: MemberStep,
  at: Timestamp,
): NewEvent {
  return {
    type: 'member.changed',
    at,
    deviceId: after.deviceId,
    planId: plan.id,
    groupId: plan.groupId,
    data: {
      from: before.state,
      to: after.state,
      event,
      ...(reason === undefined ? {} : { reason: reason.text, code: reason.code }),
    },
  }
}

/**
 * The attempt that an event counts: a failure, or a device that was moved. A device that did not connect is no failure.
 */
function countOf({ event, reason, followedBy }: MemberStep, at: Timestamp): Pick<MemberCommit, 'count'> {
  if (followedBy !== undefined) return countOf(followedBy, at)
  if (event === 'retired') return { count: { movedInMinute: Math.floor(at / 60_000) } }
  const failed = event === 'conflict' || (event === 'fail' && reason?.code !== 'offline')
  return failed ? { count: { failed: true } } : {}
}
