import type { OperationState, Protocol, Verb } from '../domain/index.ts'

/** The counters of the engine; the composition root connects them to its registry. None of these may throw. */
export interface OperationsMetrics {
  submitted(verb: Verb): void
  /**
   * An execution over a contact ended. `outcome` is the one of the device, or `transport` or `protocol` when that
   * failed.
   */
  executed(
    verb: Verb,
    protocol: Protocol,
    outcome: 'done' | 'failed' | 'pending' | 'transport' | 'protocol' | 'error',
    durationMs: number,
  ): void
  /** An operation became final. `durationMs` counts from its creation. */
  finished(verb: Verb, protocol: Protocol | 'none', state: OperationState, durationMs: number): void
  /** Numbers of executions under way and of those that wait for a slot, whenever one of them changes. */
  load(executing: number, waiting: number): void
}

/** Counts nothing. */
export const NO_METRICS: OperationsMetrics = {
  submitted: () => undefined,
  executed: () => undefined,
  finished: () => undefined,
  load: () => undefined,
}
