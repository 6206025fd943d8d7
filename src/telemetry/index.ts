/** Floor 3: what bridges publish over MQTT, taken into records and feed. */

export { MAX_PAYLOAD } from './payload.ts'
export { Telemetry } from './telemetry.ts'
export { TelemetryTopics } from './topics.ts'
