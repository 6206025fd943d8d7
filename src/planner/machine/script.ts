import { AppError, type Clock } from '../../base/index.ts'
import type {
  BridgeStore,
  ConflictStore,
  Device,
  DeviceChange,
  DeviceId,
  DeviceSnapshot,
  DeviceStore,
  LinkSecrets,
  Operation,
  OperationRequest,
  ParameterStore,
  PendingAgentStore,
  Plan,
  PlanMember,
  PlanStore,
  Protocol,
  UspLinks,
} from '../../domain/index.ts'
import {
  DeviceGone,
  type EventOutcome,
  MustWait,
  type Outcome as OutcomeOf,
  type Persist as PersistOf,
  Script as RolloutScript,
  type ScriptDeps as RolloutScriptDeps,
  type RunOptions,
  StepFailed,
  type StepResult as StepResultOf,
  type Wait as WaitOf,
} from '../../rollout/index.ts'
import type { Reason } from './machine.ts'
import { DELETED } from './missed.ts'
import type { MemberStep } from './transition.ts'

/** The changes that a step of a migration stores together with its member. */
export interface Stored {
  change?: DeviceChange
  snapshot?: DeviceSnapshot
}

/** The end of a run of a state: an event, or waiting for something until a time. */
export type Outcome = OutcomeOf<PlanMember, MemberStep>
export type Wait = WaitOf<PlanMember>
export type StepResult = StepResultOf<PlanMember, Stored>
export type Persist = PersistOf<PlanMember, Stored>

/** The outcome for a device that was deleted: there is nothing left to move or to bring back. */
export const GONE: EventOutcome<MemberStep> = { kind: 'event', ...DELETED }

/** Finds Notifies that any instance has received. */
export interface NotifyLog {
  /** The id of the newest event of the feed. */
  position(): Promise<string>
  /** True when the device has notified of this value over USP after an event id. */
  heard(deviceId: DeviceId, path: string, value: string, after: string): Promise<boolean>
}

/** The parts of the server that the scripts of a migration work with. */
export interface ScriptDeps extends RolloutScriptDeps {
  plans: Pick<PlanStore, 'snapshot'>
  devices: DeviceStore
  parameters: Pick<ParameterStore, 'getMany'>
  conflicts: ConflictStore
  links: UspLinks
  linkSecrets: Pick<LinkSecrets, 'demand' | 'ensure' | 'release'>
  pendingAgents: Pick<PendingAgentStore, 'get'>
  bridges: Pick<BridgeStore, 'get' | 'router' | 'routersOfSerial' | 'changeRouters'>
  notifies: NotifyLog
  clock: Clock
  newId(): string
}

/** One run of the script of a migration's state, with the snapshot, the secret and the Agent of its device. */
export class Script extends RolloutScript<Plan, PlanMember, Stored> {
  readonly deps: ScriptDeps
  /** The snapshot as this run has read or stored it. */
  #snapshot: { value: DeviceSnapshot | undefined } | undefined
  #linkSecret: string | undefined

  constructor(plan: Plan, member: PlanMember, deps: ScriptDeps, persist: Persist, isNew = false) {
    super(plan, member, deps, persist, isNew)
    this.deps = deps
  }

  /** Runs a step once; its results are stored before the next step begins. */
  override async step(name: string, work: () => Promise<StepResult>): Promise<void> {
    let result: StepResult = {}
    await super.step(name, async () => {
      result = await work()
      return result
    })
    if (result.snapshot !== undefined) this.#snapshot = { value: result.snapshot }
  }

  /**
   * Runs an operation to its end. A write over CWMP that names rows is not sent after a factory reset of the device,
   * because the rows were read before it.
   */
  override run(step: string, request: OperationRequest, via: Protocol, options: RunOptions = {}): Promise<Operation> {
    const { foundBootstrapAt, bootstrapAt } = this.facts
    const readAt = this.member.state === 'ROLLING_BACK' ? foundBootstrapAt : bootstrapAt
    const guarded = via === 'cwmp' && readAt !== undefined && namesRows(request)
    return super.run(step, request, via, guarded ? { ...options, bootstrapAt: readAt } : options)
  }

  /** The stored snapshot of the device; undefined when no plan has changed it since it was last as it was. */
  async snapshot(): Promise<DeviceSnapshot | undefined> {
    this.#snapshot ??= { value: await this.deps.plans.snapshot(this.member.deviceId) }
    return this.#snapshot.value
  }

  /** The secret of the device for its MTP row; from now on its links must show it. */
  async linkSecret(): Promise<string> {
    this.#linkSecret ??= await this.deps.linkSecrets.demand(this.member.deviceId)
    return this.#linkSecret
  }

  /**
   * Asks the Agent with a USP Get. answered: it did, now. byRecord: another instance holds its link, and the record
   * says that the Agent answers. silent: neither. `device`: its record, where it was just read.
   */
  async askAgent(device?: Device): Promise<'answered' | 'byRecord' | 'silent'> {
    const { usp, id } = device ?? (await this.device())
    if (usp?.linked !== true) return 'silent'
    const asked = await this.deps.links.ask(id)
    if (asked === 'elsewhere') return usp.answering === false ? 'silent' : 'byRecord'
    return asked === 'answered' ? 'answered' : 'silent'
  }

  /** True when the Agent answers, as far as this instance can tell. */
  async agentAnswers(device?: Device): Promise<boolean> {
    return (await this.askAgent(device)) !== 'silent'
  }
}

function namesRows(request: OperationRequest): boolean {
  const numbered = (path: string) => /\.\d+\./.test(path)
  if (request.verb === 'set') return request.values.some(({ path }) => numbered(path))
  if (request.verb === 'delete') return request.paths.some(numbered)
  return request.verb === 'add' && numbered(request.object)
}

/** The outcome of a thrown error. Failures and waits are outcomes; a defect or a dead database is thrown on. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof MustWait) return error.outcome
  if (error instanceof DeviceGone) return GONE
  if (error instanceof StepFailed) return failed(error.reason, error.retryable)
  if (error instanceof AppError && error.code === 'invalid')
    return failed({ code: 'invalid', text: error.message }, false)
  throw error
}

/** The event of a failed attempt; after the rollback it is tried again when that may help. */
export function failed(reason: Reason, retryable: boolean): EventOutcome<MemberStep> {
  const then = reason.code === 'offline' ? 'again' : retryable ? 'retry' : 'quarantine'
  return { kind: 'event', event: 'fail', reason, facts: { afterwards: then } }
}
