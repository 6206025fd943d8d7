import { errorText } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import { BrokerRefusal } from '../../mqtt/index.ts'
import { TelemetryTopics } from '../../telemetry/index.ts'
import { telemetryBroker } from '../parts/telemetry-broker.ts'
import { type Finding, finding } from './finding.ts'

/** Checks that the broker of telemetry answers, lets the server in, and lets it read. */
export async function examineTelemetry(config: Config): Promise<Finding[]> {
  const { ok, problem } = finding('telemetry')
  try {
    const broker = telemetryBroker(config, true)
    if (broker === undefined) return []
    const { filters } = new TelemetryTopics(config.telemetryPrefix)
    const events = { onMessage: () => undefined, onClose: () => undefined }
    const level = broker.level ?? 5
    const connection = await broker.dial(level, events).catch((error: unknown) => {
      if (broker.level !== undefined || !(error instanceof BrokerRefusal) || !error.isVersion) throw error
      return broker.dial(4, events)
    })
    try {
      await connection.subscribe(filters)
    } finally {
      await connection.end()
    }
    return [ok(`the broker at ${config.telemetryUrl} lets the server read below ${config.telemetryPrefix}`)]
  } catch (error) {
    return [
      problem(`the broker at ${config.telemetryUrl}: ${errorText(error)}; see --telemetry-url and the rights there`),
    ]
  }
}
