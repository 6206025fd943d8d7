import { AppError, type Clock, createKeyedQueue, errorText, type Log } from '../base/index.ts'
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
} from '../device/index.ts'
import { ENDED, FAILED_STATES, IN_FLIGHT, type MemberEvent, type Reason, reduce } from './machine.ts'
import { assess, READINESS_PATHS } from './readiness.ts'
import { MustWait, type Outcome, outcomeOf, Script, StepFailed } from './script.ts'
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
const LEASE_MS = 60_000
const BATCH = 50
const MAX_RUNNING = 128
const ACTIVE: MemberState[] = [...IN_FLIGHT, 'UNASSESSED', 'ELIGIBLE', 'ROLLED_BACK']

/** Moves the members of plans through the machine. */
export interface Executor {
  /** One round over a plan: starts what may start, goes on with what is due. Resolves when the round is handed out, not when it is done. */
  tick(plan: Plan): Promise<void>
  /** Goes on with a member at once, if it is not under way. */
  wake(memberId: string): void
  /** An event from outside: abort, retry, regress. */
  apply(memberId: string, event: MemberEvent, actor: string, reason?: Reason): Promise<PlanMember>
  /** Called when a member ended or freed its place. */
  onFreed(listener: (planId: string) => void): void
  stop(): Promise<void>
}

export function createExecutor(deps: ExecutorDeps): Executor {
  const { plans, clock, instance } = deps
  const log = deps.log.child({ part: 'planner' })
  const queue = createKeyedQueue()
  const running = new Set<string>()
  const again = new Set<string>()
  let freed: (planId: string) => void = () => undefined
  let stopping = false

  const run = (memberId: string) => {
    if (stopping) return
    if (running.has(memberId)) {
      again.add(memberId)
      return
    }
    if (running.size >= MAX_RUNNING) return
    running.add(memberId)
    queue
      .run(memberId, () => advance(memberId))
      .catch((err: unknown) => log.error({ err, memberId }, 'plan member failed; it is tried again'))
      .finally(() => {
        running.delete(memberId)
        if (again.delete(memberId)) run(memberId)
      })
  }

  /** Runs a member from state to state until it has to wait or has ended. */
  async function advance(memberId: string): Promise<void> {
    const claimed = await plans.claim(memberId, instance, clock.now(), LEASE_MS)
    if (claimed === undefined) return
    const plan = await plans.getPlan(claimed.planId)
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
    if (member.state === 'UNASSESSED') return assessMember(plan, member)
    if (member.state === 'ELIGIBLE') return move(plan, member, { kind: 'event', event: 'queue' })
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
    if (outcome.kind === 'event') return move(plan, current, outcome)
    const overMs = clock.now() - current.enteredAt - plan.settings.verifyTimeoutMs
    if (current.state === 'VERIFYING' && overMs > 0) {
      const reason = {
        code: 'verifyTimeout',
        text: `not verified within ${Math.round(plan.settings.verifyTimeoutMs / 1000)} s`,
      }
      return move(plan, current, { kind: 'event', event: 'fail', reason, retryable: true })
    }
    return wait(current, outcome)
  }

  async function wait(
    member: PlanMember,
    { waiting, untilMs }: Extract<Outcome, { kind: 'wait' }>,
  ): Promise<PlanMember> {
    const { lease: _lease, ...free } = member
    return commit(member, { ...free, waiting, nextAt: clock.now() + untilMs }, [])
  }

  async function move(
    plan: Plan,
    member: PlanMember,
    outcome: Extract<Outcome, { kind: 'event' }>,
    actor = 'planner',
  ): Promise<PlanMember> {
    const now = clock.now()
    let next = reduce(member, outcome.event, now, actor, outcome.reason)
    if (outcome.event === 'fail') next = { ...next, cursor: { ...next.cursor, retryable: outcome.retryable === true } }
    if (outcome.event === 'abort') next = { ...next, cursor: { ...next.cursor, retryable: false, aborted: true } }
    const event: NewEvent = {
      type: 'member.changed',
      at: now,
      deviceId: member.deviceId,
      planId: plan.id,
      groupId: plan.groupId,
      data: {
        from: member.state,
        to: next.state,
        event: outcome.event,
        ...(outcome.reason === undefined ? {} : { reason: outcome.reason.text, code: outcome.reason.code }),
      },
    }
    const pointer: DeviceChange = {
      deviceId: member.deviceId,
      set: { migration: { planId: plan.id, state: next.state, at: now } },
      newRevision: true,
    }
    return commit(member, next, [event], pointer)
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

  /** Readiness from what is stored; a box that has shown too little is asked. */
  async function assessMember(plan: Plan, member: PlanMember): Promise<PlanMember> {
    const device = await deps.devices.get(member.deviceId)
    if (device === undefined)
      return move(plan, member, {
        kind: 'event',
        event: 'ineligible',
        reason: { code: 'deviceGone', text: 'the device was deleted' },
      })
    const other = device.migration
    if (other !== undefined && other.planId !== plan.id && IN_FLIGHT.includes(other.state as MemberState)) {
      return move(plan, member, {
        kind: 'event',
        event: 'blocked',
        reason: { code: 'otherPlan', text: `plan ${other.planId} is moving this device` },
      })
    }
    if (device.owner === 'usp') return move(plan, member, { kind: 'event', event: 'alreadyThere' })
    const parameters = await deps.parameters.getMany(device.id, READINESS_PATHS)
    const asked = (device.cwmp?.discoveredFor ?? '') !== ''
    let readiness = assess(device, { parameters, asked }, clock.now())
    if (readiness.class === 'UNKNOWN') {
      try {
        const found = await new Script(plan, member, deps, async (next) => next).read('assess', READINESS_PATHS, 'cwmp')
        const values = [...found.values()].map(({ path, value }) => ({ path, value: value ?? '' }))
        readiness = assess(device, { parameters: values, asked: true }, clock.now())
      } catch (error) {
        if (error instanceof MustWait) return wait(member, error.outcome)
        if (!(error instanceof StepFailed)) throw error
        // A box that knows none of the paths has no Agent; one that could not be asked stays unknown.
        readiness = /^90(03|05)$/.test(error.reason.code)
          ? assess(device, { parameters: [], asked: true }, clock.now())
          : { ...readiness, reasons: [...readiness.reasons, errorText(error)] }
      }
    }
    await deps.devices.commit({ deviceId: device.id, set: { readiness } })
    if (readiness.class === 'READY_STANDARD') return move(plan, member, { kind: 'event', event: 'eligible' })
    return move(plan, member, {
      kind: 'event',
      event: 'ineligible',
      reason: { code: readiness.class, text: readiness.reasons.join('; ') },
    })
  }

  /** Another attempt after a pause, or quarantine when attempts are used up or cannot help. */
  async function afterRollback(plan: Plan, member: PlanMember): Promise<PlanMember | undefined> {
    if (member.cursor.aborted === true || plan.state === 'aborting' || plan.state === 'aborted') return undefined
    if (member.cursor.retryable !== true || member.attempt >= plan.settings.maxAttempts)
      return move(plan, member, { kind: 'event', event: 'giveUp' })
    const due = member.enteredAt + plan.settings.retryBackoffMs * 2 ** (member.attempt - 1)
    if (clock.now() < due) return wait(member, { kind: 'wait', waiting: 'backoff', untilMs: due - clock.now() })
    return move(plan, member, { kind: 'event', event: 'again' })
  }

  /** How many more may start now: places in flight, and the rate. */
  async function budget(plan: Plan, counts: Partial<Record<MemberState, number>>): Promise<number> {
    const inFlight = IN_FLIGHT.reduce((sum, state) => sum + (counts[state] ?? 0), 0)
    const places = plan.settings.maxInFlight - inFlight
    if (plan.settings.startsPerMinute === 0) return places
    const now = clock.now()
    const window =
      plan.pacing !== undefined && now - plan.pacing.windowStart < 60_000
        ? plan.pacing
        : { windowStart: now, started: 0 }
    const share = Math.ceil((plan.settings.startsPerMinute * (now - window.windowStart + 1000)) / 60_000)
    const allowed = Math.max(0, Math.min(places, share - window.started))
    if (allowed > 0)
      await plans.putPlan(
        { ...plan, pacing: { ...window, started: window.started + allowed }, revision: plan.revision + 1 },
        plan.revision,
      )
    return allowed
  }

  async function start(plan: Plan, counts: Partial<Record<MemberState, number>>): Promise<void> {
    const allowed = (counts.QUEUED ?? 0) > 0 ? await budget(plan, counts) : 0
    if (allowed <= 0) return
    const due = await plans.claimDue(plan.id, ['QUEUED'], instance, clock.now(), LEASE_MS, Math.min(allowed, BATCH))
    await Promise.all(
      due.map(async (member) => {
        const { lease: _lease, ...free } = await move(plan, member, { kind: 'event', event: 'start' })
        await commit({ ...free, revision: free.revision }, free, [])
        run(member.id)
      }),
    )
  }

  return {
    async tick(plan) {
      if (stopping || (plan.state !== 'running' && plan.state !== 'paused' && plan.state !== 'aborting')) return
      const counts = await plans.countByState(plan.id)
      if (plan.state === 'running') await start(plan, counts)
      const room = Math.min(BATCH, MAX_RUNNING - running.size)
      if (room <= 0) return
      const due = await plans.claimDue(plan.id, ACTIVE, instance, clock.now(), LEASE_MS, room)
      for (const member of due) run(member.id)
    },
    wake: run,
    apply: (memberId, event, actor, reason) =>
      queue.run(memberId, async () => {
        const member = await plans.claim(memberId, instance, clock.now(), LEASE_MS)
        if (member === undefined) throw new AppError('conflict', 'the device is being worked on; try again')
        const plan = await plans.getPlan(member.planId)
        if (plan === undefined) throw new AppError('notFound', 'the plan is gone')
        const moved = await move(
          plan,
          member,
          { kind: 'event', event, ...(reason === undefined ? {} : { reason }) },
          actor,
        )
        await release(moved)
        run(memberId)
        return moved
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

/** Whether failures are so many that starts must stop. */
export function gateClosed(plan: Plan, counts: Partial<Record<MemberState, number>>): boolean {
  const failed = FAILED_STATES.reduce((sum, state) => sum + (counts[state] ?? 0), 0)
  const ended = failed + (counts.MIGRATED ?? 0)
  return ended >= plan.settings.gateMinSample && (failed * 100) / ended > plan.settings.failureGatePercent
}
