import type { Metrics } from '../../api/index.ts'
import { errorText, type Lifecycle, type Log } from '../../base/index.ts'
import type { Census } from '../../store/index.ts'

const EVERY_MS = 60_000

/**
 * Counts devices, operations and plans once a minute, for metrics. While the database is away the counts before stay.
 */
export function createCensus(metrics: Metrics, take: () => Promise<Census>, log: Log): Lifecycle {
  let last: Census = { devices: [], operations: {}, plans: {}, members: {} }
  let takenAt = 0
  let timer: NodeJS.Timeout | undefined
  let taking: Promise<void> | undefined
  const byState = (counts: Partial<Record<string, number>>) =>
    Object.entries(counts).map(([state, value = 0]) => ({ labels: { state }, value }))
  metrics.table('isthmus_devices', 'Devices by owner and by presence over its protocol', ['owner', 'presence'], () =>
    last.devices.map(({ owner, presence, count }) => ({ labels: { owner, presence }, value: count })),
  )
  metrics.table('isthmus_operations_open', 'Operations that have not ended, by state', ['state'], () =>
    byState(last.operations),
  )
  metrics.table('isthmus_plans', 'Migration plans by state', ['state'], () => byState(last.plans))
  metrics.table('isthmus_plan_members', 'Members of migration plans by state', ['state'], () => byState(last.members))
  metrics.gauge(
    'isthmus_census_timestamp_seconds',
    'When devices, operations and plans were counted last',
    () => takenAt / 1000,
  )
  const count = async () => {
    try {
      last = await take()
      takenAt = Date.now()
    } catch (error) {
      log.debug({ reason: errorText(error) }, 'devices, operations and plans could not be counted')
    }
  }
  const round = () => {
    taking ??= count().finally(() => {
      taking = undefined
    })
    return taking
  }
  return {
    name: 'census',
    async start() {
      await round()
      timer = setInterval(() => void round(), EVERY_MS)
      timer.unref()
    },
    async stop() {
      clearInterval(timer)
      await taking
    },
  }
}
