/** Takes what a bridge does, to be counted. No value names a router or a client, so that their number is bounded. */
export interface BridgeMetrics {
  /** A command of a router is over: `outcome` is `done`, or the kind of its RouterOsError. */
  routerCommand(kind: 'read' | 'write', outcome: string, durationMs: number): void
  /** A command of TR-181 with this level of danger is over, or was refused. */
  operated(level: number, outcome: 'done' | 'failed' | 'refused'): void
  /** An object of a router, by its schema path, was looked at for changes. */
  looked(object: string): void
}

/** Counts nothing. */
export const NO_METRICS: BridgeMetrics = {
  routerCommand: () => undefined,
  operated: () => undefined,
  looked: () => undefined,
}
