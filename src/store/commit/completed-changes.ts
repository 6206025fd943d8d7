import type { ChangeCompletion, DeviceChange } from '../../domain/index.ts'
import type { DerivedFields } from './derived-fields.ts'
import type { TreeBounds } from './tree-bounds.ts'

/**
 * The way of each change of a device to its write: completed by the room that maps, then by the fields that follow from
 * its parameters, then held within the bounds.
 */
export class CompletedChanges implements ChangeCompletion {
  readonly #derived: DerivedFields
  readonly #bounds: TreeBounds
  #completion: ChangeCompletion | undefined

  constructor(derived: DerivedFields, bounds: TreeBounds) {
    this.#derived = derived
    this.#bounds = bounds
  }

  completeBy(completion: ChangeCompletion): void {
    this.#completion = completion
  }

  around<T>(change: DeviceChange, write: (completed: DeviceChange) => Promise<T>): Promise<T> {
    const bounded = (completed: DeviceChange) => {
      const kept = this.#bounds.within(completed)
      return kept instanceof Promise ? kept.then(write) : write(kept)
    }
    const derived = (completed: DeviceChange) => this.#derived.commit(completed, bounded)
    return this.#completion === undefined ? derived(change) : this.#completion.around(change, derived)
  }
}
