import { AppError, type Clock } from '../base/index.ts'
import {
  type Actor,
  actorText,
  type Device,
  type DeviceId,
  failedResult,
  notFound,
  type Operation,
  type OperationStore,
  outcomeError,
} from '../domain/index.ts'
import type { AuditLog } from '../security/index.ts'
import { isMoving } from './authorize.ts'
import type { Finisher } from './finish.ts'

interface WithdrawDeps {
  store: OperationStore
  finisher: Finisher
  audit: AuditLog
  clock: Clock
  /** Gives a running execution up. */
  abort(operationId: string): void
  /** Requests a pass over the device: operations that waited for the end may run. */
  again(deviceId: DeviceId): void
}

/** Cancels an operation that was not sent. AppError `conflict` for any other. Refusals are audited, too. */
export function cancel(id: string, actor: Actor, deps: WithdrawDeps): Promise<Operation> {
  return withdraw(id, actor, deps, {
    action: 'operation.cancel',
    refusal: 'it was sent and cannot be cancelled; while its completion is awaited it can be given up (giveUp=true)',
    async end(operation) {
      const isEnded = await deps.finisher.finish(operation, ['queued'], 'cancelled', undefined)
      if (isEnded) deps.abort(operation.id)
      return isEnded
    },
  })
}

/**
 * Ends the wait for an operation that was sent: it fails with `givenUp`, and the caller accepts that the device may
 * still do it. AppError `conflict` for any other. Refusals are audited, too.
 */
export function giveUp(id: string, actor: Actor, deps: WithdrawDeps): Promise<Operation> {
  return withdraw(id, actor, deps, {
    action: 'operation.giveUp',
    refusal: 'only an operation whose completion is awaited can be given up',
    async end(operation) {
      const { state, result } = operation
      if (state !== 'unknown' && !(state === 'sent' && result?.outcome === 'pending')) return false
      const error = outcomeError('givenUp', `given up by ${actorText(actor)}; the device may still do it`)
      return deps.finisher.finish(operation, ['sent', 'unknown'], 'failed', failedResult(error))
    },
  })
}

async function withdraw(
  id: string,
  actor: Actor,
  { store, audit, clock, again }: WithdrawDeps,
  how: { action: string; refusal: string; end(operation: Operation): Promise<boolean> },
): Promise<Operation> {
  const operation = await store.get(id)
  if (operation === undefined) throw notFound('operation', id)
  const isEnded = await how.end(operation)
  await audit.append({
    at: clock.now(),
    actor: actorText(actor),
    action: how.action,
    target: operation.deviceId,
    after: { operationId: id },
    result: isEnded ? 'ok' : 'refused',
  })
  if (!isEnded) throw new AppError('conflict', how.refusal, { context: { id, state: operation.state } })
  again(operation.deviceId)
  return (await store.get(id)) ?? operation
}

const BATCH = 100

/**
 * Ends every open operation of a device whose record is about to be deleted, so that none of them reaches a CPE or
 * Agent that connects under the same identity later: cancelled where it was not sent, failed where it was. Resolves
 * with their number. AppError `conflict` while the device is being migrated: only the planner can undo its changes.
 */
export async function forget(
  device: Pick<Device, 'id' | 'migration'>,
  actor: Actor,
  { store, finisher, abort }: Pick<WithdrawDeps, 'store' | 'finisher' | 'abort'>,
): Promise<number> {
  if (isMoving(device))
    throw new AppError('conflict', `the device is being migrated (${device.migration?.state}); abort that first`)
  const result = failedResult(outcomeError('deviceDeleted', `the device was deleted by ${actorText(actor)}`))
  let count = 0
  for (;;) {
    const open = await store.open(device.id, BATCH)
    if (open.length === 0) return count
    for (const operation of open) {
      const isEnded =
        operation.state === 'queued'
          ? await finisher.finish(operation, ['queued'], 'cancelled', result)
          : await finisher.finish(operation, ['sent', 'unknown'], 'failed', result)
      abort(operation.id)
      if (isEnded) count++
    }
  }
}
