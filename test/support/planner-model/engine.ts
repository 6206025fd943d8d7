import { AppError } from '../../../src/base/index.ts'
import { loadModel } from '../../../src/datamodel/index.ts'
import {
  type DeviceId,
  FINAL_STATES,
  type NewOperation,
  type Operation,
  type OperationResult,
  type Operations,
  outcomeError,
  type Protocol,
  READ_VERBS,
  wasResetSince,
} from '../../../src/domain/index.ts'
import { RESET } from '../../../src/operations/pick.ts'
import { judge, readsToReconcile } from '../../../src/operations/reconcile.ts'
import { mayUseUsp } from '../../../src/operations/verbs.ts'
import type { Cpe } from './cpe.ts'
import { ENDPOINT, INTERVAL } from './data-model.ts'
import type { Server } from './server.ts'
import type { World } from './world.ts'

const model = loadModel('tr181-cwmp')

const OUTCOME_UNKNOWN = outcomeError('outcomeUnknown', 'nobody can tell', false)
const isFinal = ({ state }: Operation) => FINAL_STATES.includes(state)
const isRead = ({ request }: Operation) => READ_VERBS.includes(request.verb)

/**
 * The operations of all devices, as the engine of the server keeps and runs them: durable, in order, once. It runs over
 * sessions and links that stand; an answer that is lost is reconciled by reading, by the engine's own rules.
 */
export class Engine {
  readonly #world: World
  readonly #byId = new Map<string, Operation>()
  readonly #byKey = new Map<string, Operation>()
  readonly #open = new Map<DeviceId, Operation[]>()
  readonly #waiters = new Map<string, Set<() => void>>()
  /** Number of rows that each step of a visit has added. */
  readonly #added = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
  }

  /** The engine as one server offers it. */
  of(server: Server): Operations {
    const call = <T>(work: () => Promise<T>) => server.call(work)
    return {
      submit: (wanted) => call(async () => this.#submit(wanted)),
      get: (id) => call(async () => this.#copy(id)),
      wait: (id, timeoutMs) => call(() => this.#wait(id, timeoutMs)),
      cancel: (id) => call(async () => this.#cancel(id)),
      giveUp: (id) => call(async () => this.#cancel(id)),
      forget: (device) => call(async () => this.forget(device.id)),
      open: (deviceId) => call(async () => (this.#open.get(deviceId) ?? []).map((one) => ({ ...one }))),
      waitingFor: async () => new Map(),
      onFinished: (listener) => {
        server.finished.add(listener)
        return () => server.finished.delete(listener)
      },
    }
  }

  /** A factory reset has undone what operations did on a device. */
  undone(deviceId: DeviceId): void {
    for (const step of [...this.#added.keys()]) if (step.includes(`|${deviceId}#`)) this.#added.delete(step)
  }

  /** Ends all that is open of a device. */
  forget(deviceId: DeviceId): number {
    const open = [...(this.#open.get(deviceId) ?? [])]
    for (const operation of open) this.#finish(operation, 'cancelled', undefined, undefined)
    return open.length
  }

  /** An operation that a person has asked for, which takes its time. */
  occupy(deviceId: DeviceId, forMs: number): void {
    const now = this.#world.wallMs
    const operation: Operation = {
      id: this.#world.newId(),
      deviceId,
      request: { verb: 'set', values: [{ path: 'Device.DeviceInfo.ProvisioningCode', value: 'x' }] },
      state: 'queued',
      actor: { kind: 'apiKey', id: 'person' },
      createdAt: now,
      expiresAt: now + 86_400_000,
      attempts: 0,
    }
    this.#keep(operation)
    this.#world.after(forMs, () => this.#finish(operation, 'done', undefined, undefined))
  }

  /** Looks after operations whose time is over or whose server died, then runs what can run. */
  step(): void {
    const { wallMs } = this.#world
    for (const cpe of this.#world.cpes) {
      for (const operation of [...(this.#open.get(cpe.id) ?? [])]) {
        if (operation.state === 'queued' && operation.expiresAt <= wallMs)
          this.#finish(operation, 'expired', undefined, undefined)
        const lost = operation.state === 'sent' && !this.#world.isAlive(operation.instance ?? '')
        if (lost) operation.state = 'unknown'
      }
      this.pump(cpe)
    }
  }

  /** The next time at which an operation expires. */
  get dueMs(): number {
    let due = Number.POSITIVE_INFINITY
    const { monoMs, wallMs } = this.#world
    for (const open of this.#open.values())
      for (const { state, expiresAt } of open) if (state === 'queued') due = Math.min(due, monoMs + expiresAt - wallMs)
    return due
  }

  /** Runs the operations of a device as far as they can run now. */
  pump(cpe: Cpe): void {
    if (this.#world.databaseDown) return
    while (this.#advance(cpe)) {
      // Each step looks anew: the contacts and the queue may have changed.
    }
  }

  /** One step; false when nothing can run. */
  #advance(cpe: Cpe): boolean {
    for (const operation of this.#open.get(cpe.id) ?? []) {
      if (operation.actor.kind === 'apiKey') continue
      if (operation.state === 'sent') return false
      if (operation.state === 'unknown') return this.#reconcile(operation, cpe)
      const via = operation.via ?? 'cwmp'
      const server = this.#way(operation, cpe, via)
      // A device that was asked to come has brought a pass of its own with it.
      if (operation.state !== 'queued') return true
      if (server !== undefined) {
        this.#run(operation, cpe, via, server)
        return true
      }
      if (!isRead(operation)) return false
    }
    return false
  }

  #way(operation: Operation, cpe: Cpe, via: Protocol): Server | undefined {
    if (via === 'cwmp') return cpe.overCwmp()
    const { record } = cpe
    return record !== undefined && mayUseUsp(operation, record) ? cpe.overUsp() : undefined
  }

  #run(operation: Operation, cpe: Cpe, via: Protocol, server: Server): void {
    const { request } = operation
    if (cpe.record !== undefined && wasResetSince(operation.bootstrapAt, cpe.record))
      return this.#finish(operation, 'failed', { outcome: 'failed', results: [], error: RESET }, server)
    const read = isRead(operation)
    const lost = read ? undefined : cpe.loses.shift()
    if (!read) {
      Object.assign(operation, { state: 'sent', instance: server.id, sentVia: via, sentAt: this.#world.wallMs })
      if (request.verb === 'add') operation.baseline = { instances: cpe.model.rows(request.object) }
    }
    if (lost === 'notDone') return this.#loseAnswer(operation, cpe)
    const result = this.#withRead(cpe.model.play(request, via), operation, cpe, via)
    this.#effects(operation, result, cpe, via, server)
    if (lost === 'done') return this.#loseAnswer(operation, cpe)
    const slow = !read && this.#world.random.once(12)
    if (!slow) return this.#finish(operation, result.outcome === 'done' ? 'done' : 'failed', result, server)
    this.#world.after(this.#world.random.below(8000), () => {
      if (operation.state !== 'sent') return
      if (server.dead) operation.state = 'unknown'
      else this.#finish(operation, result.outcome === 'done' ? 'done' : 'failed', result, server)
      this.pump(cpe)
    })
  }

  /** Adds the values that are read after a success; now and then that read has no answer. */
  #withRead(result: OperationResult, { thenRead }: Operation, cpe: Cpe, via: Protocol): OperationResult {
    if (thenRead === undefined || result.outcome !== 'done' || this.#world.random.once(8)) return result
    const { results } = cpe.model.play({ verb: 'get', paths: thenRead }, via)
    return { ...result, read: results.filter(({ value }) => value !== undefined) }
  }

  #loseAnswer(operation: Operation, cpe: Cpe): void {
    operation.state = 'unknown'
    cpe.breakOff()
  }

  /** Reads the outcome of an operation whose answer was lost. */
  #reconcile(operation: Operation, cpe: Cpe): boolean {
    const server = cpe.overCwmp() ?? cpe.overUsp()
    if (server === undefined) return false
    if (isFinal(operation)) return true
    const via = cpe.session === undefined ? 'usp' : 'cwmp'
    const reads = readsToReconcile(operation).map((paths) => cpe.model.play({ verb: 'get', paths }, via))
    const verdict = reads.length === 0 ? undefined : judge(operation, reads, model, this.#world.wallMs)
    const unknown: OperationResult = { outcome: 'failed', results: [], error: OUTCOME_UNKNOWN }
    this.#finish(operation, verdict?.state ?? 'failed', verdict?.result ?? unknown, server)
    return true
  }

  /** Stores the effects of an operation beside the data model: record, feed, and the counts of this test. */
  #effects(operation: Operation, result: OperationResult, cpe: Cpe, via: Protocol, server: Server): void {
    const { request, deviceId, idempotencyKey = '' } = operation
    if (result.outcome !== 'done') return
    this.#record(result, cpe)
    const informed = cpe.model.interval
    if (informed !== String(cpe.record?.cwmp?.informIntervalS) && JSON.stringify(request).includes(INTERVAL)) {
      cpe.informSooner()
      this.#world.store({ deviceId, set: { 'cwmp.informIntervalS': Number(informed) } })
    }
    if (request.verb === 'add') {
      const step = idempotencyKey.split('#').slice(0, 3).join('#')
      const times = (this.#added.get(step) ?? 0) + 1
      this.#added.set(step, times)
      if (times > 1) this.#world.defects.push(`${step} has added ${times} rows`)
    }
    if (request.verb === 'subscribe') cpe.subscribed = request.enable
    if (request.verb !== 'set' || via !== 'usp' || !cpe.subscribed) return
    const at = this.#world.wallMs
    const changed = request.values.map(
      ({ path, value }) =>
        ({ type: 'parameter.changed', at, deviceId, protocol: 'usp', data: { path, value } }) as const,
    )
    server.say(() => void this.#world.stores.events.append(changed))
  }

  /** Stores what was read in the record, as far as plans are decided by it. */
  #record({ results }: OperationResult, { id, record }: Cpe): void {
    if (record?.readiness?.class === 'READY_STANDARD') return
    const found = results.find(({ path, value }) => path === ENDPOINT && value !== undefined)
    if (found?.value === undefined) return
    const at = { source: 'cwmp', collectedAt: this.#world.wallMs, type: 'string' } as const
    this.#world.store({ deviceId: id, parameters: [{ path: ENDPOINT, value: found.value, ...at }] })
  }

  #submit(wanted: NewOperation): Operation {
    const { deviceId, request, via, idempotencyKey, bootstrapAt, thenRead, actor, expiresInMs = 3_600_000 } = wanted
    if (!this.#world.stores.inside.devices.has(deviceId)) throw new AppError('notFound', 'there is no such device')
    // Keys of the planner begin with the member, whose id names the device.
    const key = idempotencyKey ?? this.#world.newId()
    const known = this.#byKey.get(key)
    if (known !== undefined) {
      const [before, now] = [known, { request, via }].map((one) => JSON.stringify([one.request, one.via]))
      if (before !== now) this.#world.defects.push(`${key} was ${before} and is ${now}`)
      return { ...known }
    }
    const at = this.#world.wallMs
    const operation: Operation = {
      id: this.#world.newId(),
      deviceId,
      request,
      state: 'queued',
      actor,
      createdAt: at,
      expiresAt: at + expiresInMs,
      attempts: 0,
      ...(via === undefined ? {} : { via }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(bootstrapAt === undefined ? {} : { bootstrapAt }),
      ...(thenRead === undefined ? {} : { thenRead }),
    }
    this.#byKey.set(key, operation)
    this.#keep(operation)
    const cpe = this.#world.cpe(deviceId)
    if (cpe !== undefined) this.pump(cpe)
    return { ...operation }
  }

  #keep(operation: Operation): void {
    this.#byId.set(operation.id, operation)
    const open = this.#open.get(operation.deviceId)
    if (open === undefined) this.#open.set(operation.deviceId, [operation])
    else open.push(operation)
  }

  #copy(id: string): Operation | undefined {
    const operation = this.#byId.get(id)
    return operation === undefined ? undefined : { ...operation }
  }

  #wait(id: string, timeoutMs: number): Promise<Operation | undefined> {
    const operation = this.#byId.get(id)
    if (operation === undefined || isFinal(operation)) return Promise.resolve(this.#copy(id))
    return new Promise((resolve) => {
      const done = () => {
        cancel()
        this.#waiters.get(id)?.delete(done)
        resolve(this.#copy(id))
      }
      const cancel = this.#world.after(timeoutMs, done)
      const waiters = this.#waiters.get(id) ?? new Set()
      this.#waiters.set(id, waiters.add(done))
    })
  }

  #cancel(id: string): Operation {
    const operation = this.#byId.get(id)
    if (operation?.state !== 'queued') throw new AppError('conflict', 'it was sent and cannot be taken back')
    this.#finish(operation, 'cancelled', undefined, undefined)
    return { ...operation }
  }

  #finish(
    operation: Operation,
    state: 'done' | 'failed' | 'expired' | 'cancelled',
    result: OperationResult | undefined,
    server: Server | undefined,
  ): void {
    if (isFinal(operation)) return
    operation.state = state
    if (result !== undefined) operation.result = result
    const open = (this.#open.get(operation.deviceId) ?? []).filter((one) => one !== operation)
    this.#open.set(operation.deviceId, open)
    for (const done of [...(this.#waiters.get(operation.id) ?? [])]) done()
    this.#waiters.delete(operation.id)
    const teller = server ?? this.#world.random.pick(this.#world.servers)
    if (teller?.dead === false) for (const listener of teller.finished) listener({ ...operation })
  }
}
