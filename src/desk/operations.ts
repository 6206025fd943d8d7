import { AppError, defined } from '../base/index.ts'
import {
  actorOf,
  actorText,
  type DeviceId,
  may,
  notFound,
  type Operation,
  type OperationRequest,
  type Operations,
  type Principal,
  REQUEST_BOUNDS,
  VERB_PERMISSION,
} from '../domain/index.ts'

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
  const permission = VERB_PERMISSION[request.verb]
  if (!may(by, permission))
    throw new AppError(
      'forbidden',
      `${actorText(by)} may not ${request.verb}: the permission ${permission} is missing; use a key that has it`,
    )
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
