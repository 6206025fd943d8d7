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
import { type AuditLog, audited } from '../security/index.ts'
import { createExecutor, type ExecutorDeps } from './executor.ts'
import { createGate } from './gate.ts'
import type { Groups } from './groups.ts'
import { createHeard } from './heard.ts'
import { IN_FLIGHT } from './machine.ts'
import { goRound, LIVE } from './rounds.ts'
import { ownerChange } from './states/owner.ts'
import { type GroupStatus, groupStatus, type PlanStatus, planStatus } from './status.ts'
import { createSweeps, isConflict, type RetryReport } from './sweeps.ts'
import { createTurns } from './turns.ts'

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

export const PLAN_ACTIONS = ['start', 'pause', 'resume', 'abort', 'retry'] as const
export type PlanAction = (typeof PLAN_ACTIONS)[number]
type SettingsInput = Partial<Omit<PlanSettings, 'controller'>> & { controller?: Partial<PlanSettings['controller']> }

/** Plans and what moves them. */
export interface Planner extends Lifecycle {
  create(input: { name: string; groupId: string; settings?: SettingsInput }, actor: string): Promise<Plan>
  get(id: string): Promise<Plan>
  /** Name and settings; once started, where boxes are led to (`controller`, `retire`) stands. AppError `conflict` when `revision` is not the current one. */
  update(
    id: string,
    input: { name?: string; settings?: SettingsInput },
    revision: number | undefined,
    actor: string,
  ): Promise<Plan>
  /** Forgets a plan and its members; AppError `conflict` while it moves devices. */
  remove(id: string, actor: string): Promise<void>
  /** An action that has happened already is done. AppError `conflict` when it does not fit the plan's state. */
  act(id: string, action: PlanAction, actor: string): Promise<Plan>
  /** Retries these devices only, and lets the plan run. */
  retry(id: string, devices: DeviceId[], actor: string): Promise<RetryReport & { plan: Plan }>
  status(id: string): Promise<PlanStatus>
  groupStatus(groupId: string): Promise<GroupStatus>
  member(planId: string, deviceId: DeviceId): Promise<PlanMember>
  /** One round over all plans; the job queue calls it every second. */
  tick(): Promise<void>
}

const ACTIONS: Record<PlanAction, { from: Plan['state'][]; to: Plan['state']; done: Plan['state'][] }> = {
  start: { from: ['draft'], to: 'running', done: ['running'] },
  pause: { from: ['running'], to: 'paused', done: ['paused'] },
  resume: { from: ['paused'], to: 'running', done: ['running'] },
  abort: { from: ['running', 'paused', 'finished'], to: 'aborting', done: ['aborting', 'aborted'] },
  retry: { from: ['running', 'paused', 'finished', 'aborted'], to: 'running', done: [] },
}
/** Plans that are live at once are looked at so many at a time. */
const PAGE = 100
/** Many changes in this process make one round. */
const KICK_MS = 100
const MAX_TRIES = 5

export function createPlanner(deps: PlannerDeps): Planner {
  const { plans, clock, audit, newId } = deps
  const heard = createHeard()
  const executor = createExecutor({ ...deps, heard: heard.has })
  const log = deps.log.child({ part: 'planner' })
  const sweeps = createSweeps({ ...deps, executor, now: () => clock.now(), log })
  const gate = createGate(plans, clock)
  let unsubscribe: (() => void)[] = []
  const kicked = new Set<string>()
  const turns = createTurns(deps, kick)
  let stopping = false

  const get = async (id: string): Promise<Plan> => {
    const plan = await plans.getPlan(id)
    if (plan === undefined) throw new AppError('notFound', `there is no plan ${id}`)
    return plan
  }

  /** A change of state: audited, stored, told. */
  async function save(plan: Plan, changes: Partial<Plan>, actor: string, action: string): Promise<Plan> {
    const next: Plan = { ...plan, ...changes, revision: plan.revision + 1 }
    const now = clock.now()
    const entry = {
      at: now,
      actor,
      action: `plan.${action}`,
      target: plan.id,
      before: { state: plan.state },
      after: { state: next.state, ...(next.reason === undefined ? {} : { reason: next.reason }) },
    }
    await audited(audit, entry, () => plans.putPlan(next, plan.revision))
    const data = {
      from: plan.state,
      to: next.state,
      action,
      ...(next.reason === undefined ? {} : { reason: next.reason }),
    }
    await deps.appendEvents([{ type: 'plan.changed', at: now, planId: plan.id, groupId: plan.groupId, data }])
    return next
  }

  async function refuse(plan: Plan, action: string, actor: string, reason: string): Promise<never> {
    const at = clock.now()
    await audit.append({ at, actor, action: `plan.${action}`, target: plan.id, result: 'refused', reason })
    throw new AppError('conflict', reason)
  }

  /** What a person asks for does not fail on a round that changed the plan at the same moment: it is judged anew and done. */
  async function act(id: string, action: PlanAction, actor: string): Promise<Plan> {
    for (let attempt = 1; ; attempt++) {
      const plan = await get(id)
      try {
        return await actOn(plan, action, actor)
      } catch (error) {
        if (!isConflict(error) || attempt >= MAX_TRIES || (await get(id)).revision === plan.revision) throw error
      }
    }
  }

  async function actOn(plan: Plan, action: PlanAction, actor: string): Promise<Plan> {
    const { id } = plan
    const rule = ACTIONS[action]
    if (rule.done.includes(plan.state)) return plan
    if (!rule.from.includes(plan.state)) {
      const when = rule.from.join(' or ')
      return refuse(plan, action, actor, `a plan that is ${plan.state} cannot ${action}; it can when it is ${when}`)
    }
    const next = await save(without(plan, action), changesOf(action, rule.to, actor), actor, action)
    log.info({ planId: id, action, actor }, 'plan changed')
    // Small groups are enrolled when the answer is there; of large ones the first piece.
    if (action === 'start') await round(next)
    kick(id)
    return next
  }

  /** What an action leaves behind: an abort keeps the reason why it paused, any other begins anew. */
  function without(plan: Plan, action: PlanAction): Plan {
    if (action === 'abort') {
      const { sweep: _sweep, ...rest } = plan
      return rest
    }
    const { reason: _reason, finishedAt: _finished, ...rest } = plan
    return rest
  }

  function changesOf(action: PlanAction, state: Plan['state'], actor: string): Partial<Plan> {
    const now = clock.now()
    if (action === 'start') return { state, startedAt: now, gateSince: now, sweep: { kind: 'enrol', actor, after: '' } }
    if (action === 'retry') return { state, gateSince: now, sweep: { kind: 'retry', actor, after: '' } }
    if (action === 'resume') return { state, gateSince: now }
    return action === 'abort' ? { state, abortedBy: actor } : { state }
  }

  async function retriable(id: string, actor: string): Promise<Plan> {
    const plan = await get(id)
    const { from } = ACTIONS.retry
    if (from.includes(plan.state)) return plan
    const when = from.join(' or ')
    return refuse(plan, 'retry', actor, `a plan that is ${plan.state} cannot retry; it can when it is ${when}`)
  }

  async function retry(id: string, devices: DeviceId[], actor: string): Promise<RetryReport & { plan: Plan }> {
    const plan = await retriable(id, actor)
    const wanted = await sweeps.retriable(plan, devices)
    if (wanted.devices.length === 0) return { accepted: 0, refused: wanted.refused, plan }
    // Between the two no round may find a plan that runs and has nothing to do: it would end it.
    const report = await turns.alone(id, async () => {
      // The plan first: members that are taken up again need one that runs.
      const changes = { state: ACTIONS.retry.to, gateSince: clock.now() }
      const next = await save(without(await retriable(id, actor), 'retry'), changes, actor, 'retry')
      const { accepted, refused } = await sweeps.retry(next, wanted.devices, actor)
      return { accepted, refused: [...wanted.refused, ...refused], plan: next }
    })
    kick(id)
    return report
  }

  function round(plan: Plan): Promise<void> {
    return turns.round(plan.id, () =>
      goRound(plan, { ...deps, heard: heard.has, executor, sweeps, gate, save, kick }).catch((err: unknown) => {
        if (!isConflict(err)) log.error({ err, planId: plan.id }, 'plan round failed; the next one repeats it')
      }),
    )
  }

  async function tick(): Promise<void> {
    let cursor: string | undefined
    do {
      if (stopping) return
      const page = await plans.listPlans({ states: LIVE, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) })
      for (const plan of page.items) await round(plan)
      cursor = page.next
    } while (cursor !== undefined)
  }

  /** A round soon, because something has changed in this process. */
  function kick(planId: string): void {
    if (kicked.has(planId) || stopping) return
    kicked.add(planId)
    setTimeout(() => {
      kicked.delete(planId)
      if (stopping) return
      get(planId)
        .then((plan) => (LIVE.includes(plan.state) ? round(plan) : undefined))
        .catch((err: unknown) => log.debug({ err, planId }, 'plan round failed; the next tick repeats it'))
    }, KICK_MS).unref()
  }

  /** What happens to a device may be what its member waits for. */
  function onEvent(event: FeedEvent): void {
    if (event.deviceId === undefined) return
    heard.note(event)
    if (['device.connected', 'device.booted', 'device.conflict', 'device.bound'].includes(event.type))
      wakeDevice(event.deviceId)
    if (event.type === 'device.bootstrapped') regress(event.deviceId)
  }

  /** What somebody else changed at the same time is done again: no later event tells of it. */
  async function insist(work: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        if (!isConflict(error) || attempt >= MAX_TRIES) throw error
        await new Promise((resolve) => setTimeout(resolve, KICK_MS * attempt).unref())
      }
    }
  }

  function wakeDevice(deviceId: DeviceId): void {
    insist(async () => {
      const pointer = (await deps.devices.get(deviceId))?.migration
      if (pointer === undefined) return
      const memberId = `${pointer.planId}|${deviceId}`
      // A way back that was given up because the box did not come is taken up when it does.
      if (pointer.state === 'STRANDED') {
        await turns.alone(pointer.planId, async () => {
          await reopen(pointer.planId)
          await executor.apply(memberId, 'retry', 'planner')
        })
        kick(pointer.planId)
      } else if (IN_FLIGHT.includes(pointer.state as MemberState)) executor.wake(memberId)
    }).catch((err: unknown) => log.warn({ err, deviceId }, 'member was not woken'))
  }

  /** A plan that is over has work again. */
  async function reopen(planId: string): Promise<void> {
    const plan = await get(planId)
    if (LIVE.includes(plan.state)) return
    const state = plan.state === 'aborted' ? 'aborting' : 'running'
    await save(without(plan, 'resume'), { state }, 'planner', 'reopen')
  }

  /** A migrated box that starts as new over CWMP has lost its Controller: it is CWMP's again. */
  function regress(deviceId: DeviceId): void {
    insist(async () => {
      const device = await deps.devices.get(deviceId)
      if (device?.migration?.state !== 'MIGRATED') return
      const { planId } = device.migration
      const reason = { code: 'bootstrap', text: 'the box was reset to factory settings' }
      await deps.devices.commit(ownerChange(device, 'cwmp', clock.now()))
      await executor.apply(`${planId}|${deviceId}`, 'regress', 'planner', reason)
      kick(planId)
    }).catch((err: unknown) => log.warn({ err, deviceId }, 'regression was not noted'))
  }

  function settingsOf(base: PlanSettings, input: SettingsInput = {}): PlanSettings {
    return { ...base, ...input, controller: { ...base.controller, ...input.controller } }
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
    },
    async stop() {
      stopping = true
      for (const off of unsubscribe) off()
      await turns.idle()
      await executor.stop()
    },
    async create(input, actor) {
      await deps.groups.get(input.groupId)
      const plan: Plan = {
        id: newId(),
        name: input.name,
        groupId: input.groupId,
        state: 'draft',
        settings: settingsOf(deps.defaults, input.settings),
        revision: 1,
        createdAt: clock.now(),
      }
      const after = { name: plan.name, groupId: plan.groupId }
      const entry = { at: clock.now(), actor, action: 'plan.create', target: plan.id, after }
      await audited(audit, entry, () => plans.putPlan(plan))
      return plan
    },
    get,
    async update(id, input, revision, actor) {
      const plan = await get(id)
      if (revision !== undefined && revision !== plan.revision)
        throw new AppError('conflict', 'the plan has changed; read it again')
      const { controller, retire } = input.settings ?? {}
      if (plan.state !== 'draft' && (controller !== undefined || retire !== undefined))
        return refuse(plan, 'update', actor, 'controller and retire can be changed before the start only')
      const settings = settingsOf(plan.settings, input.settings)
      return save(plan, { settings, ...(input.name === undefined ? {} : { name: input.name }) }, actor, 'update')
    },
    async remove(id, actor) {
      const plan = await get(id)
      if (LIVE.includes(plan.state))
        return refuse(plan, 'delete', actor, `a plan that is ${plan.state} cannot be deleted; abort it first`)
      const before = { name: plan.name, groupId: plan.groupId, state: plan.state }
      const entry = { at: clock.now(), actor, action: 'plan.delete', target: id, before }
      await audited(audit, entry, () => plans.deletePlan(id))
    },
    act,
    retry,
    status: async (id) => planStatus(await get(id), plans, clock),
    async groupStatus(groupId) {
      const group = await deps.groups.get(groupId)
      const { items } = await plans.listPlans({ groupId, limit: 1 })
      return groupStatus(group, deps.groups.selectorOf(group), deps.devices, items[0], plans, clock)
    },
    async member(planId, deviceId) {
      const member = await plans.getMember(`${planId}|${deviceId}`)
      if (member === undefined) throw new AppError('notFound', 'the device is no member of this plan')
      return member
    },
    tick,
  }
}
