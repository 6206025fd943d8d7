import { AppError, type Clock } from '../base/index.ts'
import {
  type Actor,
  type DeviceId,
  failedResult,
  type Operation,
  type OperationStore,
  outcomeError,
} from '../domain/index.ts'
import type { AuditLog } from '../security/index.ts'
import type { Finisher } from './finish.ts'
import { actorText } from './verbs.ts'

interface WithdrawDeps {
  store: OperationStore
  finisher: Finisher
  audit: AuditLog
  clock: Clock
  /** Gives a running execution up. */
  abort(operationId: string): void
  /** Another pass over the device: what was held up may go on. */
  again(deviceId: DeviceId): void
}

/** How a person takes an operation back, or stops waiting for it. Both are audited, refusals too. */
interface Withdraw {
  /** Ends what was not sent. AppError `conflict` for any other. */
  cancel(id: string, actor: Actor): Promise<Operation>
  /** Ends the waiting for what was sent: whoever asks takes it on that the device may still do it. AppError `conflict` for any other. */
  giveUp(id: string, actor: Actor): Promise<Operation>
}

export function createWithdraw(deps: WithdrawDeps): Withdraw {
  const { store, finisher, abort } = deps
  return {
    cancel: (id, actor) =>
      withdraw(id, actor, deps, {
        action: 'operation.cancel',
        refusal:
          'it was sent and cannot be taken back; what waits for a later word of its device can be given up (giveUp=true)',
        async end(operation) {
          const ended = await finisher.finish(operation, ['queued'], 'cancelled', undefined)
          if (ended) abort(operation.id)
          return ended
        },
      }),
    giveUp: (id, actor) =>
      withdraw(id, actor, deps, {
        action: 'operation.giveUp',
        refusal: 'only what waits for a later word of its device can be given up',
        async end(operation) {
          const { state, result } = operation
          if (state !== 'unknown' && !(state === 'sent' && result?.outcome === 'pending')) return false
          const error = outcomeError('givenUp', `given up by ${actorText(actor)}; the device may still do it`)
          const failed = failedResult(error)
          return finisher.finish(operation, ['sent', 'unknown'], 'failed', failed)
        },
      }),
  }

  async function withdraw(
    id: string,
    actor: Actor,
    { audit, clock, again }: WithdrawDeps,
    how: { action: string; refusal: string; end(operation: Operation): Promise<boolean> },
  ): Promise<Operation> {
    const operation = await store.get(id)
    if (operation === undefined) throw new AppError('notFound', 'there is no such operation')
    const ended = await how.end(operation)
    await audit.append({
      at: clock.now(),
      actor: actorText(actor),
      action: how.action,
      target: operation.deviceId,
      after: { operationId: id },
      result: ended ? 'ok' : 'refused',
    })
    if (!ended) throw new AppError('conflict', how.refusal, { context: { id, state: operation.state } })
    again(operation.deviceId)
    return (await store.get(id)) ?? operation
  }
}
