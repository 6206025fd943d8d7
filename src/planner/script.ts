import { AppError, type Clock, isConflict, type ServiceTime } from '../base/index.ts'
import {
  type ConflictStore,
  type Device,
  type DeviceChange,
  type DeviceId,
  type DeviceSnapshot,
  type DeviceStore,
  FINAL_STATES,
  type LinkSecrets,
  type MemberFacts,
  type Operation,
  type OperationRequest,
  type Operations,
  type PathOutcome,
  type Plan,
  type PlanMember,
  type PlanStore,
  type Protocol,
  READ_VERBS,
  REQUEST_BOUNDS,
  type UspLinks,
  type WaitingReason,
} from '../domain/index.ts'
import type { Reason } from './machine.ts'
import type { MemberStep } from './transition.ts'

/** The end of a run of a state: an event, or waiting for something until a time. */
export type Outcome = ({ kind: 'event' } & MemberStep) | Wait

/** `afterMs`: look again after so long. Absent: an event from outside ends the wait. */
export interface Wait {
  kind: 'wait'
  waiting: WaitingReason
  afterMs?: number
  facts?: Partial<MemberFacts>
}

/** The outcome for a device that was deleted: there is nothing left to move or to bring back. */
export const GONE: Extract<Outcome, { kind: 'event' }> = {
  kind: 'event',
  event: 'gone',
  reason: { code: 'deviceGone', text: 'the device was deleted' },
}

/** A step did not work. `retryable`: another attempt may. */
export class StepFailed extends Error {
  readonly reason: Reason
  readonly retryable: boolean
  constructor(code: string, text: string, retryable: boolean) {
    super(text)
    this.reason = { code, text }
    this.retryable = retryable
  }
}

/** The script has to wait; it is run again later and finds its finished steps in the member. */
export class MustWait extends Error {
  readonly outcome: Wait
  constructor(waiting: WaitingReason, afterMs: number, facts?: Partial<MemberFacts>) {
    super(waiting)
    this.outcome = { kind: 'wait', waiting, afterMs, ...(facts === undefined ? {} : { facts }) }
  }
}

/** The record of the device does not exist any more. */
export class DeviceGone extends Error {}

/** Tells of Notifies that any instance has received. */
export interface NotifyLog {
  /** The id of the newest event of the feed. */
  position(): Promise<string>
  /** True when the device has notified of this value over USP after an event id. */
  heard(deviceId: DeviceId, path: string, value: string, after: string): Promise<boolean>
}

/** The parts of the server that scripts work with. */
export interface ScriptDeps {
  plans: Pick<PlanStore, 'snapshot'>
  devices: DeviceStore
  conflicts: ConflictStore
  operations: Operations
  links: UspLinks
  linkSecrets: Pick<LinkSecrets, 'demand' | 'ensure' | 'release'>
  notifies: NotifyLog
  clock: Clock
  time: ServiceTime
  newId(): string
}

/** Durable results of a step. */
export interface StepResult {
  facts?: Partial<MemberFacts>
  change?: DeviceChange
  snapshot?: DeviceSnapshot
}

/** Stores a member with what changes together with it, and resolves with the stored one. */
export type Persist = (before: PlanMember, after: PlanMember, result: Omit<StepResult, 'facts'>) => Promise<PlanMember>

/** `tolerate`: a failed operation is a result. `more`: another operation over CWMP follows at once, and the session is held for it. */
interface RunOptions {
  tolerate?: boolean
  more?: boolean
}

/** The request or its answer was lost, and reading has shown that nothing was done. */
const LOST = new Set(['notExecuted', 'notApplied'])
const MAX_TRIES = 3
/** A script waits in place for so long for an operation before it lets go; it is woken when the operation ends. */
const WAIT_IN_PLACE_MS = 5000
/** An operation that was let go wakes its member at its end. In case that was lost it is looked for: soon at first, then ever more rarely. */
const LOOK_AGAIN_MS = 10_000
const MAX_LOOK_AGAIN_MS = 600_000
/** Operations of others on a device are looked at again after this. */
const BUSY_MS = 5000

/** Results of derived steps are stored at the latest after this: storing renews the lease of the member. */
const STORE_MS = 15_000

/**
 * One run of a state's script. Steps are named, and each operation carries a key made of member, visit and step: run again after a crash, the
 * script goes on where it stood, and no operation is asked for twice. The results of a step are durable before the next one begins: in the
 * member, or, of a derived step, in the operations that it has asked for, which tell the same when they are asked for again.
 */
export class Script {
  readonly plan: Plan
  readonly deps: ScriptDeps
  #member: PlanMember
  readonly #persist: Persist
  #storedMs: number
  /** The snapshot as this run has read or stored it. */
  #snapshot: { value: DeviceSnapshot | undefined } | undefined
  #informIntervalS: number | undefined
  #linkSecret: string | undefined

  constructor(plan: Plan, member: PlanMember, deps: ScriptDeps, persist: Persist) {
    this.plan = plan
    this.deps = deps
    this.#member = member
    this.#persist = persist
    this.#storedMs = deps.time.now()
  }

  get member(): PlanMember {
    return this.#member
  }

  /** Facts that earlier steps found out. */
  get facts(): Readonly<MemberFacts> {
    return this.#member.facts
  }

  /** A fact that an earlier step must have left; throws when it did not, because a path made of a missing row would be wrong. */
  require<Name extends keyof MemberFacts>(name: Name): NonNullable<MemberFacts[Name]> {
    const value = this.#member.facts[name]
    if (value === undefined || value === null)
      throw new Error(`plan member ${this.#member.id} has no fact ${name} in ${this.#member.state}`)
    return value
  }

  /** The record of the device. Ends the script with the event `gone` when it was deleted. */
  async device(): Promise<Device> {
    const device = await this.deps.devices.get(this.#member.deviceId)
    if (device === undefined) throw new DeviceGone('the device was deleted')
    return device
  }

  /** The stored snapshot of the device; undefined when no plan has changed it since it was last as it was. */
  async snapshot(): Promise<DeviceSnapshot | undefined> {
    this.#snapshot ??= { value: await this.deps.plans.snapshot(this.#member.deviceId) }
    return this.#snapshot.value
  }

  /** The secret of the device for its MTP row; from now on its links must show it. */
  async linkSecret(): Promise<string> {
    this.#linkSecret ??= await this.deps.linkSecrets.demand(this.#member.deviceId)
    return this.#linkSecret
  }

  /** Runs a step once; its results are stored before the next step begins. */
  async step(name: string, work: () => Promise<StepResult>): Promise<void> {
    if (this.#member.done.includes(name)) return
    const { facts, ...rest } = await work()
    this.#member = await this.#persist(this.#member, this.#after(name, facts), rest)
    this.#storedMs = this.deps.time.now()
    if (rest.snapshot !== undefined) this.#snapshot = { value: rest.snapshot }
  }

  /**
   * Runs a step once whose facts come from its operations alone, and that changes nothing but by them: repeated, they tell the same. Its
   * facts are stored with the next step, wait or event.
   */
  async derived(name: string, work: () => Promise<Pick<StepResult, 'facts'>>): Promise<void> {
    if (this.deps.time.now() - this.#storedMs >= STORE_MS) return this.step(name, work)
    if (this.#member.done.includes(name)) return
    const { facts } = await work()
    this.#member = this.#after(name, facts)
  }

  /** The member with a step that is done. */
  #after(name: string, facts: Partial<MemberFacts> | undefined): PlanMember {
    const { asked: _asked, ...before } = this.#member.facts
    return { ...this.#member, step: name, done: [...this.#member.done, name], facts: { ...before, ...facts } }
  }

  /**
   * Runs an operation to its end; one that got lost on the way and is known not to have taken place is asked for again. StepFailed when the
   * device said no or did not come in time; `tolerate` gives the result back instead.
   */
  async run(step: string, request: OperationRequest, via: Protocol, options: RunOptions = {}): Promise<Operation> {
    for (let tries = 1; ; tries++) {
      const name = tries === 1 ? step : `${step}#${tries}`
      const patienceMs = await this.#patienceMs(via)
      const ended = await this.#once(name, request, via, patienceMs, options)
      const error = ended.result?.error
      const lost = ended.state === 'failed' && LOST.has(error?.code ?? '')
      if (tries < MAX_TRIES && (lost || this.#expiredUnheard(ended, name, patienceMs))) continue
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

  /** It expired by the wall clock while no server could hear the device: that is no absence of the device. */
  #expiredUnheard({ state }: Operation, name: string, patienceMs: number): boolean {
    if (state !== 'expired') return false
    const { asked } = this.#member.facts
    const waitedMs = asked?.step === name ? this.deps.time.now() - asked.ms : 0
    return waitedMs < patienceMs / 2
  }

  async #once(
    step: string,
    request: OperationRequest,
    via: Protocol,
    patienceMs: number,
    { more }: RunOptions,
  ): Promise<Operation> {
    const { operations, time } = this.deps
    const member = this.#member
    const askedMs = member.facts.asked?.step === step ? member.facts.asked.ms : time.now()
    const operation = await operations.submit({
      deviceId: member.deviceId,
      request,
      via,
      actor: { kind: 'planner', id: this.plan.id },
      idempotencyKey: `${member.id}#${member.visit}#${step}`,
      expiresInMs: patienceMs,
      ...(more === true ? { more } : {}),
    })
    const ended = isFinal(operation) ? operation : await operations.wait(operation.id, WAIT_IN_PLACE_MS)
    if (ended === undefined || !isFinal(ended)) {
      const absent = via === 'cwmp' ? 'offline' : 'agent'
      const afterMs = Math.min(Math.max(LOOK_AGAIN_MS, time.now() - askedMs), MAX_LOOK_AGAIN_MS)
      throw new MustWait(ended?.state === 'queued' ? absent : 'operation', afterMs, { asked: { step, ms: askedMs } })
    }
    return ended
  }

  /** A CPE that cannot be asked to come comes by itself, once per inform interval: two of them are waited for, however short the plan's patience. */
  async #patienceMs(via: Protocol): Promise<number> {
    const { offlineTimeoutMs } = this.plan.settings
    if (via !== 'cwmp') return offlineTimeoutMs
    this.#informIntervalS ??= (await this.device()).cwmp?.informIntervalS ?? 0
    const intervalS = this.#informIntervalS
    return Math.min(Math.max(offlineTimeoutMs, 2 * intervalS * 1000 + 60_000), REQUEST_BOUNDS.expiresMs)
  }

  /** Waits until nobody else has a write under way on the device: it was asked for over the present owner and must end before the owner changes. */
  async quiet(): Promise<void> {
    const others = (await this.deps.operations.open(this.#member.deviceId)).some(
      ({ actor, request }) => actor.kind !== 'planner' && !READ_VERBS.includes(request.verb),
    )
    if (others) throw new MustWait('busy', BUSY_MS)
  }

  /** Cancels the operations of this plan that still wait in the device's queue; those that were sent end by themselves, before anything newer. */
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
        if (!isConflict(error)) throw error
      }
    }
  }

  /** Reads values; paths that the device does not have are not in the answer. */
  async read(
    step: string,
    paths: string[],
    via: Protocol,
    options: Pick<RunOptions, 'more'> = {},
  ): Promise<Map<string, PathOutcome>> {
    const operation = await this.run(step, { verb: 'get', paths }, via, { ...options, tolerate: true })
    const results = operation.result?.results ?? []
    if (results.length === 0 && operation.state === 'failed') {
      const error = operation.result?.error
      throw new StepFailed(error?.code ?? 'failed', `${step}: ${error?.text ?? 'failed'}`, error?.retryable ?? true)
    }
    return new Map(results.filter((result) => result.value !== undefined).map((result) => [result.path, result]))
  }

  /**
   * Asks the Agent with a USP Get. answered: it did, now. said: another instance holds its link, and the record says that it answers. silent:
   * neither.
   */
  async askAgent(): Promise<'answered' | 'said' | 'silent'> {
    const { usp, id } = await this.device()
    if (usp?.linked !== true) return 'silent'
    const asked = await this.deps.links.ask(id)
    if (asked === 'elsewhere') return usp.answering === false ? 'silent' : 'said'
    return asked === 'answered' ? 'answered' : 'silent'
  }

  /** True when the Agent answers, as far as this instance can tell. */
  async agentAnswers(): Promise<boolean> {
    return (await this.askAgent()) !== 'silent'
  }
}

function isFinal(operation: Operation): boolean {
  return FINAL_STATES.includes(operation.state)
}

/** The outcome of a thrown error: failures and waits are answers, anything else is a defect or a dead database. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof MustWait) return error.outcome
  if (error instanceof DeviceGone) return GONE
  if (error instanceof StepFailed) return failed(error.reason, error.retryable)
  if (error instanceof AppError && error.code === 'invalid')
    return failed({ code: 'invalid', text: error.message }, false)
  throw error
}

/** The event of a failed attempt; after the rollback it is tried again when that may help. */
export function failed(reason: Reason, retryable: boolean): Extract<Outcome, { kind: 'event' }> {
  const then = reason.code === 'offline' ? 'again' : retryable ? 'retry' : 'quarantine'
  return { kind: 'event', event: 'fail', reason, facts: { afterwards: then } }
}
