import { parseMillivolts } from '../../routeros/index.ts'
import { type Measured, type Metric, type MetricItem, numberIn, single } from './metric.ts'
import type { MqttModel } from './served-router.ts'
import { readRows } from './table-reader.ts'
import { trafficMetric } from './traffic.ts'

const INFO = 'Device.DeviceInfo.'
const SENSORS = 'Device.X_MIKROTIK_RouterOS.system-health.'
const POINTS = 'Device.WiFi.AccessPoint.*.'
const STATIONS = `${POINTS}AssociatedDevice.*.`
const LEASES = 'Device.DHCPv4.Server.Pool.*.Client.*.'

type Reads = Pick<MqttModel, 'instances' | 'get'>

/** Returns the metrics of one router. They remember what differences are made of. */
export function metricsOfRouter(): readonly Metric[] {
  return [
    { name: 'wifi_rssi', read: signals },
    single('cpu_load', `${INFO}ProcessStatus.CPUUsage`, '%'),
    single('memory_free', `${INFO}MemoryStatus.Free`, 'KiB'),
    single('uptime', `${INFO}UpTime`, 's'),
    { name: 'temperature', read: temperatures },
    { name: 'voltage', read: voltages },
    trafficMetric(),
    { name: 'ppp_status', read: (model) => states(model, 'Device.PPP.Interface.*.') },
    { name: 'lte_signal', read: cellular },
    { name: 'dhcp_leases', read: leases },
    { name: 'clients', read: clients },
  ]
}

/** The interface and the network of each access point, by its path. */
async function networks(model: Reads): Promise<ReadonlyMap<string, { interface: string; ssid: string }>> {
  const [points, ssids] = await Promise.all([
    readRows(model, POINTS, ['SSIDReference']),
    readRows(model, 'Device.WiFi.SSID.*.', ['Name', 'SSID']),
  ])
  const named = new Map(ssids.map(({ path, values }) => [path, values]))
  return new Map(
    points.map(({ path, values }) => {
      const { Name = '', SSID = '' } = named.get(`${values.SSIDReference}.`) ?? {}
      return [path, { interface: Name, ssid: SSID }]
    }),
  )
}

async function signals(model: Reads): Promise<Measured | undefined> {
  const [on, stations] = await Promise.all([
    networks(model),
    readRows(model, STATIONS, ['MACAddress', 'SignalStrength']),
  ])
  if (on.size === 0) return undefined
  return {
    unit: 'dBm',
    values: stations.flatMap(({ path, values }) => {
      const value = numberIn(values.SignalStrength)
      if (value === undefined) return []
      return { mac: values.MACAddress ?? '', ...(on.get(pointOf(path)) ?? {}), value, path }
    }),
  }
}

async function clients(model: Reads): Promise<Measured | undefined> {
  const [on, stations] = await Promise.all([networks(model), readRows(model, STATIONS, ['MACAddress'])])
  if (on.size === 0) return undefined
  return {
    unit: 'clients',
    values: [...on].map(([point, names]) => ({
      ...names,
      value: stations.filter(({ path }) => pointOf(path) === point).length,
      path: point,
    })),
  }
}

/** The access point of a station. */
function pointOf(station: string): string {
  return station.slice(0, station.indexOf('AssociatedDevice.'))
}

async function temperatures(model: Reads): Promise<Measured | undefined> {
  const sensors = await readRows(model, `${INFO}TemperatureStatus.TemperatureSensor.*.`, ['Name', 'Value'])
  return listed('Cel', sensors, ({ Name = '', Value }) => {
    const value = numberIn(Value)
    return value === undefined ? undefined : { sensor: Name, value }
  })
}

/** Volts of supplies: rows of type V since version 7, a column before. */
async function voltages(model: Reads): Promise<Measured | undefined> {
  const rows = await readRows(model, `${SENSORS}*.`, ['name', 'value', 'type', 'voltage'])
  const values = rows.flatMap(({ path, values: { name = 'voltage', value, type, voltage } }) => {
    const millivolts = parseMillivolts((type === 'V' ? value : voltage) ?? '')
    return millivolts === undefined ? [] : [{ sensor: name, value: millivolts / 1000, path }]
  })
  return values.length === 0 ? undefined : { unit: 'V', values }
}

async function states(model: Reads, pattern: string): Promise<Measured | undefined> {
  const rows = await readRows(model, pattern, ['Name', 'ConnectionStatus'])
  return listed('state', rows, ({ Name = '', ConnectionStatus = '' }) => ({ interface: Name, value: ConnectionStatus }))
}

async function cellular(model: Reads): Promise<Measured | undefined> {
  const modems = await readRows(model, 'Device.Cellular.Interface.*.', ['Name', 'RSSI', 'RSRP', 'RSRQ'])
  return listed('dBm', modems, ({ Name = '', RSSI, RSRP, RSRQ }) => {
    const levels = { rssi: numberIn(RSSI), rsrp: numberIn(RSRP), rsrq_db: numberIn(RSRQ) }
    const measured = Object.entries(levels).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
    return measured.length === 0 ? undefined : { interface: Name, ...Object.fromEntries(measured) }
  })
}

async function leases(model: Reads): Promise<Measured | undefined> {
  const [pools, rows, addresses] = await Promise.all([
    readRows(model, 'Device.DHCPv4.Server.Pool.*.', ['Enable']),
    readRows(model, LEASES, ['Chaddr']),
    readRows(model, `${LEASES}IPv4Address.*.`, ['IPAddress']),
  ])
  if (pools.length === 0) return undefined
  return {
    unit: 'leases',
    value: rows.length,
    values: rows.map(({ path, values }) => ({
      mac: values.Chaddr ?? '',
      address: addresses.find((row) => row.path.startsWith(path))?.values.IPAddress ?? '',
      path,
    })),
  }
}

/** A list of what was measured, each item with its row; undefined for a table without rows. */
function listed(
  unit: string,
  rows: Awaited<ReturnType<typeof readRows>>,
  itemOf: (values: (typeof rows)[number]['values']) => MetricItem | undefined,
): Measured | undefined {
  if (rows.length === 0) return undefined
  const values = rows.flatMap((row) => {
    const item = itemOf(row.values)
    return item === undefined ? [] : [{ ...item, path: row.path }]
  })
  return { unit, values }
}
