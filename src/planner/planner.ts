import { AppError, type Lifecycle } from '../base/index.ts'
import type {
  DeviceId,
  EventBus,
  FeedEvent,
  GroupStore,
  MemberState,
  Plan,
  PlanMember,
  PlanSettings,
} from '../device/index.ts'
import type { AuditLog } from '../security/index.ts'
import { createExecutor, type ExecutorDeps, gateClosed } from './executor.ts'
import type { Groups } from './groups.ts'
import { createHeard } from './heard.ts'
import { ENDED, IN_FLIGHT } from './machine.ts'
import { type GroupStatus, groupStatus, type PlanStatus, planStatus } from './status.ts'

export interface PlannerDeps extends Omit<ExecutorDeps, 'heard'> {
  groupStore: GroupStore
  groups: Groups
  bus: EventBus
  audit: AuditLog
  /** Appends events that no commit of a device carries. */
  appendEvents(
    events: { type: 'plan.changed'; at: number; planId: string; groupId: string; data: Record<string, unknown> }[],
  ): Promise<void>
  /** Settings of a plan where its maker says nothing. */
  defaults: PlanSettings
}

export type PlanAction = 'start' | 'pause' | 'resume' | 'abort' | 'retry'

/** Plans and what moves them. */
export interface Planner extends Lifecycle {
  create(
    input: {
      name: string
      groupId: string
      settings?: Partial<Omit<PlanSettings, 'controller'>> & { controller?: Partial<PlanSettings['controller']> }
    },
    actor: string,
  ): Promise<Plan>
  get(id: string): Promise<Plan>
  /** `devices`: retry only these. AppError `conflict` when the action does not fit the plan's state. */
  act(id: string, action: PlanAction, actor: string, devices?: DeviceId[]): Promise<Plan>
  status(id: string): Promise<PlanStatus>
  groupStatus(groupId: string): Promise<GroupStatus>
  member(planId: string, deviceId: DeviceId): Promise<PlanMember>
  /** One round over all plans; the job queue calls it every second. */
  tick(): Promise<void>
}

const ACTIONS: Record<PlanAction, { from: Plan['state'][]; to: Plan['state'] }> = {
  start: { from: ['draft'], to: 'running' },
  pause: { from: ['running'], to: 'paused' },
  resume: { from: ['paused'], to: 'running' },
  abort: { from: ['running', 'paused', 'finished'], to: 'aborting' },
  retry: { from: ['running', 'paused', 'finished', 'aborted'], to: 'running' },
}
const RETRIABLE: MemberState[] = [
  'ROLLED_BACK',
  'FAILED',
  'QUARANTINED',
  'CONFLICT',
  'STRANDED',
  'CANCELLED',
  'BLOCKED',
  'INELIGIBLE',
]
const ABORTABLE: MemberState[] = [
  'UNASSESSED',
  'BLOCKED',
  'ELIGIBLE',
  'QUEUED',
  'CONFLICT',
  'PREPARING',
  'AWAITING_USP',
  'BINDING',
  'VERIFYING',
  'DUAL',
  'RETIRING',
]
const BATCH = 500

export function createPlanner(deps: PlannerDeps): Planner {
  const { plans, clock, audit, newId } = deps
  const heard = createHeard()
  const executor = createExecutor({ ...deps, heard: heard.has })
  const log = deps.log.child({ part: 'planner' })
  let unsubscribe: (() => void)[] = []
  const kicked = new Set<string>()
  let stopping = false

  const get = async (id: string): Promise<Plan> => {
    const plan = await plans.getPlan(id)
    if (plan === undefined) throw new AppError('notFound', `there is no plan ${id}`)
    return plan
  }

  async function save(plan: Plan, changes: Partial<Plan>, actor: string, action: string): Promise<Plan> {
    const next: Plan = { ...plan, ...changes, revision: plan.revision + 1 }
    await plans.putPlan(next, plan.revision)
    const now = clock.now()
    await deps.appendEvents([
      {
        type: 'plan.changed',
        at: now,
        planId: plan.id,
        groupId: plan.groupId,
        data: {
          from: plan.state,
          to: next.state,
          action,
          ...(next.reason === undefined ? {} : { reason: next.reason }),
        },
      },
    ])
    await audit.append({
      at: now,
      actor,
      action: `plan.${action}`,
      target: plan.id,
      before: { state: plan.state },
      after: { state: next.state },
      result: 'ok',
    })
    return next
  }

  /** Freezes the membership: every device of the group is a member from now on. */
  async function enrolMembers(plan: Plan): Promise<number> {
    const group = await deps.groups.get(plan.groupId)
    let added = 0
    for await (const ids of deps.devices.ids(deps.groups.selectorOf(group), BATCH)) {
      const now = clock.now()
      added += await plans.addMembers(
        ids.map(
          (deviceId): PlanMember => ({
            id: `${plan.id}|${deviceId}`,
            planId: plan.id,
            deviceId,
            state: 'UNASSESSED',
            step: '',
            cursor: {},
            attempt: 1,
            nextAt: now,
            history: [],
            enteredAt: now,
            revision: 1,
          }),
        ),
      )
    }
    return added
  }

  async function eachMember(
    plan: Plan,
    states: MemberState[],
    work: (member: PlanMember) => Promise<void>,
  ): Promise<void> {
    let cursor: string | undefined
    do {
      const page = await plans.listMembers(plan.id, {
        states,
        limit: BATCH,
        ...(cursor === undefined ? {} : { cursor }),
      })
      for (const member of page.items) await work(member)
      cursor = page.next
    } while (cursor !== undefined)
  }

  const abortAll = (plan: Plan, actor: string) =>
    eachMember(plan, ABORTABLE, (member) => applyTo(member, 'abort', actor))

  async function act(id: string, action: PlanAction, actor: string, devices?: DeviceId[]): Promise<Plan> {
    const plan = await get(id)
    const rule = ACTIONS[action]
    if (!rule.from.includes(plan.state)) {
      throw new AppError(
        'conflict',
        `a plan that is ${plan.state} cannot ${action}; it can when it is ${rule.from.join(' or ')}`,
      )
    }
    const { reason: _reason, finishedAt: _finished, ...rest } = plan
    if (action === 'start') {
      // Members first: a cut in between leaves a draft that can be started again, not a running plan that lacks some of its devices.
      const added = await enrolMembers(plan)
      const running = await save(rest, { state: 'running', startedAt: clock.now() }, actor, action)
      log.info({ planId: id, members: added }, 'plan started')
      kick(id)
      return running
    }
    const next = await save(action === 'abort' ? plan : rest, { state: rule.to }, actor, action)
    if (action === 'abort') await abortAll(next, actor)
    if (action === 'retry') {
      const wanted = devices === undefined ? undefined : new Set(devices)
      await eachMember(next, RETRIABLE, async (member) => {
        if (wanted === undefined ? member.state !== 'INELIGIBLE' : wanted.has(member.deviceId))
          await applyTo(member, 'retry', actor)
      })
    }
    kick(id)
    return next
  }

  /** A member that moved on meanwhile takes the event in its new state or not at all. */
  async function applyTo(member: PlanMember, event: 'abort' | 'retry', actor: string): Promise<void> {
    try {
      await executor.apply(member.id, event, actor)
    } catch (error) {
      log.info(
        { memberId: member.id, event, reason: error instanceof Error ? error.message : String(error) },
        'event did not apply',
      )
    }
  }

  /** Gates and ends of a plan, then a round of the executor. */
  async function tickPlan(plan: Plan): Promise<void> {
    const counts = await plans.countByState(plan.id)
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
    const ended = ENDED.reduce((sum, state) => sum + (counts[state] ?? 0), 0)
    const unsettled = await unsettledRollbacks(plan, counts)
    if (total > 0 && ended === total && unsettled === 0) {
      await save(
        plan,
        { state: plan.state === 'aborting' ? 'aborted' : 'finished', finishedAt: clock.now() },
        'planner',
        'finish',
      )
      return
    }
    if (plan.state === 'running' && (await gateCloses(plan, counts))) {
      await save(
        plan,
        { state: 'paused', reason: `more than ${plan.settings.failureGatePercent} % of the devices failed` },
        'planner',
        'pause',
      )
      return
    }
    // An abort that was cut short is carried on.
    if (plan.state === 'aborting') await abortAll(plan, 'planner')
    await executor.tick(plan)
  }

  /** Boxes that could not be reached are no failures of the migration: they never count against the gate. */
  async function gateCloses(plan: Plan, counts: Partial<Record<MemberState, number>>): Promise<boolean> {
    if (!gateClosed(plan, counts)) return false
    const offline = (await plans.rankReasons(plan.id, 100)).filter(({ code }) => code === 'offline')
    const judged = { ...counts }
    for (const { state, count } of offline) judged[state] = Math.max(0, (judged[state] ?? 0) - count)
    return gateClosed(plan, judged)
  }

  /** ROLLED_BACK ends a device only when no further attempt is due. */
  async function unsettledRollbacks(plan: Plan, counts: Partial<Record<MemberState, number>>): Promise<number> {
    if ((counts.ROLLED_BACK ?? 0) === 0 || plan.state === 'aborting') return 0
    const page = await plans.listMembers(plan.id, { states: ['ROLLED_BACK'], limit: BATCH })
    return page.items.filter((member) => member.cursor.aborted !== true).length
  }

  async function tick(): Promise<void> {
    if (stopping) return
    const { items } = await plans.listPlans(200)
    for (const plan of items) {
      if (!['running', 'paused', 'aborting'].includes(plan.state)) continue
      await tickPlan(plan).catch((err: unknown) => {
        const expected = err instanceof AppError && err.code === 'conflict'
        if (!expected) log.error({ err, planId: plan.id }, 'plan tick failed')
      })
    }
  }

  /** A round soon, because something has changed in this process; many changes make one round. */
  function kick(planId: string): void {
    if (kicked.has(planId) || stopping) return
    kicked.add(planId)
    setTimeout(() => {
      kicked.delete(planId)
      if (stopping) return
      get(planId)
        .then((plan) => (['running', 'paused', 'aborting'].includes(plan.state) ? tickPlan(plan) : undefined))
        .catch((err: unknown) => log.debug({ err, planId }, 'plan round failed; the next tick repeats it'))
    }, 100).unref()
  }

  /** What happens to a device may be what its member waits for. */
  function onEvent(event: FeedEvent): void {
    if (event.deviceId === undefined) return
    heard.note(event)
    if (['device.connected', 'device.conflict', 'device.bound'].includes(event.type)) wakeDevice(event.deviceId)
    if (event.type === 'device.bootstrapped') regress(event.deviceId)
  }

  function wakeDevice(deviceId: DeviceId): void {
    deps.devices
      .get(deviceId)
      .then((device) => {
        const pointer = device?.migration
        if (pointer !== undefined && IN_FLIGHT.includes(pointer.state as MemberState))
          executor.wake(`${pointer.planId}|${deviceId}`)
      })
      .catch((err: unknown) => log.debug({ err, deviceId }, 'member was not woken; the next tick finds it'))
  }

  /** A migrated box that starts as new over CWMP has lost its Controller: it is CWMP's again. */
  function regress(deviceId: DeviceId): void {
    deps.devices
      .get(deviceId)
      .then(async (device) => {
        if (device?.migration?.state !== 'MIGRATED') return
        await deps.devices.commit({ deviceId, set: { owner: 'cwmp' }, newRevision: true })
        await executor.apply(`${device.migration.planId}|${deviceId}`, 'regress', 'planner', {
          code: 'bootstrap',
          text: 'the box was reset to factory settings',
        })
      })
      .catch((err: unknown) => log.warn({ err, deviceId }, 'regression was not noted'))
  }

  return {
    name: 'planner',
    async start() {
      executor.onFreed(kick)
      unsubscribe = [
        deps.bus.subscribe(onEvent),
        deps.operations.onFinished((operation) => {
          if (operation.actor.kind === 'planner') executor.wake(`${operation.actor.id}|${operation.deviceId}`)
        }),
      ]
      const { items } = await plans.listPlans(200)
      for (const plan of items) kick(plan.id)
    },
    async stop() {
      stopping = true
      for (const off of unsubscribe) off()
      await executor.stop()
    },
    async create(input, actor) {
      await deps.groups.get(input.groupId)
      const controller = { ...deps.defaults.controller, ...input.settings?.controller }
      const plan: Plan = {
        id: newId(),
        name: input.name,
        groupId: input.groupId,
        state: 'draft',
        settings: { ...deps.defaults, ...input.settings, controller },
        revision: 1,
        createdAt: clock.now(),
      }
      await plans.putPlan(plan)
      await audit.append({
        at: clock.now(),
        actor,
        action: 'plan.create',
        target: plan.id,
        after: { name: plan.name, groupId: plan.groupId },
        result: 'ok',
      })
      return plan
    },
    get,
    act,
    status: async (id) => planStatus(await get(id), plans, clock),
    async groupStatus(groupId) {
      const group = await deps.groups.get(groupId)
      const { items } = await plans.listPlans(200)
      return groupStatus(
        group,
        deps.groups.selectorOf(group),
        deps.devices,
        items.find((plan) => plan.groupId === groupId),
        plans,
        clock,
      )
    },
    async member(planId, deviceId) {
      const member = await plans.getMember(`${planId}|${deviceId}`)
      if (member === undefined) throw new AppError('notFound', 'the device is no member of this plan')
      return member
    },
    tick,
  }
}
