import { loadModel } from '../../datamodel/index.ts'
import { Telemetry } from '../../telemetry/index.ts'
import { telemetryBroker } from '../parts/telemetry-broker.ts'
import type { Foundation } from './foundation.ts'
import { aliveInstances } from './instance.ts'

/** Makes the part that takes telemetry of bridges; undefined without a broker. */
export function createTelemetry(foundation: Foundation): Telemetry | undefined {
  const { config, store, metrics, bus, instance, clock, random, log } = foundation
  const broker = telemetryBroker(config)
  if (broker === undefined) return undefined
  const messages = metrics.counter(
    'isthmus_telemetry_messages_total',
    'Messages of bridges over MQTT by kind and by what became of them',
    ['kind', 'outcome'],
  )
  const values = metrics.counter('isthmus_telemetry_values_total', 'Values of telemetry by what became of them', [
    'outcome',
  ])
  const telemetry = new Telemetry({
    ...broker,
    prefix: config.telemetryPrefix,
    devices: store.devices,
    parameters: store.parameters,
    events: store.events,
    bridges: store.bridges,
    certificates: store.certificates,
    model: loadModel('tr181-usp'),
    // The oldest of the live instances: ids are in the order of starts.
    isChosen: async () => (await aliveInstances(store, instance)).sort()[0] === instance,
    clock,
    random,
    log: log.child({ part: 'telemetry' }),
    onMessage: (kind, outcome) => messages({ kind, outcome }),
    onValues: (outcome, count) => count > 0 && values({ outcome }, count),
  })
  bus.subscribe((event) => telemetry.heed(event))
  metrics.gauge('isthmus_telemetry_connected', '1 while messages of bridges come from the broker', () =>
    Number(telemetry.isConnected),
  )
  metrics.gauge('isthmus_telemetry_chosen', '1 on the instance that takes telemetry', () => Number(telemetry.isChosen))
  metrics.gauge(
    'isthmus_telemetry_bridges_online',
    'Bridges that say that they are online',
    () => telemetry.bridgesOnline,
  )
  return telemetry
}
