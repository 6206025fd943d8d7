import type { Lifecycle } from '../../base/index.ts'
import { createJobQueue } from '../../jobs/index.ts'
import type { Planner, ReadinessKeeper } from '../../planner/index.ts'
import type { Foundation } from './foundation.ts'
import { aliveInstances, tidyAfterDead } from './instance.ts'
import type { Southbound } from './southbound.ts'

/** For jobs that go through all members, or delete very much after a long pause. */
const LONG_JOB_MS = 3_600_000
/** For the sweep over all devices, which pauses between its batches. */
const SWEEP_JOB_MS = 43_200_000

/** Returns the recurring work of all parts. One instance runs each job at a time. */
export function recurringJobs(
  { store, instance, log, time }: Foundation,
  { operations, normalization }: Southbound,
  planner: Planner,
  readiness: ReadinessKeeper,
): Lifecycle {
  const jobs = createJobQueue({
    db: store.db,
    instance,
    alive: () => aliveInstances(store, instance),
    log: log.child({ part: 'jobs' }),
  })
  jobs.every('planner.watch', 60_000, () => planner.watch(), LONG_JOB_MS)
  jobs.every('planner.readiness', 600_000, () => readiness.sweep(), SWEEP_JOB_MS)
  for (const job of operations.recovery.jobs()) jobs.every(job.name, job.intervalMs, () => job.handler())
  jobs.every('store.deleteExpired', 600_000, async () => void (await store.deleteExpired(time.now())), LONG_JOB_MS)
  jobs.every('normalization.adopt', 600_000, () => normalization.stored.adopt(), SWEEP_JOB_MS)
  jobs.every('normalization.remap', 5_000, () => normalization.remapping.run(), SWEEP_JOB_MS)
  jobs.every('instances.tidyAfterDead', 15_000, () => tidyAfterDead(store, instance))
  return {
    name: 'jobs',
    start: () => jobs.start(),
    stop: async () => {
      readiness.endSweep()
      normalization.stored.stop()
      normalization.remapping.end()
      await jobs.stop()
    },
  }
}
