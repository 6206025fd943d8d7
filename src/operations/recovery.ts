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
import { settleByRecord } from './settle-by-record.ts'
import { endsByCompletion } from './verbs.ts'

/** Recurring care of operations, for the job queue. Every run is bounded; what it leaves, the next one takes. Each answers how many it changed. */
export interface Recovery {
  /** Ends queued operations whose device did not come in time. */
  expireQueued(): Promise<number>
  /** Ends accepted and lost operations that the record explains or whose time is over, also of devices that never come back. */
  endOverdue(): Promise<number>
  /** Operations that a dead instance had sent become unknown. */
  recoverOrphans(): Promise<number>
  /** Sets lost work flags again. */
  repairWorkFlags(): Promise<number>
  /** Audits the ends that a process which died had not audited yet. */
  auditOwed(): Promise<number>
  /** Asks the devices of waiting operations to come: after a restart nobody else does. Each device at most once per `wakeAgainMs`. */
  wakeWaiting(): Promise<number>
}

interface RecoveryDeps {
  store: OperationStore
  devices: DeviceStore
  instances: InstanceStore
  finisher: Finisher
  clock: Clock
  log: Log
  instance: string
  limits: OperationLimits
  /** Whether an execution of it is under way in this process. */
  isRunning(operationId: string): boolean
  /** Brings the device of a waiting operation here, unless it is. */
  bring(operation: Operation, device: Device): void
}

const BATCH = 200
const BATCHES = 25

export function createRecovery(deps: RecoveryDeps): Recovery {
  const { store, instances, finisher, clock, log, instance } = deps
  const asked = new Map<DeviceId, number>()
  const overdue: Walk = {}
  const waiting: Walk = {}
  return {
    async expireQueued() {
      let count = 0
      for (let i = 0; i < BATCHES; i++) {
        const due = await store.expired(clock.now(), BATCH)
        const ended = await Promise.all(
          // A read stays queued while it runs; it has started in time.
          due
            .filter(({ id }) => !deps.isRunning(id))
            .map((operation) => finisher.finish(operation, ['queued'], 'expired', undefined)),
        )
        count += ended.filter(Boolean).length
        if (due.length < BATCH) break
      }
      return count
    },
    endOverdue: () => endOverdue(deps, overdue),
    async recoverOrphans() {
      const alive = await instances.alive(clock.now())
      // An instance that is late with its own heartbeat is not dead.
      const count = await store.orphaned(alive.includes(instance) ? alive : [...alive, instance])
      if (count > 0) log.warn({ count }, 'operations of dead instances are to be settled')
      return count
    },
    repairWorkFlags: () => store.repairWorkFlags(),
    auditOwed: () => finisher.auditOwed(),
    wakeWaiting: () => wakeWaiting(deps, asked, waiting),
  }
}

async function endOverdue(deps: RecoveryDeps, walk: Walk): Promise<number> {
  let count = 0
  for await (const operations of batches(['sent', 'unknown'], deps, walk)) {
    const ended = await Promise.all(operations.map((operation) => endIfOverdue(operation, deps)))
    count += ended.filter(Boolean).length
  }
  return count
}

/** Where a run stopped, so that the next one goes on there: the oldest come last and must come, however many are open. */
interface Walk {
  cursor?: string | undefined
}

/** Operations in these states, batch by batch, newest first, as many as one run may look at. A run that reaches the end is over. */
async function* batches(states: OperationState[], { store }: RecoveryDeps, walk: Walk): AsyncIterable<Operation[]> {
  for (let i = 0; i < BATCHES; i++) {
    const { cursor } = walk
    const page = await store.list({ states, limit: BATCH, ...(cursor === undefined ? {} : { cursor }) })
    walk.cursor = page.next
    yield page.items
    if (page.next === undefined) return
  }
}

async function wakeWaiting(deps: RecoveryDeps, asked: Map<DeviceId, number>, walk: Walk): Promise<number> {
  const now = deps.clock.now()
  for (const [deviceId, at] of asked) if (now - at >= deps.limits.wakeAgainMs) asked.delete(deviceId)
  let count = 0
  for await (const operations of batches(['queued', 'unknown'], deps, walk)) {
    const due = operations.filter(
      ({ state, request, deviceId }) => !asked.has(deviceId) && (state === 'queued' || !endsByCompletion(request)),
    )
    const devices = await Promise.all(due.map(({ deviceId }) => deps.devices.get(deviceId)))
    for (const [i, operation] of due.entries()) {
      const device = devices[i]
      if (device === undefined || asked.has(device.id)) continue
      asked.set(device.id, now)
      deps.bring(operation, device)
      count++
    }
  }
  return count
}

async function endIfOverdue(operation: Operation, deps: RecoveryDeps): Promise<boolean> {
  // Being sent right now: whoever sends it judges it.
  if (operation.state === 'sent' && operation.result?.outcome !== 'pending') return false
  const device = (await deps.devices.get(operation.deviceId)) ?? {}
  const verdict = settleByRecord(operation, device, deps.clock.now(), deps.limits)
  if (verdict === undefined) return false
  return deps.finisher.finish(operation, ['sent', 'unknown'], verdict.state, verdict.result)
}
