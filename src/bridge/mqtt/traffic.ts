import { type Metric, type MetricItem, numberIn } from './metric.ts'
import { readRows } from './table-reader.ts'

const TABLES = ['Device.Ethernet.Interface.*.', 'Device.WiFi.SSID.*.']
const COUNTERS = ['Stats.BytesReceived', 'Stats.BytesSent']

/** Counters of one interface at one time, in bytes. */
interface Counted {
  path: string
  at: number
  received: number
  sent: number
}

/**
 * Returns the metric of the traffic of one router: bit/s since the last reading. An interface that was not there then,
 * or whose counters have begun anew, has none.
 */
export function trafficMetric(): Metric {
  let before = new Map<string, Counted>()
  return {
    name: 'traffic',
    async read(model, at) {
      const tables = await Promise.all(TABLES.map((table) => readRows(model, table, ['Name', ...COUNTERS])))
      const now = new Map<string, Counted>()
      for (const { path, values } of tables.flat()) {
        const [received, sent] = COUNTERS.map((name) => numberIn(values[name]))
        if (received !== undefined && sent !== undefined && values.Name !== undefined)
          now.set(values.Name, { path, at, received, sent })
      }
      const rates = [...now]
        .map(([name, counted]) => rateOf(name, before.get(name), counted))
        .filter((rate) => rate !== undefined)
      before = now
      return rates.length === 0 ? undefined : { unit: 'bit/s', values: rates }
    },
  }
}

function rateOf(name: string, before: Counted | undefined, now: Counted): MetricItem | undefined {
  if (before === undefined || now.at <= before.at || now.received < before.received || now.sent < before.sent)
    return undefined
  const seconds = (now.at - before.at) / 1000
  const perSecond = (bytes: number) => Math.round((bytes * 8) / seconds)
  return {
    interface: name,
    rx_bps: perSecond(now.received - before.received),
    tx_bps: perSecond(now.sent - before.sent),
    rx_bytes: now.received,
    tx_bytes: now.sent,
    path: now.path,
  }
}
