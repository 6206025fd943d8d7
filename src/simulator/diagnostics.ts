import type { Clock } from '../base/index.ts'
import type { TreeView } from '../tree/index.ts'

/** The time that a run takes. */
const RUN_MS = 2000

/** The diagnostics that are run by a DiagnosticsState of CWMP (TR-181 IPPing). A run ends with the power. */
export class Diagnostics {
  readonly #view: TreeView
  readonly #clock: Clock
  readonly #running = new Map<string, () => void>()

  constructor(view: TreeView, clock: Clock) {
    this.#view = view
    this.#clock = clock
  }

  /** Starts the run of an object, in place of one under way; its results are written after a moment. */
  run(object: string): void {
    this.#running.get(object)?.()
    const cancel = this.#clock.after(RUN_MS, () => {
      this.#running.delete(object)
      this.#finish(object)
    })
    this.#running.set(object, cancel)
  }

  stop(): void {
    for (const cancel of this.#running.values()) cancel()
    this.#running.clear()
  }

  /** Writes the results beside DiagnosticsState, and that at last. A run that was cancelled has none. */
  #finish(object: string): void {
    const view = this.#view
    if (view.get(`${object}DiagnosticsState`) !== 'Requested') return
    const put = (name: string, value: string) => {
      if (view.get(object + name) !== undefined) view.tree.put(view.toCanonical(object + name), value)
    }
    const unknownHost = view.get(`${object}Host`)?.endsWith('.invalid') === true
    const repetitions = view.get(`${object}NumberOfRepetitions`) ?? '1'
    put('SuccessCount', unknownHost ? '0' : repetitions)
    put('FailureCount', unknownHost ? repetitions : '0')
    put('AverageResponseTime', unknownHost ? '0' : '12')
    put('DiagnosticsState', unknownHost ? 'Error_CannotResolveHostName' : 'Complete')
  }
}
