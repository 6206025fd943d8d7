import { AppError, type Lifecycle } from '../base/index.ts'
import type {
  Actor,
  Completion,
  Contact,
  Device,
  DeviceId,
  Driver,
  NewOperation,
  Operation,
  OperationPreview,
  Operations,
  Protocol,
  Upward,
} from '../domain/index.ts'
import { complete } from './completion.ts'
import { createParts, type OperationsDeps, type Parts } from './parts.ts'
import type { Recovery } from './recovery.ts'
import { waitingForAll } from './waiting-for.ts'
import { cancel, forget, giveUp } from './withdraw.ts'

/** Open operations of a device that `open` returns. */
const MAX_OPEN = 1000

/**
 * The engine for protocol-neutral verbs: `Operations` for the API and the planner, `Upward` for the protocols. Nothing
 * runs before the first contact or `start`.
 */
export class OperationsEngine implements Operations, OperationPreview, Upward, Lifecycle {
  readonly name = 'operations'
  readonly #stopping = new AbortController()
  readonly #parts: Parts

  constructor(deps: OperationsDeps) {
    this.#parts = createParts(deps, this.#stopping.signal)
  }

  /** The recurring checks of all operations, for the job queue. */
  get recovery(): Recovery {
    return this.#parts.recovery
  }

  /** Sets the drivers that ask absent devices to connect. They exist later than the engine, because they need it. */
  setDrivers(drivers: readonly Driver[]): void {
    this.#parts.waker.setDrivers(drivers)
  }

  async submit(wanted: NewOperation): Promise<Operation> {
    if (this.#stopping.signal.aborted) throw new AppError('unavailable', 'the server is stopping; try again later')
    return this.#parts.submission.submit(wanted)
  }

  preview(wanted: NewOperation): Promise<string | undefined> {
    return this.#parts.submission.preview(wanted)
  }

  async get(id: string): Promise<Operation | undefined> {
    return this.#withSends(await this.#parts.store.get(id))
  }

  async wait(id: string, timeoutMs: number, stopping?: AbortSignal): Promise<Operation | undefined> {
    return this.#withSends(await this.#parts.waits.wait(id, timeoutMs, stopping))
  }

  cancel(id: string, actor: Actor): Promise<Operation> {
    return cancel(id, actor, this.#parts)
  }

  giveUp(id: string, actor: Actor): Promise<Operation> {
    return giveUp(id, actor, this.#parts)
  }

  forget(device: Pick<Device, 'id' | 'migration'>, actor: Actor): Promise<number> {
    return forget(device, actor, this.#parts)
  }

  open(deviceId: DeviceId): Promise<Operation[]> {
    return this.#parts.store.open(deviceId, MAX_OPEN)
  }

  waitingFor(operations: readonly Operation[]): Promise<ReadonlyMap<string, string>> {
    return waitingForAll(operations, this.#parts)
  }

  onFinished(listener: (operation: Operation) => void): () => void {
    return this.#parts.finisher.onFinished(listener)
  }

  contact(contact: Contact): Promise<void> {
    return this.#parts.dispatch.contact(contact)
  }

  /** Calls back with the device and protocol of each new contact; the returned function ends that. */
  onContact(listener: (deviceId: DeviceId, protocol: Protocol) => void): () => void {
    return this.#parts.dispatch.onContact(listener)
  }

  hasNews(deviceId: DeviceId): boolean {
    // An engine that stops runs nothing more, so no session is kept for it.
    return !this.#stopping.signal.aborted && this.#parts.news.has(deviceId)
  }

  factsDue(device: Device): boolean {
    return !this.#stopping.signal.aborted && this.#parts.factRefresh.isDue(device, 'cwmp')
  }

  completed(completion: Completion): Promise<void> {
    return complete(completion, this.#parts)
  }

  async start(): Promise<void> {
    const { linkCheck, lostSends, background, recovery } = this.#parts
    linkCheck.start()
    lostSends.start()
    // Takes up what the process before this one left, without a wait for the first run of the jobs.
    background.run('recover', async () => {
      await recovery.recoverOrphans()
      await recovery.repairWorkFlags()
      if (!this.#stopping.signal.aborted) await recovery.wakeWaiting()
    })
  }

  /** Lets running executions end for `stopMs`, then gives them up. */
  async stop(): Promise<void> {
    const { linkCheck, lostSends, waker, expiries, executor, passes, background, clock, limits } = this.#parts
    this.#stopping.abort()
    linkCheck.stop()
    lostSends.stop()
    waker.stop()
    expiries.stop()
    const cancelLimit = clock.after(limits.stopMs, () => executor.abortAll())
    await passes.idle()
    cancelLimit()
    await background.idle()
  }

  /** Adds the number of sends of a read, which the store does not count while it is under way. */
  #withSends(operation: Operation | undefined): Operation | undefined {
    return operation === undefined ? undefined : { ...operation, attempts: this.#parts.attempts.sends(operation) }
  }
}
