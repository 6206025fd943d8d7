import { AppError } from '../base/index.ts'
import { type Actor, type Device, failedResult, type OperationStore, outcomeError } from '../domain/index.ts'
import { isMoving } from './authorize.ts'
import type { Finisher } from './finish.ts'
import { actorText } from './verbs.ts'

interface ForgetDeps {
  store: OperationStore
  finisher: Finisher
  /** Gives a running execution up. */
  abort(operationId: string): void
}

const BATCH = 100

/**
 * Ends every open operation of a device whose record is about to be deleted, so that nothing of it reaches a box that comes again under the
 * same identity: cancelled where it was not sent, failed where it was. Answers how many. AppError `conflict` while the device is being
 * migrated: only the planner can undo what it has changed in the box.
 */
export async function forget(
  device: Pick<Device, 'id' | 'migration'>,
  actor: Actor,
  { store, finisher, abort }: ForgetDeps,
): Promise<number> {
  if (isMoving(device))
    throw new AppError('conflict', `the device is being migrated (${device.migration?.state}); abort that first`)
  const error = outcomeError('deviceDeleted', `the device was deleted by ${actorText(actor)}`)
  let count = 0
  for (;;) {
    const open = await store.open(device.id, BATCH)
    if (open.length === 0) return count
    for (const operation of open) {
      const result = failedResult(error)
      const ended =
        operation.state === 'queued'
          ? await finisher.finish(operation, ['queued'], 'cancelled', result)
          : await finisher.finish(operation, ['sent', 'unknown'], 'failed', result)
      abort(operation.id)
      if (ended) count++
    }
  }
}
