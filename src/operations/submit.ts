import { isDeepStrictEqual } from 'node:util'
import { AppError, type Clock, defined, type Log } from '../base/index.ts'
import { checkValue, commandUnder, type Model, type ModelName } from '../datamodel/index.ts'
import {
  ARCHITECTURE_PATHS,
  actorText,
  type Device,
  type DeviceId,
  type DeviceStore,
  installedPackages,
  MASK,
  type NewEvent,
  type NewOperation,
  notFound,
  type Operation,
  type OperationStore,
  PACKAGE_TABLE,
  type ParameterStore,
  type Protocol,
  REQUEST_BOUNDS,
  withoutSecrets,
} from '../domain/index.ts'
import type { AuditEntry, AuditLog } from '../security/index.ts'
import type { Alone } from './alone.ts'
import { authorize } from './authorize.ts'
import type { OperationLimits } from './limits.ts'
import { refusalWithoutSecrets, refuseMasks } from './masks.ts'
import type { OperationsMetrics } from './metrics.ts'
import { textOfFile } from './operation-files.ts'
import { requestForAudit } from './request-for-audit.ts'
import { modelFor, validate } from './validate.ts'
import { isTrusted, protocolOf } from './verbs.ts'

interface SubmitDeps {
  devices: DeviceStore
  store: OperationStore
  parameters: ParameterStore
  audit: AuditLog
  clock: Clock
  newId(): string
  log: Log
  limits: OperationLimits
  metrics: OperationsMetrics
  alone: Alone
  /** Beginnings of URLs from which MikroTik routers may load packages. */
  routerPackagePlaces: readonly string[]
  model(name: ModelName): Model
  /** Notes that an operation of the device is about to be stored, or was stored just now. */
  announce(deviceId: DeviceId): void
  /** Called with an operation that is durable; `more`: another one follows its end. */
  onStored(operation: Operation, device: Device, more: boolean): void
}

/** Characters of a key: 200 of the caller, with the name of the caller as its prefix. */
const MAX_KEY = 300
const MAX_WARNINGS = 20
/** Values below the table of packages that are looked at. */
const MAX_PACKAGE_VALUES = 1000

/** Takes requests in and stores them as operations. */
export class Submission {
  readonly #deps: SubmitDeps
  readonly #underWay = new UnderWay()

  constructor(deps: SubmitDeps) {
    this.#deps = deps
  }

  /**
   * Resolves with the operation when it is durable. The device must exist, the request be valid, the actor be allowed
   * to make it, and the queue of the device have room. It is audited before it is stored, so that nothing runs without
   * an audit entry; refusals are audited, too. AppError `notFound`, `invalid`, `forbidden`, `conflict`, `rateLimited`.
   */
  async submit(wanted: NewOperation): Promise<Operation> {
    const operation = build(wanted, this.#deps.newId(), this.#deps.clock.now(), this.#deps.limits)
    const ahead = this.#underWay.enter(operation)
    try {
      return await submit(wanted, operation, ahead, this.#deps)
    } finally {
      this.#underWay.leave(operation)
    }
  }

  /**
   * Checks a request as `submit` does, and stores nothing but the audit entry of a refusal. Resolves with the file that
   * the device would be given, its secrets masked; undefined where the request has none. AppError as of `submit`.
   */
  async preview(wanted: NewOperation): Promise<string | undefined> {
    const operation = build(wanted, this.#deps.newId(), this.#deps.clock.now(), this.#deps.limits)
    const device = await this.#deps.devices.get(wanted.deviceId)
    if (device === undefined) throw notFound('device', wanted.deviceId)
    await check(wanted, operation, device, new Set(), this.#deps)
    return textOfFile(operation.request, device, MASK)
  }
}

async function submit(
  wanted: NewOperation,
  operation: Operation,
  ahead: ReadonlySet<string>,
  deps: SubmitDeps,
): Promise<Operation> {
  const known = wanted.isNewKey === true ? undefined : earlierByKey(operation, deps)
  const [device, earlier] = await Promise.all([deps.devices.get(wanted.deviceId), known])
  if (device === undefined) throw notFound('device', wanted.deviceId)
  operation.place = device.work.seq
  const warnings = adapt(operation, device)
  if (earlier !== undefined) return sameRequest(earlier, operation)
  warnings.push(...(await check(wanted, operation, device, ahead, deps)))
  if (warnings.length > 0) operation.warnings = warnings.slice(0, MAX_WARNINGS)
  await deps.audit.append(entryOf(operation, 'ok', operation.createdAt))
  deps.announce(device.id)
  const { operation: stored, created } = await deps.store.create(operation, eventOf(operation))
  if (!created) return sameRequest(stored, operation)
  deps.metrics.submitted(stored.request.verb)
  // With the work flag down the queue was empty, and each operation that was added since has raised the number.
  if (!device.work.open && ahead.size === 0) deps.alone.note(stored, device.work.seq + 1)
  // A pass that read the queue before the insert has removed the first announcement: it is repeated.
  deps.announce(device.id)
  deps.onStored(stored, device, wanted.more === true)
  return stored
}

/**
 * Operations that are not stored yet, by device. They are counted beside the stored ones, so that the bound of a queue
 * holds for requests that arrive at the same moment: each counts those that arrived before it.
 */
class UnderWay {
  readonly #ids = new Map<DeviceId, Set<string>>()

  /** Adds an operation. Returns the ids of those of its device that were there before it. */
  enter({ deviceId, id }: Operation): ReadonlySet<string> {
    const ids = this.#ids.get(deviceId) ?? new Set()
    const before = new Set(ids)
    this.#ids.set(deviceId, ids.add(id))
    return before
  }

  leave({ deviceId, id }: Operation): void {
    const ids = this.#ids.get(deviceId)
    ids?.delete(id)
    if (ids?.size === 0) this.#ids.delete(deviceId)
  }
}

/** Replaces a command of the other root by the one of the device's root. Returns the warnings about that. */
function adapt(operation: Operation, { root }: Device): string[] {
  const { request } = operation
  if (request.verb !== 'operate' || root === undefined) return []
  const command = commandUnder(root, request.command)
  if (command === request.command) return []
  operation.request = { ...request, command }
  return [`${request.command} is ${command} on this device`]
}

/** Returns the operation that has the same idempotency key, in any state. */
async function earlierByKey(
  { deviceId, idempotencyKey }: Operation,
  { store }: SubmitDeps,
): Promise<Operation | undefined> {
  return idempotencyKey === undefined ? undefined : store.byKey(deviceId, idempotencyKey)
}

/**
 * Returns the earlier operation when its request is the same. AppError `conflict` when its key was used for another
 * request. An operation that has ended has no secrets any more. A key of the planner names a step, whose details may
 * differ after a restart: it gets the operation of that step.
 */
function sameRequest(earlier: Operation, wanted: Operation): Operation {
  const plain = (request: Operation['request']): unknown => JSON.parse(JSON.stringify(request))
  const same = (request: Operation['request']) => isDeepStrictEqual(plain(earlier.request), plain(request))
  if (earlier.id === wanted.id || isTrusted(wanted.actor)) return earlier
  if (same(wanted.request) || same(withoutSecrets(wanted.request))) return earlier
  throw new AppError('conflict', 'this idempotency key was used for another request on this device: use another key', {
    context: { deviceId: wanted.deviceId, operationId: earlier.id },
  })
}

function build(wanted: NewOperation, id: string, now: number, limits: OperationLimits): Operation {
  const { deviceId, request, actor, via, idempotencyKey, bootstrapAt, thenRead } = wanted
  const { expiresInMs = limits.expiresInMs } = wanted
  if (idempotencyKey !== undefined && (idempotencyKey === '' || idempotencyKey.length > MAX_KEY)) {
    throw new AppError('invalid', `an idempotency key has 1 to ${MAX_KEY} characters`)
  }
  if (!(expiresInMs > 0 && expiresInMs <= REQUEST_BOUNDS.expiresMs)) {
    throw new AppError('invalid', `expiresInMs is above 0 and at most ${REQUEST_BOUNDS.expiresMs}`)
  }
  return {
    id,
    deviceId,
    request,
    state: 'queued',
    actor,
    createdAt: now,
    expiresAt: now + expiresInMs,
    attempts: 0,
    ...(via === undefined ? {} : { via }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(bootstrapAt === undefined ? {} : { bootstrapAt }),
    ...(thenRead === undefined ? {} : { thenRead }),
  }
}

/** Validates, authorizes, and checks the length of the queue. Returns warnings; audits a refusal before it throws. */
async function check(
  wanted: NewOperation,
  operation: Operation,
  device: Device,
  ahead: ReadonlySet<string>,
  deps: SubmitDeps,
): Promise<string[]> {
  const protocol: Protocol = protocolOf(operation, device.owner) ?? device.owner
  try {
    const reported = await reportedOf(operation, modelFor({ device, protocol, model: deps.model }), deps)
    const router = await routerOf(wanted, device, deps)
    const warnings = validate(operation.request, {
      device,
      protocol,
      model: deps.model,
      reported,
      ...defined({ router }),
    })
    refuseMasks(wanted.actor, operation.request)
    authorize(wanted.actor, device, operation.request, wanted.via)
    await checkRoom(operation, device, ahead, deps)
    return warnings
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const refusal = refusalWithoutSecrets(error, operation.request)
    await deps.audit.append({ ...entryOf(operation, 'refused', operation.createdAt), reason: refusal.message })
    throw refusal
  }
}

/**
 * Returns what the record has of those paths of a set, and parameters behind arguments, that the model does not know or
 * whose value it refuses.
 */
async function reportedOf({ deviceId, request }: Operation, model: Model, { parameters }: SubmitDeps) {
  const unknown = valuesOf(request, model).flatMap(([path, value]) => {
    const parameter = model.parameter(path)
    return parameter === undefined || checkValue(parameter, value) !== undefined ? path : []
  })
  const found = unknown.length === 0 ? [] : await parameters.getMany(deviceId, unknown.slice(0, REQUEST_BOUNDS.values))
  return new Map(found.map((parameter) => [parameter.path, parameter]))
}

function valuesOf(request: Operation['request'], model: Model): [string, string][] {
  if (request.verb === 'set') return request.values.map(({ path, value }) => [path, value])
  if (request.verb !== 'operate') return []
  const object = request.command.replace(/\(\)$/, '.')
  // Over USP an argument is no parameter.
  if (model.parameter(`${object}DiagnosticsState`) === undefined) return []
  return Object.entries(request.input).map(([name, value]) => [object + name, value])
}

/** Returns what the record has of the packages of a router, for an upgrade: those of a bridge, or of its policy. */
async function routerOf({ deviceId, request }: NewOperation, { routerPolicy }: Device, deps: SubmitDeps) {
  if (request.verb !== 'upgrade') return undefined
  const { parameters, routerPackagePlaces: places } = deps
  const [known, table] = await Promise.all([
    parameters.getMany(deviceId, [...ARCHITECTURE_PATHS]),
    parameters.list(deviceId, PACKAGE_TABLE, MAX_PACKAGE_VALUES),
  ])
  const architecture = ARCHITECTURE_PATHS.flatMap((path) => known.find((one) => one.path === path)?.value ?? [])[0]
  return { places, architecture, installed: installedPackages(table.items) ?? routerPolicy?.packages }
}

/** Counts the stored operations and those `ahead`. Of several servers, each may accept one at the same moment. */
async function checkRoom(
  operation: Operation,
  device: Device,
  ahead: ReadonlySet<string>,
  { store, limits }: SubmitDeps,
): Promise<void> {
  const max = limits.maxQueuedPerDevice
  // The flag is set in the commit that adds an operation: without it the queue is empty.
  const open = device.work.open ? await store.open(operation.deviceId, max) : []
  if (new Set([...ahead, ...open.map(({ id }) => id)]).size < max) return
  throw new AppError('rateLimited', `the device has ${max} open operations; wait for some to end`, {
    context: { deviceId: operation.deviceId },
  })
}

function entryOf(operation: Operation, result: AuditEntry['result'], at: number): AuditEntry {
  const after: Record<string, unknown> = { operationId: operation.id, request: requestForAudit(operation.request) }
  if (operation.via !== undefined) after.via = operation.via
  return {
    at,
    actor: actorText(operation.actor),
    action: `operation.${operation.request.verb}`,
    target: operation.deviceId,
    after,
    result,
  }
}

function eventOf(operation: Operation): NewEvent {
  const data: Record<string, unknown> = { operationId: operation.id, verb: operation.request.verb }
  if (operation.warnings !== undefined) data.warnings = operation.warnings
  return { type: 'operation.queued', at: operation.createdAt, deviceId: operation.deviceId, data }
}
