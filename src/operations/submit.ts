import { isDeepStrictEqual } from 'node:util'
import { AppError, type Clock, type Log } from '../base/index.ts'
import { checkValue, commandUnder, type Model, type ModelName } from '../datamodel/index.ts'
import {
  type Device,
  type DeviceId,
  type DeviceStore,
  type NewEvent,
  type NewOperation,
  type Operation,
  type OperationStore,
  type Parameter,
  type ParameterStore,
  type Protocol,
  REQUEST_BOUNDS,
  withoutSecrets,
} from '../domain/index.ts'
import type { AuditEntry, AuditLog } from '../security/index.ts'
import { authorize } from './authorize.ts'
import type { OperationLimits } from './limits.ts'
import type { OperationsMetrics } from './metrics.ts'
import { type Place, Places } from './places.ts'
import { requestForAudit } from './request-for-audit.ts'
import { validate } from './validate.ts'
import { modelFor } from './validate-path.ts'
import { actorText, isTrusted, protocolOf } from './verbs.ts'

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
  model(name: ModelName): Model
  /** Work for this device is about to be stored. */
  announce(deviceId: DeviceId): void
  /** It is durable: run it, or make its device come. */
  bring(operation: Operation, device: Device): void
  /** More is asked for when this operation has ended. */
  expectMore(operationId: string): void
}

/** A key as a person gives it has 200 characters at most; who asked stands before it. */
const MAX_KEY = 300
const MAX_WARNINGS = 20

/**
 * Takes a request in: the device exists, the request makes sense, the actor may, the device's queue has room; then audited, then stored with
 * the device's work flag, then brought on its way. The audit entry comes first: nothing runs that nobody can see. A refusal is audited too.
 */
export function createSubmit(deps: SubmitDeps): (wanted: NewOperation) => Promise<Operation> {
  const places = new Places()
  return async (wanted) => {
    const operation = build(wanted, deps.newId(), deps.clock.now(), deps.limits)
    const place = places.take(wanted.deviceId, operation.id)
    try {
      return await submit(wanted, operation, place, deps)
    } finally {
      place.release()
    }
  }
}

async function submit(wanted: NewOperation, operation: Operation, place: Place, deps: SubmitDeps): Promise<Operation> {
  const [device, earlier] = await Promise.all([deps.devices.get(wanted.deviceId), askedBefore(operation, deps)])
  if (device === undefined) {
    throw new AppError('notFound', 'there is no such device', { context: { deviceId: wanted.deviceId } })
  }
  const warnings = adapt(operation, device)
  if (earlier !== undefined) return sameRequest(earlier, operation)
  warnings.push(...(await check(wanted, operation, device, place, deps)))
  if (warnings.length > 0) operation.warnings = warnings.slice(0, MAX_WARNINGS)
  await deps.audit.append(entryOf(operation, 'ok', operation.createdAt))
  deps.announce(device.id)
  const { operation: stored, created } = await deps.store.create(operation, eventOf(operation))
  if (!created) return sameRequest(stored, operation)
  if (wanted.more === true) deps.expectMore(stored.id)
  deps.metrics.submitted(stored.request.verb)
  // A pass that looked before it was stored has taken the announcement.
  deps.announce(device.id)
  deps.bring(stored, device)
  return stored
}

/** Names a command as this device has it: that of the other root is taken for its equal. Returns what is to be said of that. */
function adapt(operation: Operation, { root }: Device): string[] {
  const { request } = operation
  if (request.verb !== 'operate' || root === undefined) return []
  const command = commandUnder(root, request.command)
  if (command === request.command) return []
  operation.request = { ...request, command }
  return [`${request.command} is ${command} on this device`]
}

/** The operation that was asked for under this key before, whatever became of it. */
async function askedBefore(
  { deviceId, idempotencyKey }: Operation,
  { store }: SubmitDeps,
): Promise<Operation | undefined> {
  return idempotencyKey === undefined ? undefined : store.byKey(deviceId, idempotencyKey)
}

/**
 * The earlier one when it asks the same; AppError `conflict` when its key was used for something else. Ended ones have no secrets any more.
 * A key of the planner names a step, whose details may read differently after a restart: it gets the one of that step.
 */
function sameRequest(earlier: Operation, wanted: Operation): Operation {
  const plain = (request: Operation['request']): unknown => JSON.parse(JSON.stringify(request))
  const same = (request: Operation['request']) => isDeepStrictEqual(plain(earlier.request), plain(request))
  if (earlier.id === wanted.id || isTrusted(wanted.actor)) return earlier
  if (same(wanted.request) || same(withoutSecrets(wanted.request))) return earlier
  throw new AppError('conflict', 'this idempotency key was used for another request on this device', {
    context: { deviceId: wanted.deviceId, operationId: earlier.id },
  })
}

function build(wanted: NewOperation, id: string, now: number, limits: OperationLimits): Operation {
  const { deviceId, request, actor, via, idempotencyKey, expiresInMs = limits.expiresInMs } = wanted
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
  }
}

/** Validation, authorization and the length of the queue; a refusal is audited before it is thrown. */
async function check(
  wanted: NewOperation,
  operation: Operation,
  device: Device,
  place: Place,
  deps: SubmitDeps,
): Promise<string[]> {
  const protocol: Protocol = protocolOf(operation, device.owner) ?? device.owner
  try {
    const reported = await reportedOf(wanted, modelFor({ device, protocol, model: deps.model }), deps)
    const warnings = validate(operation.request, { device, protocol, model: deps.model, reported })
    authorize(wanted.actor, device, operation.request, wanted.via)
    await checkRoom(operation, device, place, deps)
    return warnings
  } catch (error) {
    if (error instanceof AppError) {
      await deps.audit.append({ ...entryOf(operation, 'refused', operation.createdAt), reason: error.message })
    }
    throw error
  }
}

/** What the record has of the paths of a set that the model does not know or whose value it would refuse: the box knows better. */
async function reportedOf({ deviceId, request }: NewOperation, model: Model, { parameters }: SubmitDeps) {
  if (request.verb !== 'set') return new Map<string, Parameter>()
  const unknown = request.values.flatMap(({ path, value }) => {
    const parameter = model.parameter(path)
    return parameter === undefined || checkValue(parameter, value) !== undefined ? path : []
  })
  const found = unknown.length === 0 ? [] : await parameters.getMany(deviceId, unknown.slice(0, REQUEST_BOUNDS.values))
  return new Map(found.map((parameter) => [parameter.path, parameter]))
}

/** Counts what is stored and what came before on its way there. Several servers each let one in at the same moment. */
async function checkRoom(
  operation: Operation,
  device: Device,
  { before }: Place,
  { store, limits }: SubmitDeps,
): Promise<void> {
  const max = limits.maxQueuedPerDevice
  // The flag is set in the commit that adds an operation: without it the queue is empty.
  const open = device.work.open ? await store.open(operation.deviceId, max) : []
  if (new Set([...before, ...open.map(({ id }) => id)]).size < max) return
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
