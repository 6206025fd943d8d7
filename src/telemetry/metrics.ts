import { WAN_STATES } from '../domain/index.ts'
import { type Fields, fieldsOf, RefusedMessage, textIn } from './payload.ts'
import { isRowOf, type NamedRow, type TelemetryReading } from './reading.ts'

/** A field of a message, and the parameter that it is the value of. */
interface Field {
  readonly parameter: string
  /** Returns the value as TR-181 has it; undefined for one that is not plausible. */
  read(value: unknown): string | undefined
}

interface SingleMetric {
  readonly unit: string
  readonly object: string
  readonly field: Field
}

interface TableMetric {
  readonly unit: string
  readonly tables: readonly string[]
  /** The field of an item that names its row, and the parameter with that name; absent: its path alone does. */
  readonly key?: { readonly field: string; readonly parameter: string; readonly pattern?: RegExp }
  readonly fields: Readonly<Record<string, Field>>
  /** False: rows come and go, and one that the record does not have is left out. */
  readonly mayBeNew: boolean
}

/** Items of one list, as many as a bridge publishes. */
const MAX_ITEMS = 500
const MAX_KEY = 256
const INFO = 'Device.DeviceInfo.'
const BY_NAME = { field: 'interface', parameter: 'Name' }
const MAC = /^[0-9A-F]{2}(?::[0-9A-F]{2}){5}$/i

/** The metrics of `telemetry/` that the record has parameters for. */
const METRICS: ReadonlyMap<string, SingleMetric | TableMetric> = new Map<string, SingleMetric | TableMetric>([
  ['cpu_load', { unit: '%', object: INFO, field: whole('ProcessStatus.CPUUsage', 0, 100) }],
  ['memory_free', { unit: 'KiB', object: INFO, field: whole('MemoryStatus.Free', 0, 2 ** 32 - 1) }],
  ['uptime', { unit: 's', object: INFO, field: whole('UpTime', 0, 2 ** 32 - 1) }],
  [
    'temperature',
    {
      unit: 'Cel',
      tables: [`${INFO}TemperatureStatus.TemperatureSensor.*.`],
      key: { field: 'sensor', parameter: 'Name' },
      fields: { value: whole('Value', -274, 1000) },
      mayBeNew: true,
    },
  ],
  [
    // TR-181 has no word for a voltage; version 6 has no row with a name for it.
    'voltage',
    {
      unit: 'V',
      tables: ['Device.X_MIKROTIK_RouterOS.system-health.*.'],
      key: { field: 'sensor', parameter: 'name' },
      fields: { value: { parameter: 'value', read: voltsOf } },
      mayBeNew: true,
    },
  ],
  [
    'traffic',
    {
      unit: 'bit/s',
      tables: ['Device.Ethernet.Interface.*.', 'Device.WiFi.SSID.*.'],
      key: BY_NAME,
      fields: {
        rx_bytes: whole('Stats.BytesReceived', 0, Number.MAX_SAFE_INTEGER),
        tx_bytes: whole('Stats.BytesSent', 0, Number.MAX_SAFE_INTEGER),
      },
      mayBeNew: true,
    },
  ],
  [
    'ppp_status',
    {
      unit: 'state',
      tables: ['Device.PPP.Interface.*.'],
      key: BY_NAME,
      fields: { value: { parameter: 'ConnectionStatus', read: (value) => WAN_STATES.find((one) => one === value) } },
      mayBeNew: true,
    },
  ],
  [
    'lte_signal',
    {
      unit: 'dBm',
      tables: ['Device.Cellular.Interface.*.'],
      key: BY_NAME,
      fields: { rssi: whole('RSSI', -200, 0), rsrp: whole('RSRP', -200, 0), rsrq_db: whole('RSRQ', -100, 100) },
      mayBeNew: true,
    },
  ],
  [
    'wifi_rssi',
    {
      unit: 'dBm',
      tables: ['Device.WiFi.AccessPoint.*.AssociatedDevice.*.'],
      key: { field: 'mac', parameter: 'MACAddress', pattern: MAC },
      fields: { value: whole('SignalStrength', -200, 0) },
      mayBeNew: false,
    },
  ],
  [
    'clients',
    {
      unit: 'clients',
      tables: ['Device.WiFi.AccessPoint.*.'],
      fields: { value: whole('AssociatedDeviceNumberOfEntries', 0, 10_000) },
      mayBeNew: true,
    },
  ],
])

/**
 * Returns the values of a message of a metric; none for a metric that the record has no parameter for. Items that are
 * not plausible are left out. RefusedMessage for another unit than that of the metric, and for a list that is too long.
 */
export function readingsOf(name: string, payload: Fields, time: number): TelemetryReading[] {
  const metric = METRICS.get(name)
  if (metric === undefined) return []
  if (payload.unit !== metric.unit) throw new RefusedMessage('malformed', `the unit of ${name} is not ${metric.unit}`)
  if ('field' in metric) {
    const value = metric.field.read(payload.value)
    return value === undefined ? [] : [{ at: metric.object, parameter: metric.field.parameter, value, time }]
  }
  const { values } = payload
  if (!Array.isArray(values) || values.length > MAX_ITEMS)
    throw new RefusedMessage('malformed', `${name} has no list of at most ${MAX_ITEMS} values`)
  return values.flatMap((item) => readingsOfItem(metric, fieldsOf(item) ?? {}, time))
}

function readingsOfItem(metric: TableMetric, item: Fields, time: number): TelemetryReading[] {
  const at = rowOf(metric, item)
  if (at === undefined) return []
  return Object.entries(metric.fields).flatMap(([name, field]) => {
    const value = field.read(item[name])
    return value === undefined ? [] : [{ at, parameter: field.parameter, value, time }]
  })
}

/** The row of an item; undefined for one that names none. */
function rowOf({ tables, key, mayBeNew }: TableMetric, item: Fields): NamedRow | undefined {
  const given = textIn(item.path, MAX_KEY)
  const path = given !== undefined && isRowOf(tables, given) ? { path: given } : {}
  if (key === undefined) return given === undefined ? undefined : { tables, mayBeNew, ...path }
  const value = textIn(item[key.field], MAX_KEY, key.pattern)
  return value === undefined || value === ''
    ? undefined
    : { tables, mayBeNew, key: { parameter: key.parameter, value }, ...path }
}

function voltsOf(value: unknown): string | undefined {
  return typeof value === 'number' && value >= 0 && value <= 1000 ? String(Number(value.toFixed(3))) : undefined
}

/** A whole number in bounds; parts of one are rounded. */
function whole(parameter: string, min: number, max: number): Field {
  return {
    parameter,
    read(value) {
      if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
      const rounded = Math.round(value)
      return rounded >= min && rounded <= max ? String(rounded) : undefined
    },
  }
}
