import { AppError, defined } from '../base/index.ts'
import {
  actorOf,
  actorText,
  type DeviceId,
  type DeviceStore,
  FACT_GROUPS,
  type FactGroup,
  may,
  needsConfirmation,
  notFound,
  type Operation,
  type OperationPreview,
  type OperationRequest,
  type Operations,
  type Principal,
  REQUEST_BOUNDS,
  refreshPaths,
  VERB_PERMISSION,
} from '../domain/index.ts'
import type { Confirmations } from './confirmations.ts'
import { readDevice } from './devices.ts'

/**
 * The time in which a caller waits for the end of an operation, in milliseconds, and the signal that ends the wait
 * early.
 */
interface Wait {
  timeoutMs: number | undefined
  stopping: AbortSignal
}

/** A request for an operation, as a principal makes it. */
interface Submission {
  deviceId: DeviceId
  request: OperationRequest
  idempotencyKey?: string | undefined
  expiresInMs?: number | undefined
  /** The token that confirms it. */
  confirm?: string | undefined
}

/** The parts by which a request of level L3 is confirmed. */
interface ConfirmDeps {
  operations: Pick<Operations, 'submit' | 'wait'> & OperationPreview
  confirmations: Confirmations
}

/**
 * Submits an operation and resolves with it, at once or when it has ended, as `wait` says. Idempotency keys of
 * different principals do not meet. AppError `forbidden` without the permission of the verb, and what
 * `Operations.submit` throws.
 */
export async function submitOperation(
  operations: Pick<Operations, 'submit' | 'wait'>,
  { deviceId, request, idempotencyKey: key, expiresInMs }: Submission,
  { timeoutMs, stopping }: Wait,
  by: Principal,
): Promise<Operation> {
  checkVerb(request, by)
  if (key !== undefined && key.length > REQUEST_BOUNDS.idempotencyKey)
    throw new AppError('invalid', `Idempotency-Key is longer than ${REQUEST_BOUNDS.idempotencyKey} characters`)
  const idempotencyKey = key === undefined ? undefined : `${actorText(by)}:${key}`
  const submitted = await operations.submit({
    deviceId,
    request,
    actor: actorOf(by),
    ...defined({ idempotencyKey, expiresInMs }),
  })
  if (timeoutMs === undefined) return submitted
  return (await operations.wait(submitted.id, timeoutMs, stopping)) ?? submitted
}

/**
 * Submits an operation as `submitOperation` does; one of level L3 with its token alone. Without it, the request is
 * checked, and refused with ConfirmationNeeded, which has the token for the same request.
 */
export async function submitConfirmed(
  { operations, confirmations }: ConfirmDeps,
  { confirm, ...submission }: Submission,
  wait: Wait,
  by: Principal,
): Promise<Operation> {
  const { deviceId, request, idempotencyKey, expiresInMs } = submission
  if (!needsConfirmation(request)) {
    return submitOperation(operations, submission, wait, by)
  }
  const confirmed = { actor: actorText(by), deviceId, request, idempotencyKey }
  if (confirm === undefined || !confirmations.isGood(confirm, confirmed)) {
    checkVerb(request, by)
    const preview = await operations.preview({ deviceId, request, actor: actorOf(by), ...defined({ expiresInMs }) })
    throw confirmations.refusal(confirm, confirmed, preview)
  }
  return submitOperation(
    operations,
    { ...submission, idempotencyKey: idempotencyKey ?? `confirm:${confirm}` },
    wait,
    by,
  )
}

function checkVerb({ verb }: OperationRequest, by: Principal): void {
  const permission = VERB_PERMISSION[verb]
  if (!may(by, permission))
    throw new AppError(
      'forbidden',
      `${actorText(by)} may not ${verb}: the permission ${permission} is missing; use a key that has it`,
    )
}

/**
 * Submits the reading of the live facts of a device: of some groups, by default of all of which the device has shown a
 * parameter. AppError `notFound` without such a device, and what `submitOperation` throws.
 */
export async function refreshFacts(
  { operations, devices }: { operations: Pick<Operations, 'submit' | 'wait'>; devices: Pick<DeviceStore, 'get'> },
  {
    deviceId,
    groups,
    expiresInMs,
  }: { deviceId: DeviceId; groups?: FactGroup[] | undefined } & Pick<Submission, 'expiresInMs'>,
  wait: Wait,
  by: Principal,
): Promise<Operation> {
  const device = await readDevice(devices, deviceId)
  const shown = FACT_GROUPS.filter((group) => Object.keys(device[group]?.sources ?? {}).length > 0)
  const wanted = groups ?? (shown.length === 0 ? [...FACT_GROUPS] : shown)
  const request: OperationRequest = { verb: 'get', paths: refreshPaths(device, wanted) }
  return submitOperation(operations, { deviceId, request, expiresInMs }, wait, by)
}

/** Reads an operation, at once or when it has ended, as `wait` says. AppError `notFound` when there is none. */
export async function readOperation(
  operations: Pick<Operations, 'get' | 'wait'>,
  id: string,
  { timeoutMs, stopping }: Wait,
): Promise<Operation> {
  const operation = await (timeoutMs === undefined ? operations.get(id) : operations.wait(id, timeoutMs, stopping))
  if (operation === undefined) throw notFound('operation', id)
  return operation
}
