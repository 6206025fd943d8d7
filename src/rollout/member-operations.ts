import { defined, isConflict, type ServiceTime } from '../base/index.ts'
import {
  type Device,
  type DeviceStore,
  isFinal,
  type Operation,
  type OperationRequest,
  type Operations,
  type PathOutcome,
  type Protocol,
  READ_VERBS,
  REQUEST_BOUNDS,
} from '../domain/index.ts'
import { MustWait, StepFailed } from './failures.ts'
import type { RolloutMember, RolloutPlan } from './plan.ts'

export interface OperationDeps {
  operations: Operations
  devices: Pick<DeviceStore, 'get'>
  time: ServiceTime
}

/**
 * `tolerate`: a failed operation is a result. `more`: another operation over CWMP follows at once, and the session is
 * held for it. `bootstrapAt` and `thenRead`: as in Operation.
 */
export interface RunOptions {
  tolerate?: boolean
  more?: boolean
  bootstrapAt?: number
  thenRead?: string[]
}

/** The request or its answer was lost, and reading has shown that nothing was done. */
const LOST = new Set(['notExecuted', 'notApplied'])
const MAX_TRIES = 3
/** A script waits in place for so long for an operation; after that the end of the operation wakes the member. */
const WAIT_IN_PLACE_MS = 5000
/** In case the wake-up is lost, the operation is looked for: soon at first, then with growing pauses. */
const LOOK_AGAIN_MS = 10_000
const MAX_LOOK_AGAIN_MS = 600_000
/** Operations of others on a device are looked at again after this. */
const BUSY_MS = 5000

/** Operations of a plan member on its device. Each has a key made of member, visit and step. */
export class MemberOperations {
  readonly #plan: RolloutPlan
  readonly #member: () => RolloutMember
  readonly #deps: OperationDeps
  readonly #isNew: boolean
  /** Steps whose operations this run has asked for. */
  readonly #steps = new Set<string>()
  #informIntervalS: number | undefined

  /** `isNew`: no earlier run has asked for operations of this visit. */
  constructor(plan: RolloutPlan, member: () => RolloutMember, deps: OperationDeps, isNew: boolean) {
    this.#plan = plan
    this.#member = member
    this.#deps = deps
    this.#isNew = isNew
  }

  /**
   * Runs an operation to its end. One that got lost and is known not to have taken place is asked for again. Throws
   * StepFailed when the device refused it or did not connect in time (`tolerate` gives the result back instead), and
   * MustWait when it has not ended yet.
   */
  async run(step: string, request: OperationRequest, via: Protocol, options: RunOptions): Promise<Operation> {
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
          ? new StepFailed('offline', 'the device did not connect over CWMP in time', true)
          : new StepFailed('linkLost', `${step}: the USP link was not opened again in time`, true)
      throw new StepFailed(
        error?.code ?? ended.state,
        `${step}: ${error?.text ?? ended.state}`,
        error?.retryable ?? true,
      )
    }
  }

  /** Reads values; paths that the device does not have are not in the answer. */
  async read(
    step: string,
    paths: string[],
    via: Protocol,
    options: Pick<RunOptions, 'more'>,
  ): Promise<Map<string, PathOutcome>> {
    const operation = await this.run(step, { verb: 'get', paths }, via, { ...options, tolerate: true })
    const results = operation.result?.results ?? []
    if (results.length === 0 && operation.state === 'failed') {
      const error = operation.result?.error
      throw new StepFailed(error?.code ?? 'failed', `${step}: ${error?.text ?? 'failed'}`, error?.retryable ?? true)
    }
    return valuesByPath(results)
  }

  /**
   * Waits until no other party has a write under way on the device: it was asked for over the present owner and must
   * end before the owner changes.
   */
  async quiet(): Promise<void> {
    if (!(await this.isQuiet())) throw new MustWait('busy', BUSY_MS)
  }

  /** Resolves with true when no other party has a write under way on the device. */
  async isQuiet(): Promise<boolean> {
    return (await this.#deps.operations.open(this.#member().deviceId)).every(
      ({ actor, request }) => actor.kind === 'planner' || READ_VERBS.includes(request.verb),
    )
  }

  /** Takes the record of the device as it was just read: it need not be read again for its inform interval. */
  saw({ cwmp }: Pick<Device, 'cwmp'>): void {
    this.#informIntervalS ??= cwmp?.informIntervalS ?? 0
  }

  /**
   * Cancels the operations of this plan that still wait in the device's queue; those that were sent end by themselves,
   * before anything newer.
   */
  async cancelWaiting(): Promise<void> {
    const { operations } = this.#deps
    const actor = { kind: 'planner', id: this.#plan.id } as const
    const own = (await operations.open(this.#member().deviceId)).filter(
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

  /** True for one that expired by the wall clock while no server could hear the device: the device was not absent. */
  #expiredUnheard({ state }: Operation, name: string, patienceMs: number): boolean {
    if (state !== 'expired') return false
    const { asked } = this.#member().facts
    const waitedMs = asked?.step === name ? this.#deps.time.now() - asked.ms : 0
    return waitedMs < patienceMs / 2
  }

  async #once(
    step: string,
    request: OperationRequest,
    via: Protocol,
    patienceMs: number,
    { more, bootstrapAt, thenRead }: RunOptions,
  ): Promise<Operation> {
    const { operations, time } = this.#deps
    const member = this.#member()
    const askedMs = member.facts.asked?.step === step ? member.facts.asked.ms : time.now()
    const isNewKey = this.#isNew && !this.#steps.has(step)
    this.#steps.add(step)
    const operation = await operations.submit({
      deviceId: member.deviceId,
      request,
      via,
      actor: { kind: 'planner', id: this.#plan.id },
      idempotencyKey: `${member.id}#${member.visit}#${step}`,
      expiresInMs: patienceMs,
      ...(more === true ? { more } : {}),
      ...(isNewKey ? { isNewKey } : {}),
      ...defined({ bootstrapAt, thenRead }),
    })
    const ended = isFinal(operation) ? operation : await operations.wait(operation.id, WAIT_IN_PLACE_MS)
    if (ended === undefined || !isFinal(ended)) {
      const absent = via === 'cwmp' ? 'offline' : 'agent'
      const afterMs = Math.min(Math.max(LOOK_AGAIN_MS, time.now() - askedMs), MAX_LOOK_AGAIN_MS)
      throw new MustWait(ended?.state === 'queued' ? absent : 'operation', afterMs, { asked: { step, ms: askedMs } })
    }
    return ended
  }

  /**
   * Milliseconds for which an operation waits for the device. A CPE that cannot be asked to connect does so once per
   * inform interval: two of them are waited for, however short the plan's patience.
   */
  async #patienceMs(via: Protocol): Promise<number> {
    const { offlineTimeoutMs } = this.#plan.settings
    if (via !== 'cwmp') return offlineTimeoutMs
    const { devices } = this.#deps
    this.#informIntervalS ??= (await devices.get(this.#member().deviceId))?.cwmp?.informIntervalS ?? 0
    const intervalS = this.#informIntervalS
    return Math.min(Math.max(offlineTimeoutMs, 2 * intervalS * 1000 + 60_000), REQUEST_BOUNDS.expiresMs)
  }
}

/** Returns outcomes that have a value, by path. */
export function valuesByPath(outcomes: readonly PathOutcome[]): Map<string, PathOutcome> {
  return new Map(outcomes.filter(({ value }) => value !== undefined).map((outcome) => [outcome.path, outcome]))
}
