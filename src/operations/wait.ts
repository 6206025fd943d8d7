import type { Clock } from '../base/index.ts'
import type { DeviceId, Operation, OperationStore } from '../domain/index.ts'
import { isFinal } from './verbs.ts'

interface WaitDeps {
  store: OperationStore
  clock: Clock
  pollMs: number
  /** True while the device is in contact with this process, which then ends its operations. */
  isHere(deviceId: DeviceId): boolean
  onFinished(listener: (operation: Operation) => void): () => void
  /** True for an operation that was submitted to this process and that has not ended here. */
  isFresh(id: string): boolean
}

/** The first pause before a look at an operation that another instance may be ending; each further one is twice as long. */
const FIRST_POLL_MS = 250

/**
 * Waits for the end of operations: told at once what ends in this process, and by looking at the store now and then what another instance
 * ends, soon at first when the device is not here. No step of the wall clock changes how long it waits. `stopping` ends the waiting at once,
 * with the operation as it stands.
 */
export function createWait(
  deps: WaitDeps,
): (id: string, timeoutMs: number, stopping?: AbortSignal) => Promise<Operation | undefined> {
  const { store, clock, pollMs } = deps
  return async (id, timeoutMs, stopping) => {
    let wake: () => void = () => undefined
    let ended: Operation | undefined
    let isOver = timeoutMs <= 0 || stopping?.aborted === true
    let growingMs = Math.min(FIRST_POLL_MS, pollMs)
    const end = () => {
      isOver = true
      wake()
    }
    const cancelLimit = clock.after(timeoutMs, end)
    stopping?.addEventListener('abort', end)
    // Listens before it looks, so that an end in between is not missed.
    const leave = deps.onFinished((operation) => {
      if (operation.id !== id) return
      ended = operation
      wake()
    })
    try {
      // Of what was submitted here a moment ago the first look would tell nothing new.
      if (!isOver && deps.isFresh(id)) await pause(growingMs)
      for (;;) {
        const operation = ended ?? (await store.get(id))
        if (operation === undefined || isFinal(operation) || isOver) return operation
        if (ended !== undefined) continue
        await pause(deps.isHere(operation.deviceId) ? pollMs : growingMs)
        growingMs = Math.min(2 * growingMs, pollMs)
      }
    } finally {
      cancelLimit()
      stopping?.removeEventListener('abort', end)
      leave()
    }

    function pause(delayMs: number): Promise<void> {
      return new Promise((resolve) => {
        const cancel = clock.after(delayMs, resolve)
        wake = () => {
          cancel()
          resolve()
        }
      })
    }
  }
}
