import type { Clock, Log } from '../base/index.ts'
import type { DeviceId, OperationStore } from '../domain/index.ts'

/**
 * A slow look for operations that this instance has sent and no longer runs: their outcome could not be stored. They become `unknown`, so that
 * any instance settles them; no other one may do so while this one lives, and their device may never come here again.
 */
interface LostSends {
  start(): void
  stop(): void
}

interface LostSendsDeps {
  store: OperationStore
  clock: Clock
  log: Log
  instance: string
  lookMs: number
  isRunning(operationId: string): boolean
  /** Another pass over the device. */
  again(deviceId: DeviceId): void
}

export function createLostSends(deps: LostSendsDeps): LostSends {
  const { store, clock, log, instance, lookMs } = deps
  let cancel: (() => void) | undefined
  /** What did not run at the last look; its outcome may have been on its way to the store. */
  let suspects = new Set<string>()

  const look = async () => {
    const idle = (await store.unanswered(instance)).filter(({ id }) => !deps.isRunning(id))
    const lost = idle.filter(({ id }) => suspects.has(id))
    suspects = new Set(idle.map(({ id }) => id))
    for (const { id, deviceId } of lost) {
      if (!(await store.markUnknown(id))) continue
      log.warn({ operationId: id, deviceId }, 'the outcome of an operation was not stored; it is to be settled')
      deps.again(deviceId)
    }
  }
  const tick = () => {
    look()
      .catch((err) => log.warn({ err }, 'the look for operations whose outcome was not stored failed'))
      .finally(() => {
        if (cancel !== undefined) cancel = clock.after(lookMs, tick)
      })
  }

  return {
    start() {
      cancel ??= clock.after(lookMs, tick)
    },
    stop() {
      cancel?.()
      cancel = undefined
    },
  }
}
