import { AppError, type Clock, createKeyedQueue, type Log } from '../base/index.ts'
import type {
  ConflictStore,
  DeviceChange,
  DeviceId,
  DeviceStore,
  MemberState,
  NewEvent,
  Operations,
  ParameterStore,
  Plan,
  PlanMember,
  PlanStore,
  Transition,
} from '../device/index.ts'
import { assessMember, otherPlan } from './assessing.ts'
import { ENDED, IN_FLIGHT, type MemberEvent, type Reason, reduce } from './machine.ts'
import { type Outcome, outcomeOf, Script } from './script.ts'
import { STATE_SCRIPTS } from './states/index.ts'

export interface ExecutorDeps {
  plans: PlanStore
  devices: DeviceStore
  parameters: ParameterStore
  conflicts: ConflictStore
  operations: Operations
  /** This server instance: the holder of leases. */
  instance: string
  clock: Clock
  newId(): string
  heard(deviceId: DeviceId, path: string, value: string): boolean
  log: Log
}

/** How long an instance may be silent before another takes a member over. */
export const LEASE_MS = 60_000
const MAX_RUNNING = 128
/** A member whose work broke off on an error of ours is tried again after this. */
const BROKEN_MS = 5000
/** No pause between attempts is longer. */
const MAX_BACKOFF_MS = 86_400_000
/** States in which something is to be done by itself. */
const ACTIVE: MemberState[] = [...IN_FLIGHT, 'UNASSESSED', 'ELIGIBLE', 'ROLLED_BACK', 'REGRESSED']

/** The reason of a transition, where it has one. */
function reasonOf(entry: Transition | undefined): { reason?: Reason } {
  const { code, reason: text } = entry ?? {}
  return code === undefined || text === undefined ? {} : { reason: { code, text } }
}

/** The device is another plan's for now. */
const OTHERS: NonNullable<DeviceChange['guard']> = {}

/** Moves the members of plans through the machine. */
export interface Executor {
  /** Goes on with members of a plan that are due. Resolves when they are handed out, not when they are done. */
  tick(plan: Plan): Promise<void>
  /** Goes on with a member at once, if it is not under way. */
  wake(memberId: string): void
  /** A QUEUED member that this instance has leased begins; a device that has changed meanwhile stays queued. */
  begin(plan: Plan, member: PlanMember, guard: DeviceChange['guard']): Promise<void>
  /** Another outcome for a member that this instance has leased. */
  settle(plan: Plan, member: PlanMember, outcome: Outcome): Promise<PlanMember>
  /** An event from outside: abort, retry, regress. */
  apply(memberId: string, event: MemberEvent, actor: string, reason?: Reason): Promise<PlanMember>
  /** Called when a member ended or freed its place, and when more members were due than could be taken. */
  onFreed(listener: (planId: string) => void): void
  stop(): Promise<void>
}

export function createExecutor(deps: ExecutorDeps): Executor {
  const { plans, clock, instance } = deps
  const log = deps.log.child({ part: 'planner' })
  const queue = createKeyedQueue()
  const running = new Set<string>()
  const again = new Set<string>()
  /** Plans that have more due than could be taken. */
  const waiting = new Set<string>()
  let freed: (planId: string) => void = () => undefined
  let stopping = false

  /** `leased`: the member as it was claimed for this run; a claimed one always runs. */
  const run = (memberId: string, leased?: { plan: Plan; member: PlanMember }) => {
    if (stopping) return
    if (running.has(memberId)) {
      again.add(memberId)
      return
    }
    if (running.size >= MAX_RUNNING && leased === undefined) return
    running.add(memberId)
    queue
      .run(memberId, () => advance(memberId, leased))
      .catch((err: unknown) => brokeOff(memberId, err))
      .finally(() => {
        running.delete(memberId)
        if (again.delete(memberId)) run(memberId)
        else if (running.size < MAX_RUNNING / 2) for (const planId of waiting) freed(planId)
      })
  }

  /** A defect or a dead database: the member is given back, and tried again in a while. */
  async function brokeOff(memberId: string, err: unknown): Promise<void> {
    const expected = err instanceof AppError && err.code === 'conflict'
    log[expected ? 'info' : 'error']({ err, memberId }, 'plan member broke off; it is tried again')
    try {
      await plans.free(memberId, instance, clock.now() + (expected ? 0 : BROKEN_MS))
    } catch (error) {
      log.debug({ err: error, memberId }, 'lease was not given back; it runs out by itself')
    }
  }

  /** Runs a member from state to state until it has to wait or has ended. */
  async function advance(memberId: string, leased?: { plan: Plan; member: PlanMember }): Promise<void> {
    const claimed = leased?.member ?? (await plans.claim(memberId, instance, clock.now(), LEASE_MS))
    if (claimed === undefined) return
    const plan = leased?.plan ?? (await plans.getPlan(claimed.planId))
    if (plan === undefined) return
    let member = claimed
    for (let steps = 0; steps < 50 && !stopping; steps++) {
      const before = member.state
      const next = await once(plan, member)
      if (next === undefined) break
      member = next
      // It waits: its lease is given back.
      if (member.lease === undefined) break
      if (IN_FLIGHT.includes(before) && !IN_FLIGHT.includes(member.state)) freed(plan.id)
      if (ENDED.includes(member.state) && member.state !== 'ROLLED_BACK') break
    }
    if (member.lease !== undefined) await release(member)
    if (ENDED.includes(member.state)) freed(plan.id)
  }

  async function release(member: PlanMember): Promise<void> {
    const { lease: _lease, ...free } = member
    await commit(member, free, [])
  }

  /** One state's work. Undefined: nothing more to do now. */
  async function once(plan: Plan, member: PlanMember): Promise<PlanMember | undefined> {
    if (member.nextAt > clock.now() && member.waiting === 'backoff') return undefined
    if (member.state === 'UNASSESSED') return settle(plan, member, await assessMember(plan, member, deps))
    if (member.state === 'ELIGIBLE') return move(plan, member, { kind: 'event', event: 'queue' })
    // A plan that is over takes nothing up by itself.
    if (member.state === 'REGRESSED')
      return plan.state === 'running' ? move(plan, member, { kind: 'event', event: 'reassess' }) : undefined
    if (member.state === 'ROLLED_BACK') return afterRollback(plan, member)
    const script = STATE_SCRIPTS[member.state]
    if (script === undefined) return undefined
    let current = member
    const context = new Script(plan, member, deps, async (next, change) => {
      current = await commit(current, next, [], change)
      return current
    })
    let outcome: Outcome
    try {
      outcome = await script(context)
    } catch (error) {
      outcome = outcomeOf(error)
    }
    const { deadlineAt } = current
    if (
      outcome.kind === 'wait' &&
      outcome.waiting !== 'offline' &&
      deadlineAt !== undefined &&
      clock.now() > deadlineAt
    ) {
      const text = `not verified within ${Math.round(plan.settings.verifyTimeoutMs / 1000)} s; last step: ${current.step}`
      return move(plan, current, {
        kind: 'event',
        event: 'fail',
        reason: { code: 'verifyTimeout', text },
        retryable: true,
      })
    }
    return settle(plan, current, outcome)
  }

  async function settle(plan: Plan, member: PlanMember, outcome: Outcome): Promise<PlanMember> {
    if (outcome.kind === 'event') return move(plan, member, outcome)
    const now = clock.now()
    const { lease: _lease, ...free } = member
    const next: PlanMember = { ...free, waiting: outcome.waiting, nextAt: now + outcome.untilMs }
    if (outcome.cursor !== undefined) next.cursor = { ...member.cursor, ...outcome.cursor }
    // Time in which the box is waited for is not the box's.
    if (outcome.waiting === 'offline' && next.deadlineAt !== undefined)
      next.deadlineAt = Math.max(next.deadlineAt, next.nextAt + plan.settings.verifyTimeoutMs)
    return commit(member, next, [])
  }

  async function move(
    plan: Plan,
    member: PlanMember,
    outcome: Extract<Outcome, { kind: 'event' }>,
    options: { actor?: string; guard?: DeviceChange['guard'] } = {},
  ): Promise<PlanMember> {
    const now = clock.now()
    const { event, reason } = outcome
    const next = reduce(member, event, now, options.actor ?? 'planner', outcome)
    if (event === 'fail') next.cursor = { ...next.cursor, retryable: outcome.retryable === true }
    if (event === 'abort') next.cursor = { ...next.cursor, retryable: false, aborted: true }
    if (next.state === 'VERIFYING') next.deadlineAt = now + plan.settings.verifyTimeoutMs
    const told: NewEvent = {
      type: 'member.changed',
      at: now,
      deviceId: member.deviceId,
      planId: plan.id,
      groupId: plan.groupId,
      data: {
        from: member.state,
        to: next.state,
        event,
        ...(reason === undefined ? {} : { reason: reason.text, code: reason.code }),
      },
    }
    const guard = options.guard ?? (await guardOf(plan, member))
    const pointer: DeviceChange = {
      deviceId: member.deviceId,
      set: { migration: { planId: plan.id, state: next.state, at: now } },
      newRevision: true,
      ...(guard === undefined ? {} : { guard }),
    }
    try {
      return await commit(member, next, [told], guard === OTHERS || event === 'gone' ? undefined : pointer)
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'conflict') throw error
      // A device that was deleted has no record to point from; its member comes to its end all the same.
      if ((await deps.devices.get(member.deviceId)) !== undefined) throw error
      return commit(member, next, [told])
    }
  }

  /** Who does not move the device may point from it to himself only while nobody else moves it. */
  async function guardOf(plan: Plan, member: PlanMember): Promise<DeviceChange['guard']> {
    if (IN_FLIGHT.includes(member.state)) return undefined
    const device = await deps.devices.get(member.deviceId)
    if (device === undefined) return undefined
    return otherPlan(plan.id, device.migration) === undefined ? { revision: device.revision } : OTHERS
  }

  /** Persists a member under its revision; the lease stays while it is being worked on. */
  async function commit(
    before: PlanMember,
    after: PlanMember,
    events: NewEvent[],
    change?: DeviceChange,
  ): Promise<PlanMember> {
    const lease = after.lease === undefined ? undefined : { by: instance, until: clock.now() + LEASE_MS }
    const member: PlanMember = { ...after, revision: before.revision + 1, ...(lease === undefined ? {} : { lease }) }
    const useful = change !== undefined && Object.keys(change).length > 1
    await plans.commitMember({
      member,
      expectedRevision: before.revision,
      events,
      ...(useful ? { device: change } : {}),
    })
    return member
  }

  /** Another attempt after a pause, or quarantine when attempts are used up or cannot help. */
  async function afterRollback(plan: Plan, member: PlanMember): Promise<PlanMember | undefined> {
    if (member.cursor.aborted === true || plan.state === 'aborting' || plan.state === 'aborted') return undefined
    // What it failed at, not what kept it from its way back.
    const failure = member.history.findLast(({ event }) => event === 'fail')
    // A box that did not come has failed at nothing: it begins again when it is heard of.
    if ((failure?.code ?? member.reason?.code) === 'offline') {
      const next = await move(plan, member, { kind: 'event', event: 'again' })
      return commit(next, { ...next, cursor: { ...next.cursor, missedAt: clock.now() } }, [])
    }
    if (member.cursor.retryable !== true || member.attempt >= plan.settings.maxAttempts)
      return move(plan, member, { kind: 'event', event: 'giveUp', ...reasonOf(failure) })
    const due = member.enteredAt + Math.min(plan.settings.retryBackoffMs * 2 ** (member.attempt - 1), MAX_BACKOFF_MS)
    if (clock.now() < due) return settle(plan, member, { kind: 'wait', waiting: 'backoff', untilMs: due - clock.now() })
    return move(plan, member, { kind: 'event', event: 'again' })
  }

  return {
    async tick(plan) {
      if (stopping) return
      const room = MAX_RUNNING - running.size
      if (room <= 0) {
        waiting.add(plan.id)
        return
      }
      const due = await plans.claimDue(plan.id, ACTIVE, instance, clock.now(), LEASE_MS, room)
      if (due.length === room) waiting.add(plan.id)
      else waiting.delete(plan.id)
      for (const member of due) run(member.id, { plan, member })
    },
    wake: run,
    async begin(plan, member, guard) {
      const begun = await move(plan, member, { kind: 'event', event: 'start' }, { guard })
      run(member.id, { plan, member: begun })
    },
    settle,
    apply: (memberId, event, actor, reason) =>
      queue.run(memberId, async () => {
        const member = await plans.claim(memberId, instance, clock.now(), LEASE_MS)
        if (member === undefined) throw new AppError('conflict', 'the device is being worked on; try again')
        const plan = await plans.getPlan(member.planId)
        if (plan === undefined) throw new AppError('notFound', 'the plan is gone')
        try {
          const outcome = { kind: 'event', event, ...(reason === undefined ? {} : { reason }) } as const
          const moved = await move(plan, member, outcome, { actor })
          await release(moved)
          run(memberId)
          return moved
        } catch (error) {
          await plans.free(memberId, instance, member.nextAt)
          throw error
        }
      }),
    onFreed: (listener) => {
      freed = listener
    },
    async stop() {
      stopping = true
      const limit = new Promise((resolve) => setTimeout(resolve, 5000).unref())
      await Promise.race([queue.idle(), limit])
    },
  }
}
