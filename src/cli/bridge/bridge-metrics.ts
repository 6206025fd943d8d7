import type { Metrics } from '../../api/index.ts'
import type { BridgeFleet, BridgeMetrics, MqttHub } from '../../bridge/index.ts'
import type { NotifyFile } from '../../usp/index.ts'

/** Registers the counters of routers: commands that they are sent, and looks at them. */
export function routerMetrics(metrics: Metrics): BridgeMetrics {
  const commands = metrics.counter(
    'isthmus_bridge_router_commands_total',
    'Commands sent to routers, by what became of them: done, or the kind of error',
    ['kind', 'outcome'],
  )
  const durations = metrics.histogram(
    'isthmus_bridge_router_command_duration_seconds',
    'From asking to the end of the reply of a router, waits for earlier commands among it',
    ['kind'],
    [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
  )
  const operations = metrics.counter(
    'isthmus_bridge_commands_total',
    'Commands that Controllers and MQTT clients asked for, by level of danger',
    ['level', 'outcome'],
  )
  const polls = metrics.counter('isthmus_bridge_polls_total', 'Looks at objects of routers for changes', ['object'])
  return {
    routerCommand: (kind, outcome, durationMs) => {
      commands({ kind, outcome })
      durations({ kind }, durationMs / 1000)
    },
    operated: (level, outcome) => operations({ level: String(level), outcome }),
    looked: (object) => polls({ object }),
  }
}

interface BridgeRooms {
  fleet: BridgeFleet
  notifies: NotifyFile
  mqtt: MqttHub | undefined
}

/** Registers the gauges of a bridge. */
export function bridgeGauges(metrics: Metrics, { fleet, notifies, mqtt }: BridgeRooms, version: string): void {
  const build = { labels: { version, node: process.versions.node }, value: 1 }
  metrics.table('isthmus_build_info', 'The version that runs', ['version', 'node'], () => [build])
  metrics.table('isthmus_bridge_routers', 'Routers by their state', ['state'], () =>
    Object.entries(fleet.census.phases).map(([state, value]) => ({ labels: { state }, value })),
  )
  metrics.gauge('isthmus_bridge_links', 'Open USP links of Agents', () => fleet.census.links)
  metrics.total('isthmus_bridge_notifies_total', 'Notifications that Agents made', () => fleet.census.notifies)
  metrics.gauge(
    'isthmus_bridge_notifies_owed',
    'Stored notifications that no Controller has acknowledged',
    () => notifies.owed,
  )
  metrics.table('isthmus_bridge_journal_bytes', 'Length of the files of the state folder, by kind', ['file'], () =>
    Object.entries({ ...fleet.census.bytes, notifies: notifies.bytes }).map(([file, value]) => ({
      labels: { file },
      value,
    })),
  )
  if (mqtt === undefined) return
  metrics.gauge('isthmus_bridge_mqtt_connected', '1 while the broker is connected', () => Number(mqtt.counts.connected))
  metrics.gauge('isthmus_bridge_mqtt_waiting', 'Messages that wait for the broker', () => mqtt.counts.waiting)
  metrics.total('isthmus_bridge_mqtt_dropped_total', 'Messages that were lost', () => mqtt.counts.dropped)
}
