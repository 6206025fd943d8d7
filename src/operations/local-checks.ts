import type { Clock, Log } from '../base/index.ts'
import type { DeviceId, DeviceStore, Operation, OperationStore } from '../domain/index.ts'
import type { Contacts } from './contacts.ts'
import type { OperationLimits } from './limits.ts'
import type { Passes } from './passes.ts'

/** Repeats a task, with a pause after each run, until it is stopped. */
class Repeated {
  readonly #task: () => Promise<void>
  readonly #pauseMs: number
  readonly #clock: Clock
  readonly #onError: (err: unknown) => void
  #cancel: (() => void) | undefined

  constructor(task: () => Promise<void>, pauseMs: number, clock: Clock, onError: (err: unknown) => void) {
    this.#task = task
    this.#pauseMs = pauseMs
    this.#clock = clock
    this.#onError = onError
  }

  start(): void {
    this.#cancel ??= this.#clock.after(this.#pauseMs, () => this.#run())
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #run(): void {
    this.#task()
      .catch(this.#onError)
      .finally(() => {
        if (this.#cancel !== undefined) this.#cancel = this.#clock.after(this.#pauseMs, () => this.#run())
      })
  }
}

interface LinkCheckDeps {
  contacts: Contacts
  devices: DeviceStore
  passes: Passes
  clock: Clock
  log: Log
  limits: Pick<OperationLimits, 'linkCheckMs' | 'linkCheckCount'>
}

/**
 * The check of the links of this instance: requests a pass for each link whose device has the work flag. So operations
 * that another instance stored, or that a restart or a failed pass left, reach their device without a message between
 * instances.
 */
export class LinkCheck {
  readonly #deps: LinkCheckDeps
  readonly #repeated: Repeated

  constructor(deps: LinkCheckDeps) {
    this.#deps = deps
    this.#repeated = new Repeated(
      () => this.#check(),
      deps.limits.linkCheckMs,
      deps.clock,
      (err) => deps.log.warn({ err }, 'the check of the links for waiting operations failed'),
    )
  }

  start(): void {
    this.#repeated.start()
  }

  stop(): void {
    this.#repeated.stop()
  }

  async #check(): Promise<void> {
    const { contacts, devices, passes, limits } = this.#deps
    const idle = contacts.nextLasting(limits.linkCheckCount).filter((deviceId) => !passes.isActive(deviceId))
    for (const deviceId of await devices.withOpenWork(idle)) passes.request(deviceId)
  }
}

interface LostSendsDeps {
  store: OperationStore
  clock: Clock
  log: Log
  instance: string
  pauseMs: number
  isRunning(operationId: string): boolean
  /** Requests a pass over the device. */
  again(deviceId: DeviceId): void
}

/**
 * The check for operations that this instance sent and does not run any more, because their outcome could not be
 * stored. They become `unknown`, so that any instance may reconcile them: the device may connect to another one.
 */
export class LostSends {
  readonly #deps: LostSendsDeps
  readonly #repeated: Repeated
  /** Operations that did not run at the last check. Their outcome may have been on its way to the store. */
  #suspects = new Set<string>()

  constructor(deps: LostSendsDeps) {
    this.#deps = deps
    this.#repeated = new Repeated(
      () => this.#check(),
      deps.pauseMs,
      deps.clock,
      (err) => deps.log.warn({ err }, 'the check for operations whose outcome was not stored failed'),
    )
  }

  start(): void {
    this.#repeated.start()
  }

  stop(): void {
    this.#repeated.stop()
  }

  async #check(): Promise<void> {
    const { store, log, instance, isRunning, again } = this.#deps
    const idle = (await store.unanswered(instance)).filter(({ id }) => !isRunning(id))
    const lost = idle.filter(({ id }) => this.#suspects.has(id))
    this.#suspects = new Set(idle.map(({ id }) => id))
    for (const { id, deviceId } of lost) {
      if (!(await store.markUnknown(id))) continue
      log.warn({ operationId: id, deviceId }, 'the outcome of an operation was not stored; it is read from the device')
      again(deviceId)
    }
  }
}

/** Operations that expire within this time get a timer; recovery.ts ends the others, some seconds late. */
const SOON_MS = 120_000
const MAX_TIMERS = 1000

/** Timers of operations that expire soon. `expire` ends what has expired; `expiresAt` is a time of the wall clock. */
export class Expiries {
  readonly #clock: Clock
  readonly #expire: () => void
  readonly #timers = new Map<string, () => void>()

  constructor(clock: Clock, expire: () => void) {
    this.#clock = clock
    this.#expire = expire
  }

  expect({ id, expiresAt }: Operation): void {
    const leftMs = expiresAt - this.#clock.now()
    if (leftMs > SOON_MS || this.#timers.size >= MAX_TIMERS) return
    this.#timers.get(id)?.()
    const cancel = this.#clock.after(Math.max(leftMs, 0) + 1, () => {
      this.#timers.delete(id)
      this.#expire()
    })
    this.#timers.set(id, cancel)
  }

  stop(): void {
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }
}
