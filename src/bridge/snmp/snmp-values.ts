import { splitLeaf } from '../../datamodel/index.ts'
import { type RouterTelemetry, toCounter32, toKib } from '../../routeros/index.ts'

/** Values of one row by the rest of their paths. */
type RowValues = Readonly<Record<string, string>>

/** A table whose rows SNMP has, too: they are told apart by the value of one parameter. */
interface SnmpTableOf {
  readonly table: string
  readonly key: string
  readonly parameters: readonly string[]
  rows(reading: RouterTelemetry): ReadonlyMap<string, RowValues>
}

const INFO = 'Device.DeviceInfo.'
/** Measured values of the router itself. */
const MEASURED = ['ProcessStatus.CPUUsage', 'MemoryStatus.Total', 'MemoryStatus.Free']
/** Values that the connection to the router knows better, where it reads them: they can be set, or tell of a restart. */
const FALLBACK = ['UpTime', 'HostName', 'SoftwareVersion']

const COUNTERS = ['Stats.BytesReceived', 'Stats.BytesSent', 'Stats.ErrorsReceived', 'Stats.ErrorsSent']

const TABLES: readonly SnmpTableOf[] = [
  ...['Device.Ethernet.Interface.*.', 'Device.WiFi.SSID.*.'].map((table) => ({
    table,
    key: 'Name',
    parameters: COUNTERS,
    rows: interfacesOf,
  })),
  {
    table: `${INFO}TemperatureStatus.TemperatureSensor.*.`,
    key: 'Name',
    parameters: ['Value'],
    rows: ({ health }) =>
      new Map(
        health.flatMap(({ name, value, unit }) => (unit === 'C' ? [[name, { Value: String(Math.round(value)) }]] : [])),
      ),
  },
  {
    // TR-181 has no word for a voltage.
    table: 'Device.X_MIKROTIK_RouterOS.system-health.*.',
    key: 'name',
    parameters: ['value'],
    rows: ({ health }) =>
      new Map(health.flatMap(({ name, value, unit }) => (unit === 'state' ? [] : [[name, { value: String(value) }]]))),
  },
  {
    table: 'Device.WiFi.AccessPoint.*.AssociatedDevice.*.',
    key: 'MACAddress',
    parameters: ['SignalStrength'],
    rows: ({ clients }) => new Map(clients.map(({ mac, signalDbm }) => [mac, { SignalStrength: String(signalDbm) }])),
  },
  {
    table: 'Device.Optical.Interface.*.',
    key: 'Name',
    parameters: ['OpticalSignalLevel', 'TransmitOpticalLevel'],
    rows: ({ optics }) =>
      new Map(
        optics.map(({ name, rxMilliDbm, txMilliDbm }) => [
          name,
          present({ OpticalSignalLevel: levelOf(rxMilliDbm), TransmitOpticalLevel: levelOf(txMilliDbm) }),
        ]),
      ),
  },
]

/** The place of a parameter that SNMP may have: of the router itself, or of the row of a table. */
export type SnmpPlace =
  | { readonly kind: 'router'; readonly parameter: string; readonly isFallback: boolean }
  | { readonly kind: 'row'; readonly row: string; readonly table: SnmpTableOf; readonly parameter: string }

const patterns = TABLES.map((table) => ({
  table,
  pattern: new RegExp(`^(${table.table.replaceAll('.', '\\.').replaceAll('*', '\\d+')})(.+)$`),
}))

/** Returns the place of a path; undefined for one that SNMP never has. */
export function placeOfPath(path: string): SnmpPlace | undefined {
  if (path.startsWith(INFO)) {
    const parameter = path.slice(INFO.length)
    const isFallback = FALLBACK.includes(parameter)
    if (isFallback || MEASURED.includes(parameter)) return { kind: 'router', parameter, isFallback }
  }
  for (const { table, pattern } of patterns) {
    const [, row, parameter] = pattern.exec(path) ?? []
    if (row !== undefined && parameter !== undefined && table.parameters.includes(parameter))
      return { kind: 'row', row, table, parameter }
  }
  return undefined
}

/** Returns the row whose key this parameter is, e.g. of `Device.Ethernet.Interface.1.Name`; undefined for any other. */
export function rowOfKey(path: string): string | undefined {
  const { object, leaf } = splitLeaf(path)
  return patterns.some(({ table, pattern }) => table.key === leaf && pattern.exec(`${object}x`)?.[1] === object)
    ? object
    : undefined
}

/** Returns true for the path of a table whose rows SNMP has, e.g. `Device.Ethernet.Interface.`. */
export function isTableOfSnmp(path: string): boolean {
  return TABLES.some(({ table }) => splitLeaf(table.slice(0, -1)).object === path.replaceAll(/\.\d+\./g, '.*.'))
}

/** Returns the values of the router itself, by the rest of their paths below Device.DeviceInfo. */
export function routerValues(reading: RouterTelemetry): RowValues {
  const { cpuLoad, memoryTotal, memoryUsed, upSeconds, name, version } = reading
  return present({
    'ProcessStatus.CPUUsage': cpuLoad?.toString(),
    'MemoryStatus.Total': memoryTotal === undefined ? undefined : String(toKib(memoryTotal)),
    'MemoryStatus.Free':
      memoryTotal === undefined || memoryUsed === undefined || memoryUsed > memoryTotal
        ? undefined
        : String(toKib(memoryTotal - memoryUsed)),
    UpTime: upSeconds?.toString(),
    HostName: name?.slice(0, 255),
    SoftwareVersion: /^\S+/.exec(version ?? '')?.[0]?.slice(0, 64),
  })
}

function interfacesOf({ interfaces }: RouterTelemetry): ReadonlyMap<string, RowValues> {
  return new Map(
    interfaces.map(({ name, receivedBytes, sentBytes, receiveErrors, sendErrors }) => [
      name,
      present({
        'Stats.BytesReceived': receivedBytes?.toString(),
        'Stats.BytesSent': sentBytes?.toString(),
        'Stats.ErrorsReceived': errorsOf(receiveErrors),
        'Stats.ErrorsSent': errorsOf(sendErrors),
      }),
    ]),
  )
}

function errorsOf(count: number | undefined): string | undefined {
  return count === undefined ? undefined : String(toCounter32(BigInt(count)))
}

/** Thousandths of a dBm, of which TR-181 has the even numbers. */
function levelOf(milliDbm: number | undefined): string | undefined {
  if (milliDbm === undefined || milliDbm < -65_536 || milliDbm > 65_534) return undefined
  return String(Math.floor(milliDbm / 2) * 2)
}

function present(values: Readonly<Record<string, string | undefined>>): RowValues {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
