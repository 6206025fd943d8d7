import type { Metrics } from '../../api/index.ts'
import type { Acs } from '../../cwmp/index.ts'
import type { OperationsMetrics } from '../../operations/index.ts'
import type { Store } from '../../store/index.ts'
import type { Controller } from '../../usp/index.ts'

/** Operations counted by what they are and how they end. */
export function operationsMetrics(metrics: Metrics): OperationsMetrics {
  const submitted = metrics.counter('isthmus_operations_submitted_total', 'Operations asked for', ['verb'])
  const executed = metrics.counter('isthmus_operations_executed_total', 'Executions over a session or link', [
    'verb',
    'protocol',
    'outcome',
  ])
  const finished = metrics.histogram(
    'isthmus_operation_duration_seconds',
    'From asking to the final state',
    ['verb', 'protocol', 'state'],
    [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 300, 3600],
  )
  let executing = 0
  metrics.gauge('isthmus_operations_executing', 'Executions under way', () => executing)
  return {
    submitted: (verb) => submitted({ verb }),
    executed: (verb, protocol, outcome) => executed({ verb, protocol, outcome }),
    finished: (verb, protocol, state, durationMs) => finished({ verb, protocol, state }, durationMs / 1000),
    load: (now) => {
      executing = now
    },
  }
}

/** Registers the counters of requests and refusals of both protocols. */
export function southboundMetrics(metrics: Metrics) {
  const sessions = metrics.counter('isthmus_cwmp_sessions_total', 'CWMP sessions that are over', ['outcome'])
  const rpcs = metrics.counter('isthmus_cwmp_rpcs_total', 'Requests sent to CPE')
  const connectionRequests = metrics.counter(
    'isthmus_connection_requests_total',
    'Connection requests to CPE by their outcome',
    ['outcome'],
  )
  const notifies = metrics.counter('isthmus_usp_notifies_total', 'Notify messages taken in', ['kind'])
  const refused = metrics.counter('isthmus_refused_total', 'Requests and Records turned away', ['protocol', 'reason'])
  const onboardings = metrics.counter('isthmus_usp_onboardings_total', 'Onboardings of Agents that are over', [
    'outcome',
  ])
  const disconnects = metrics.counter('isthmus_usp_disconnects_total', 'USP links that ended, by what ended them', [
    'reason',
  ])
  return {
    cwmp: {
      onSession: (outcome: string, count: number) => {
        sessions({ outcome })
        rpcs({}, count)
      },
      onRefused: (reason: string) => refused({ protocol: 'cwmp', reason }),
      onConnectionRequest: (outcome: string) => connectionRequests({ outcome }),
    },
    usp: {
      onNotify: (kind: string) => notifies({ kind }),
      onRefused: (reason: string) => refused({ protocol: 'usp', reason }),
      onOnboarded: (_deviceId: string, outcome: string) => onboardings({ outcome }),
      onDisconnected: (reason: string) => disconnects({ reason }),
    },
  }
}

/** Registers the gauges of the rooms. */
export function roomMetrics(metrics: Metrics, rooms: { store: Store; acs: Acs; controller: Controller }): void {
  metrics.gauge('isthmus_cwmp_sessions_active', 'CWMP sessions under way', () => rooms.acs.sessionCount)
  metrics.gauge('isthmus_usp_links', 'USP links', () => rooms.controller.linkCount)
  metrics.gauge('isthmus_database_waiting_writes', 'Write sets that wait for their flush', () =>
    rooms.store.waitingWrites(),
  )
  metrics.counted(
    'isthmus_database_commands_total',
    'Commands sent to the database',
    'command',
    () => rooms.store.commands,
  )
}

/** The version that runs, and the ends of its certificates. */
export function installationMetrics(metrics: Metrics, version: string, expiries: () => Record<string, number>): void {
  const build = { labels: { version, node: process.versions.node }, value: 1 }
  metrics.table('isthmus_build_info', 'The version that runs', ['version', 'node'], () => [build])
  metrics.table(
    'isthmus_tls_certificate_expiry_timestamp_seconds',
    'When a TLS certificate ends: given (--tls-cert), api (--api-tls-cert) or own',
    ['source'],
    () => Object.entries(expiries()).map(([source, value]) => ({ labels: { source }, value })),
  )
}
