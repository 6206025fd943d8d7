import { AppError, type Clock } from '../base/index.ts'
import {
  type ConflictStore,
  type Device,
  type DeviceChange,
  type DeviceId,
  type DeviceStore,
  type Operation,
  type OperationRequest,
  type Operations,
  type PathOutcome,
  type Plan,
  type PlanMember,
  type Protocol,
  READ_VERBS,
  REQUEST_BOUNDS,
  type WaitingReason,
} from '../device/index.ts'
import type { MemberEvent, Reason } from './machine.ts'

/** How a state's script ends: with an event, or waiting for something until a time. */
export type Outcome =
  | { kind: 'event'; event: MemberEvent; reason?: Reason; evidence?: Record<string, string>; retryable?: boolean }
  | { kind: 'wait'; waiting: WaitingReason; untilMs: number; cursor?: PlanMember['cursor'] }

/** The device was deleted: there is nothing left to move or to bring back. */
export const GONE: Extract<Outcome, { kind: 'event' }> = {
  kind: 'event',
  event: 'gone',
  reason: { code: 'deviceGone', text: 'the device was deleted' },
}

/** A step that did not work. `retryable`: another attempt may. */
export class StepFailed extends Error {
  readonly reason: Reason
  readonly retryable: boolean
  constructor(code: string, text: string, retryable: boolean) {
    super(text)
    this.reason = { code, text }
    this.retryable = retryable
  }
}

/** The script has to wait; it is run again later and finds its finished steps in the cursor. */
export class MustWait extends Error {
  readonly outcome: Extract<Outcome, { kind: 'wait' }>
  constructor(waiting: WaitingReason, untilMs: number) {
    super(waiting)
    this.outcome = { kind: 'wait', waiting, untilMs }
  }
}

/** The record of the device is not there any more. */
class DeviceGone extends Error {}

/** What scripts work with. */
export interface ScriptDeps {
  devices: DeviceStore
  conflicts: ConflictStore
  operations: Operations
  clock: Clock
  newId(): string
  /** Whether the box has notified of this value over USP, to this process, lately. */
  heard(deviceId: DeviceId, path: string, value: string): boolean
}

/** The request or its answer was lost, and reading has shown that nothing was done. */
const LOST = new Set(['notExecuted', 'notApplied'])
const MAX_TRIES = 3
/** How long a script waits in place for an operation before it lets go; it is woken when the operation ends. */
const WAIT_IN_PLACE_MS = 5000
/** An operation that was let go is looked for again at the latest after this. */
const LOOK_AGAIN_MS = 10_000
/** What others do on a box is looked at again after this. */
const BUSY_MS = 5000

/**
 * One run of a state's script. Steps are named; what a step found out is kept in the member's cursor before the next one begins, and each
 * operation carries a key made of member, attempt, state and step: run again after a crash, the script goes on where it stood and no
 * operation is ever asked for twice.
 */
export class Script {
  readonly plan: Plan
  readonly deps: ScriptDeps
  #member: PlanMember
  readonly #persist: (member: PlanMember, change?: DeviceChange) => Promise<PlanMember>

  constructor(
    plan: Plan,
    member: PlanMember,
    deps: ScriptDeps,
    persist: (member: PlanMember, change?: DeviceChange) => Promise<PlanMember>,
  ) {
    this.plan = plan
    this.deps = deps
    this.#member = member
    this.#persist = persist
  }

  get member(): PlanMember {
    return this.#member
  }

  async device(): Promise<Device> {
    const device = await this.deps.devices.get(this.#member.deviceId)
    if (device === undefined) throw new DeviceGone('the device was deleted')
    return device
  }

  /** A fact that an earlier step left. */
  fact(name: string): string | undefined {
    const value = this.#member.cursor[name]
    return typeof value === 'string' ? value : undefined
  }

  /** Runs a step once; its facts are durable, with a change of the device when it makes one, before the next step begins. */
  async step(
    name: string,
    work: () => Promise<{ facts?: Record<string, string>; change?: DeviceChange }>,
  ): Promise<void> {
    const done = `${this.#member.state}.${name}`
    if (this.#member.cursor[done] === true) return
    const { facts, change } = await work()
    this.#member = await this.#persist(
      { ...this.#member, step: name, cursor: { ...this.#member.cursor, ...facts, [done]: true } },
      change,
    )
  }

  /**
   * Runs an operation to its end; one that got lost on the way and is known not to have taken place is asked for again. StepFailed when the
   * device said no or did not come in time; `tolerate` gives the result back instead.
   */
  async run(
    step: string,
    request: OperationRequest,
    via: Protocol,
    options: { tolerate?: boolean } = {},
  ): Promise<Operation> {
    for (let tries = 1; ; tries++) {
      const ended = await this.#once(tries === 1 ? step : `${step}#${tries}`, request, via)
      const error = ended.result?.error
      const lost = ended.state === 'failed' && LOST.has(error?.code ?? '')
      if (lost && tries < MAX_TRIES) continue
      if (ended.state === 'done' || (options.tolerate === true && ended.state === 'failed')) return ended
      if (ended.state === 'expired')
        throw via === 'cwmp'
          ? new StepFailed('offline', 'the device did not come over CWMP in time', true)
          : new StepFailed('linkLost', `${step}: the USP link did not come back in time`, true)
      throw new StepFailed(
        error?.code ?? ended.state,
        `${step}: ${error?.text ?? ended.state}`,
        error?.retryable ?? true,
      )
    }
  }

  async #once(step: string, request: OperationRequest, via: Protocol): Promise<Operation> {
    const { operations } = this.deps
    const member = this.#member
    const operation = await operations.submit({
      deviceId: member.deviceId,
      request,
      via,
      actor: { kind: 'planner', id: this.plan.id },
      idempotencyKey: `${member.id}#${member.attempt}#${member.state}#${step}`,
      expiresInMs: await this.#patienceMs(via),
    })
    const ended = isFinal(operation) ? operation : await operations.wait(operation.id, WAIT_IN_PLACE_MS)
    if (ended === undefined || !isFinal(ended)) {
      const absent = via === 'cwmp' ? 'offline' : 'agent'
      throw new MustWait(ended?.state === 'queued' ? absent : 'operation', LOOK_AGAIN_MS)
    }
    return ended
  }

  /** A CPE that cannot be asked to come comes by itself, once per inform interval: two of them are waited for, however short the plan's patience. */
  async #patienceMs(via: Protocol): Promise<number> {
    const { offlineTimeoutMs } = this.plan.settings
    if (via !== 'cwmp') return offlineTimeoutMs
    const intervalS = (await this.device()).cwmp?.informIntervalS ?? 0
    return Math.min(Math.max(offlineTimeoutMs, 2 * intervalS * 1000 + 60_000), REQUEST_BOUNDS.expiresMs)
  }

  /**
   * Waits until nobody else has anything under way on the box: what was asked for over the owner of then is not to meet the owner of now.
   * Reads do no harm.
   */
  async quiet(): Promise<void> {
    const others = (await this.deps.operations.open(this.#member.deviceId)).some(
      ({ actor, request }) => actor.kind !== 'planner' && !READ_VERBS.includes(request.verb),
    )
    if (others) throw new MustWait('busy', BUSY_MS)
  }

  /** Takes back what this plan still has in the device's queue; what is on its way comes to its end by itself, before anything newer. */
  async cancelWaiting(): Promise<void> {
    const { operations } = this.deps
    const actor = { kind: 'planner', id: this.plan.id } as const
    const own = (await operations.open(this.#member.deviceId)).filter(
      ({ state, actor: by }) => state === 'queued' && by.kind === actor.kind && by.id === actor.id,
    )
    for (const { id } of own) {
      try {
        await operations.cancel(id, actor)
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'conflict') throw error
      }
    }
  }

  /** Reads values; paths that the box does not have are simply not in the answer. */
  async read(step: string, paths: string[], via: Protocol): Promise<Map<string, PathOutcome>> {
    const operation = await this.run(step, { verb: 'get', paths }, via, { tolerate: true })
    const results = operation.result?.results ?? []
    if (results.length === 0 && operation.state === 'failed') {
      const error = operation.result?.error
      throw new StepFailed(error?.code ?? 'failed', `${step}: ${error?.text ?? 'failed'}`, error?.retryable ?? true)
    }
    return new Map(results.filter((result) => result.value !== undefined).map((result) => [result.path, result]))
  }
}

function isFinal(operation: Operation): boolean {
  return ['done', 'failed', 'expired', 'cancelled'].includes(operation.state)
}

/** The outcome of a thrown error: failures and waits are answers, anything else is a defect or a dead database. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof MustWait) return error.outcome
  if (error instanceof DeviceGone) return GONE
  if (error instanceof StepFailed)
    return { kind: 'event', event: 'fail', reason: error.reason, retryable: error.retryable }
  if (error instanceof AppError && error.code === 'invalid')
    return { kind: 'event', event: 'fail', reason: { code: 'invalid', text: error.message }, retryable: false }
  throw error
}
