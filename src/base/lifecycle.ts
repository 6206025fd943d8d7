import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** An owner of sockets, timers or cursors: `stop` undoes `start`, and may be called when `start` failed half way. */
export interface Lifecycle {
  readonly name: string
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts parts in order and stops them in reverse; one part that fails to stop does not keep the others from stopping.
 */
export function createLifecycle(log: Log): { start(part: Lifecycle): Promise<void>; stop(): Promise<void> } {
  const started: Lifecycle[] = []
  return {
    async start(part) {
      started.push(part)
      await part.start()
      log.debug({ part: part.name }, 'started')
    },
    async stop() {
      for (let part = started.pop(); part !== undefined; part = started.pop()) {
        try {
          await part.stop()
          log.debug({ part: part.name }, 'stopped')
        } catch (err) {
          log.error({ part: part.name, err }, 'part did not stop cleanly')
        }
      }
    },
  }
}

/**
 * Waits for work, at most `limitMs`. Resolves with false when the limit is reached first; the work continues then.
 * Rejects when the work rejects before.
 */
export async function endsWithin(
  work: Promise<unknown>,
  limitMs: number,
  clock: Pick<Clock, 'after'>,
): Promise<boolean> {
  let cancel = () => {}
  const limit = new Promise<false>((resolve) => {
    cancel = clock.after(limitMs, () => resolve(false))
  })
  try {
    return await Promise.race([work.then(() => true as const), limit])
  } finally {
    cancel()
  }
}
