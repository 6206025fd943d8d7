import type { OperationState, Protocol, Verb } from '../domain/index.ts'

/** What the engine counts; the composition root connects it to its registry. None of these may throw. */
export interface OperationsMetrics {
  submitted(verb: Verb): void
  /** An execution over a contact ended. `outcome`: what the device said, or that the way or its words failed. */
  executed(
    verb: Verb,
    protocol: Protocol,
    outcome: 'done' | 'failed' | 'pending' | 'transport' | 'protocol' | 'error',
    durationMs: number,
  ): void
  /** An operation became final. `durationMs` counts from its creation. */
  finished(verb: Verb, protocol: Protocol | 'none', state: OperationState, durationMs: number): void
  /** Executions under way and waiting for a free place, whenever one of them changes. */
  load(executing: number, waiting: number): void
}

/** Counts nothing. */
export const NO_METRICS: OperationsMetrics = {
  submitted: () => undefined,
  executed: () => undefined,
  finished: () => undefined,
  load: () => undefined,
}
