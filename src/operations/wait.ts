import type { Clock } from '../base/index.ts'
import type { Operation, OperationStore } from '../device/index.ts'
import { isFinal } from './verbs.ts'

export interface WaitDeps {
  store: OperationStore
  clock: Clock
  pollMs: number
  onFinished(listener: (operation: Operation) => void): () => void
  /** True for an operation that was submitted to this process and that has not ended here. */
  isFresh(id: string): boolean
}

/**
 * Waits for the end of operations: told at once what ends in this process, and by looking at the store now and then what another instance
 * ends. One listener and one timer per waiting caller.
 */
export function createWait(deps: WaitDeps): (id: string, timeoutMs: number) => Promise<Operation | undefined> {
  const { store, clock, pollMs } = deps
  return async (id, timeoutMs) => {
    const deadline = clock.now() + timeoutMs
    let wake: () => void = () => undefined
    let ended: Operation | undefined
    // Listens before it looks, so that an end in between is not missed.
    const leave = deps.onFinished((operation) => {
      if (operation.id !== id) return
      ended = operation
      wake()
    })
    // Of what was submitted here a moment ago the first look would tell nothing new.
    let looks = timeoutMs <= 0 || !deps.isFresh(id)
    try {
      for (; ; looks = true) {
        if (!looks && ended === undefined) await pause(Math.min(pollMs, timeoutMs))
        const operation = ended ?? (await store.get(id))
        const leftMs = deadline - clock.now()
        if (operation === undefined || isFinal(operation) || leftMs <= 0) return operation
        if (ended === undefined) await pause(Math.min(pollMs, leftMs))
      }
    } finally {
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
