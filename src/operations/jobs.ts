import type { Recovery } from './recovery.ts'

/** For `JobQueue.every`. */
export interface RecurringJob {
  name: string
  intervalMs: number
  handler(): Promise<void>
}

/** The recurring care of operations, with how often each is due. */
export function recurring(recovery: Recovery): RecurringJob[] {
  const job = (name: string, intervalMs: number, run: () => Promise<number>): RecurringJob => ({
    name: `operations.${name}`,
    intervalMs,
    handler: async () => {
      await run()
    },
  })
  const recoverOrphans = async () => {
    const count = await recovery.recoverOrphans()
    if (count > 0) await recovery.wakeWaiting()
    return count
  }
  return [
    job('recoverOrphans', 10_000, recoverOrphans),
    job('expireQueued', 15_000, recovery.expireQueued),
    job('endOverdue', 30_000, recovery.endOverdue),
    job('wakeWaiting', 60_000, recovery.wakeWaiting),
    job('repairWorkFlags', 300_000, recovery.repairWorkFlags),
    job('auditOwed', 60_000, recovery.auditOwed),
  ]
}
