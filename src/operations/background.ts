import type { Log } from '../base/index.ts'

/** Promises that nobody waits for but `stop`: each failure is logged. */
export interface Background {
  run(what: string, task: () => Promise<unknown>): void
  idle(): Promise<void>
}

export function createBackground(log: Log): Background {
  const running = new Set<Promise<void>>()
  return {
    run(what, task) {
      const run: Promise<void> = task()
        .then(() => undefined)
        .catch((err) => log.error({ err, what }, 'background task failed'))
        .finally(() => running.delete(run))
      running.add(run)
    },
    async idle() {
      while (running.size > 0) await Promise.all(running)
    },
  }
}
