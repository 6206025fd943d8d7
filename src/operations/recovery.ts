import type { Clock, Log } from '../base/index.ts'
import type {
  Device,
  DeviceId,
  DeviceStore,
  InstanceStore,
  Operation,
  OperationState,
  OperationStore,
} from '../domain/index.ts'
import type { Finisher } from './finish.ts'
import type { OperationLimits } from './limits.ts'
import { judgeByRecord } from './reconcile.ts'
import { endsByCompletion } from './verbs.ts'

interface RecoveryDeps {
  store: OperationStore
  devices: DeviceStore
  instances: InstanceStore
  finisher: Finisher
  clock: Clock
  log: Log
  instance: string
  limits: OperationLimits
  /** Returns true while an execution of the operation is under way in this process. */
  isRunning(operationId: string): boolean
  /** Requests a pass for a waiting operation, or asks its device to connect. */
  dispatch(operation: Operation, device: Device): void
}

/** A recurring job, as `JobQueue.every` takes it. */
interface RecurringJob {
  name: string
  intervalMs: number
  handler(): Promise<void>
}

const BATCH = 200
const BATCHES = 25

/**
 * The position at which a run over a list stopped; the next run continues there, so that all entries get their turn.
 */
interface Position {
  cursor?: string | undefined
}

/**
 * Recurring checks of all operations in the database, for the job queue. Each run is bounded, continues where the last
 * one stopped, and resolves with the number of operations that it changed.
 */
export class Recovery {
  readonly #deps: RecoveryDeps
  /** Devices that `wakeWaiting` asked, with the time of that. */
  readonly #asked = new Map<DeviceId, number>()
  readonly #overdue: Position = {}
  readonly #waiting: Position = {}

  constructor(deps: RecoveryDeps) {
    this.#deps = deps
  }

  /** Ends queued operations whose device was not in contact in time. */
  async expireQueued(): Promise<number> {
    const { store, clock, finisher, isRunning } = this.#deps
    let count = 0
    for (let i = 0; i < BATCHES; i++) {
      const due = await store.expired(clock.now(), BATCH)
      // A read stays queued while it runs; it began in time.
      const idle = due.filter(({ id }) => !isRunning(id))
      const ended = await Promise.all(
        idle.map((operation) => finisher.finish(operation, ['queued'], 'expired', undefined)),
      )
      count += ended.filter(Boolean).length
      if (due.length < BATCH) break
    }
    return count
  }

  /** Ends sent operations that the record explains or whose time limit has passed, also where the device stays away. */
  async endOverdue(): Promise<number> {
    let count = 0
    for await (const operations of this.#batches(['sent', 'unknown'], this.#overdue)) {
      const ended = await Promise.all(operations.map((operation) => this.#endIfOverdue(operation)))
      count += ended.filter(Boolean).length
    }
    return count
  }

  /** Marks operations that a dead instance had sent as `unknown`. */
  async recoverOrphans(): Promise<number> {
    const { store, instances, clock, log, instance } = this.#deps
    const alive = await instances.alive(clock.now())
    // An instance whose own heartbeat is late is not dead.
    const count = await store.orphaned(alive.includes(instance) ? alive : [...alive, instance])
    if (count > 0) log.warn({ count }, 'operations of dead instances are reconciled')
    return count
  }

  /** Sets work flags that were lost. */
  repairWorkFlags(): Promise<number> {
    return this.#deps.store.repairWorkFlags()
  }

  /** Audits the ends that an instance which died did not audit. */
  auditOwed(): Promise<number> {
    return this.#deps.finisher.auditOwed()
  }

  /** Asks the devices of waiting operations to connect, for example after a restart: each once per `wakeAgainMs`. */
  async wakeWaiting(): Promise<number> {
    const { clock, limits, devices, dispatch } = this.#deps
    const now = clock.now()
    for (const [deviceId, at] of this.#asked) if (now - at >= limits.wakeAgainMs) this.#asked.delete(deviceId)
    let count = 0
    for await (const operations of this.#batches(['queued', 'unknown'], this.#waiting)) {
      const due = operations.filter(
        ({ state, request, deviceId }) =>
          !this.#asked.has(deviceId) && (state === 'queued' || !endsByCompletion(request)),
      )
      const found = await Promise.all(due.map(({ deviceId }) => devices.get(deviceId)))
      for (const [i, operation] of due.entries()) {
        const device = found[i]
        if (device === undefined || this.#asked.has(device.id)) continue
        this.#asked.set(device.id, now)
        dispatch(operation, device)
        count++
      }
    }
    return count
  }

  /** Returns the checks with the interval of each. */
  jobs(): RecurringJob[] {
    const job = (name: string, intervalMs: number, run: () => Promise<number>): RecurringJob => ({
      name: `operations.${name}`,
      intervalMs,
      handler: async () => {
        await run()
      },
    })
    return [
      job('recoverOrphans', 10_000, async () => {
        const count = await this.recoverOrphans()
        if (count > 0) await this.wakeWaiting()
        return count
      }),
      job('expireQueued', 15_000, () => this.expireQueued()),
      job('endOverdue', 30_000, () => this.endOverdue()),
      job('wakeWaiting', 60_000, () => this.wakeWaiting()),
      job('repairWorkFlags', 300_000, () => this.repairWorkFlags()),
      job('auditOwed', 60_000, () => this.auditOwed()),
    ]
  }

  /** Reads operations in these states, newest first, at most `BATCHES` batches per run. */
  async *#batches(states: OperationState[], position: Position): AsyncIterable<Operation[]> {
    for (let i = 0; i < BATCHES; i++) {
      const { cursor } = position
      const page = await this.#deps.store.list({ states, limit: BATCH, ...(cursor === undefined ? {} : { cursor }) })
      position.cursor = page.next
      yield page.items
      if (page.next === undefined) return
    }
  }

  async #endIfOverdue(operation: Operation): Promise<boolean> {
    // It is under way: the instance that sends it judges it.
    if (operation.state === 'sent' && operation.result?.outcome !== 'pending') return false
    const { devices, clock, limits, finisher } = this.#deps
    const device = (await devices.get(operation.deviceId)) ?? {}
    const verdict = judgeByRecord(operation, device, clock.now(), limits)
    if (verdict === undefined) return false
    return finisher.finish(operation, ['sent', 'unknown'], verdict.state, verdict.result)
  }
}
