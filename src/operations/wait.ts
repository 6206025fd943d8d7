import { BoundedMap, type Clock } from '../base/index.ts'
import { type DeviceId, isFinal, type Operation, type OperationStore } from '../domain/index.ts'

interface WaitDeps {
  store: Pick<OperationStore, 'get'>
  clock: Clock
  /** Longest pause between two reads of the store, in milliseconds. */
  pollMs: number
  /** Returns true while the device is in contact with this process, which then ends its operations. */
  isHere(deviceId: DeviceId): boolean
  onFinished(listener: (operation: Operation) => void): () => void
}

/** First pause before an operation is read that another instance may be ending; each further one is twice as long. */
const FIRST_POLL_MS = 250
const MAX_FRESH = 20_000

/** Waits for the end of operations: of this process by its listener, of other instances by reading the store. */
export class Waits {
  readonly #deps: WaitDeps
  /** Operations that were submitted to this process and have not ended in it, with their device; the oldest are dropped. */
  readonly #fresh = new BoundedMap<string, DeviceId>(MAX_FRESH)

  constructor(deps: WaitDeps) {
    this.#deps = deps
    deps.onFinished(({ id }) => this.#fresh.delete(id))
  }

  /** The operation was stored by this process just now. */
  submitted({ id, deviceId }: Operation): void {
    this.#fresh.set(id, deviceId)
  }

  /**
   * Resolves with the operation when it has ended, or as it is after `timeoutMs` or when `stopping` aborts; undefined
   * when there is none. A step of the wall clock does not change how long it waits.
   */
  async wait(id: string, timeoutMs: number, stopping?: AbortSignal): Promise<Operation | undefined> {
    const { store, clock, pollMs } = this.#deps
    let wake: () => void = () => undefined
    let ended: Operation | undefined
    let isOver = timeoutMs <= 0 || stopping?.aborted === true
    let growingMs = Math.min(FIRST_POLL_MS, pollMs)
    const end = () => {
      isOver = true
      wake()
    }
    const pause = (delayMs: number) =>
      new Promise<void>((resolve) => {
        const cancel = clock.after(delayMs, resolve)
        wake = () => {
          cancel()
          resolve()
        }
      })
    const cancelLimit = clock.after(timeoutMs, end)
    stopping?.addEventListener('abort', end)
    // Listens before it reads, so that an end in between is not missed.
    const leave = this.#deps.onFinished((operation) => {
      if (operation.id !== id) return
      ended = operation
      wake()
    })
    try {
      // A read of what this process stored just now shows nothing new.
      const fresh = this.#fresh.get(id)
      if (!isOver && fresh !== undefined) await pause(this.#deps.isHere(fresh) ? pollMs : growingMs)
      for (;;) {
        const operation = ended ?? (await store.get(id))
        if (operation === undefined || isFinal(operation) || isOver) return operation
        if (ended !== undefined) continue
        await pause(this.#deps.isHere(operation.deviceId) ? pollMs : growingMs)
        growingMs = Math.min(2 * growingMs, pollMs)
      }
    } finally {
      cancelLimit()
      stopping?.removeEventListener('abort', end)
      leave()
    }
  }
}
