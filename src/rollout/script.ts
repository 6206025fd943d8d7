import { defined, type ServiceTime } from '../base/index.ts'
import type { Device, DeviceStore, Operation, OperationRequest, PathOutcome, Protocol } from '../domain/index.ts'
import { DeviceGone } from './failures.ts'
import { MemberOperations, type OperationDeps, type RunOptions, valuesByPath } from './member-operations.ts'
import type { RolloutMember, RolloutPlan } from './plan.ts'
import type { Persist } from './script-set.ts'

/** The parts of the server that every script works with. */
export interface ScriptDeps extends OperationDeps {
  devices: Pick<DeviceStore, 'get'>
  time: ServiceTime
}

/** Results of a step: facts, and what is stored together with them. */
export type StepResult<M extends RolloutMember, X extends object> = { facts?: Partial<M['facts']> } & X

/** An operation that has ended, and the values that were read after it, by path. */
interface RunAndRead {
  operation: Operation
  values: Map<string, PathOutcome>
}

/** Results of derived steps are stored at the latest after this: storing renews the lease of the member. */
const STORE_MS = 15_000

/**
 * One run of the script of a state. Steps are named, and each operation has a key made of member, visit and step: run
 * again after a crash, the script goes on where it stood, and no operation is asked for twice. The results of a step
 * are durable before the next one begins: in the member, or, of a derived step, in the operations that it has asked
 * for, which have the same results when they are asked for again.
 */
export class Script<P extends RolloutPlan, M extends RolloutMember, X extends object> {
  readonly plan: P
  #member: M
  readonly #deps: ScriptDeps
  readonly #operations: MemberOperations
  readonly #persist: Persist<M, X>
  #storedMs: number

  /** `isNew`: no run of this visit to the state was before. */
  constructor(plan: P, member: M, deps: ScriptDeps, persist: Persist<M, X>, isNew = false) {
    this.plan = plan
    this.#member = member
    this.#deps = deps
    this.#persist = persist
    this.#operations = new MemberOperations(plan, () => this.#member, deps, isNew)
    this.#storedMs = deps.time.now()
  }

  get member(): M {
    return this.#member
  }

  /** Facts that earlier steps found out. */
  get facts(): Readonly<M['facts']> {
    return fieldOf(this.#member, 'facts')
  }

  /**
   * A fact that an earlier step must have left. Throws when it did not: a path made of a missing row would be wrong.
   */
  require<Name extends keyof M['facts']>(name: Name): NonNullable<M['facts'][Name]> {
    const value = this.facts[name]
    if (value === undefined || value === null)
      throw new Error(`plan member ${this.#member.id} has no fact ${String(name)} in ${this.#member.state}`)
    return value
  }

  /** The record of the device. Throws DeviceGone when it was deleted. */
  async device(): Promise<Device> {
    const device = await this.#deps.devices.get(this.#member.deviceId)
    if (device === undefined) throw new DeviceGone('the device was deleted')
    this.#operations.saw(device)
    return device
  }

  /** Runs a step once; its results are stored before the next step begins. */
  async step(name: string, work: () => Promise<StepResult<M, X>>): Promise<void> {
    if (this.#member.done.includes(name)) return
    const result = await work()
    this.#member = await this.#persist(this.#member, this.#after(name, result.facts), result)
    this.#storedMs = this.#deps.time.now()
  }

  /**
   * Runs a step once whose facts come from its operations alone, and that changes nothing but by them: repeated, it has
   * the same results. Its facts are stored with the next step, wait or event.
   */
  async derived(name: string, work: () => Promise<StepResult<M, X>>): Promise<void> {
    if (this.#deps.time.now() - this.#storedMs >= STORE_MS) return this.step(name, work)
    if (this.#member.done.includes(name)) return
    const { facts } = await work()
    this.#member = this.#after(name, facts)
  }

  /** Runs an operation to its end; see `MemberOperations.run`. */
  run(step: string, request: OperationRequest, via: Protocol, options: RunOptions = {}): Promise<Operation> {
    return this.#operations.run(step, request, via, options)
  }

  /** Reads values; paths that the device does not have are not in the answer. */
  read(
    step: string,
    paths: string[],
    via: Protocol,
    options: Pick<RunOptions, 'more'> = {},
  ): Promise<Map<string, PathOutcome>> {
    return this.#operations.read(step, paths, via, options)
  }

  /**
   * Runs an operation and reads values after it, in one go where the device answers both; a read that had no answer is
   * asked for alone. No values: the device refused the operation, which `tolerate` allows.
   */
  async runThenRead(
    step: string,
    request: OperationRequest,
    via: Protocol,
    paths: string[],
    options: RunOptions = {},
  ): Promise<RunAndRead> {
    const operation = await this.run(step, request, via, { ...options, thenRead: paths })
    if (operation.state !== 'done') return { operation, values: new Map() }
    const read = operation.result?.read
    if (read !== undefined) return { operation, values: valuesByPath(read) }
    return { operation, values: await this.read(`read after ${step}`, paths, via, defined({ more: options.more })) }
  }

  /** Waits until no other party has a write under way on the device. */
  quiet(): Promise<void> {
    return this.#operations.quiet()
  }

  /** Resolves with true when no other party has a write under way on the device. */
  isQuiet(): Promise<boolean> {
    return this.#operations.isQuiet()
  }

  /** Cancels the operations of this plan that still wait in the device's queue. */
  cancelWaiting(): Promise<void> {
    return this.#operations.cancelWaiting()
  }

  /** The member with a step that is done. */
  #after(name: string, facts: object | undefined): M {
    const { asked: _asked, ...before } = this.#member.facts
    const next: M = { ...this.#member, step: name, done: [...this.#member.done, name] }
    next.facts = { ...before, ...facts }
    return next
  }
}

/** A field under the type that the object itself gives it. */
function fieldOf<T, K extends keyof T>(value: T, name: K): T[K] {
  return value[name]
}
