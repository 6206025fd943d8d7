import type { SnmpTable, SnmpValue, SnmpWire } from './net-snmp.ts'

/** Readings of a router over SNMP. A value that the router does not have is absent, a table that it lacks is empty. */
export interface RouterTelemetry {
  name?: string
  version?: string
  serial?: string
  board?: string
  /** Seconds since the agent started. */
  upSeconds?: number
  /** Mean load of the processors in percent. */
  cpuLoad?: number
  /** Bytes of main memory. */
  memoryTotal?: bigint
  memoryUsed?: bigint
  dhcpLeases?: number
  interfaces: {
    name: string
    isUp: boolean
    receivedBytes?: bigint
    sentBytes?: bigint
    receiveErrors?: number
    sendErrors?: number
  }[]
  /** Volts, degrees Celsius, revolutions per minute, amperes, watts, or the number of a state. */
  health: { name: string; value: number; unit: 'V' | 'C' | 'rpm' | 'A' | 'W' | 'state' }[]
  /** Clients of the `wireless` menu; the `wifi` menu may show none. */
  clients: { mac: string; signalDbm: number; snrDb?: number; txRateBps?: number; rxRateBps?: number }[]
  /** Thousandths of a dBm, of optical modules. */
  optics: { name: string; txMilliDbm?: number; rxMilliDbm?: number; temperatureC?: number }[]
}

const MIKROTIK = '1.3.6.1.4.1.14988.1.1'
const SCALARS = {
  name: '1.3.6.1.2.1.1.5.0',
  upTime: '1.3.6.1.2.1.1.3.0',
  version: `${MIKROTIK}.4.4.0`,
  serial: `${MIKROTIK}.7.3.0`,
  board: `${MIKROTIK}.7.9.0`,
  dhcpLeases: `${MIKROTIK}.6.1.0`,
  voltage: `${MIKROTIK}.3.8.0`,
  temperature: `${MIKROTIK}.3.10.0`,
  processorTemperature: `${MIKROTIK}.3.11.0`,
} as const
const IF_ENTRY = '1.3.6.1.2.1.2.2.1'
const IFX_ENTRY = '1.3.6.1.2.1.31.1.1.1'
const PROCESSOR_ENTRY = '1.3.6.1.2.1.25.3.3.1'
const STORAGE_ENTRY = '1.3.6.1.2.1.25.2.3.1'
/** Row of hrStorageTable in which RouterOS shows its main memory. */
const MAIN_MEMORY = '65536'
const CLIENT_ENTRY = `${MIKROTIK}.1.2.1`
const HEALTH_ENTRY = `${MIKROTIK}.3.100.1`
const OPTICAL_ENTRY = `${MIKROTIK}.19.1.1`
const UNITS = { 1: ['C', 1], 2: ['rpm', 1], 3: ['V', 0.1], 4: ['A', 0.1], 5: ['W', 0.1], 6: ['state', 1] } as const
const MAX_INTERFACES = 512
const MAX_ROWS = 256
const MAX_CLIENTS = 1024

/** Reads all of it once. RouterOsError when the router does not answer. */
export async function readTelemetry(wire: SnmpWire): Promise<RouterTelemetry> {
  const scalars = await wire.get(Object.values(SCALARS))
  const at = (name: keyof typeof SCALARS): SnmpValue | undefined => scalars.get(SCALARS[name])
  const interfaces = await wire.table(IF_ENTRY, [2, 8, 14, 20], MAX_INTERFACES)
  const counters = await wire.table(IFX_ENTRY, [6, 10], MAX_INTERFACES)
  const processors = await wire.table(PROCESSOR_ENTRY, [2], MAX_ROWS)
  const storage = await wire.table(STORAGE_ENTRY, [4, 5, 6], MAX_ROWS)
  const clients = await wire.table(CLIENT_ENTRY, [3, 8, 9, 12], MAX_CLIENTS)
  const health = await wire.table(HEALTH_ENTRY, [2, 3, 4], MAX_ROWS)
  const optics = await wire.table(OPTICAL_ENTRY, [2, 6, 9, 10], MAX_ROWS)
  const ticks = numberOf(at('upTime'))
  const leases = numberOf(at('dhcpLeases'))
  return {
    ...texts({ name: at('name'), version: at('version'), serial: at('serial'), board: at('board') }),
    ...(ticks === undefined ? {} : { upSeconds: Math.floor(ticks / 100) }),
    ...(leases === undefined ? {} : { dhcpLeases: leases }),
    ...loadOf(processors),
    ...memoryOf(storage),
    interfaces: [...interfaces].map(([index, row]) => interfaceOf(row, counters.get(index))),
    health:
      health.size > 0 ? healthOf(health) : oldHealthOf(at('voltage'), at('temperature'), at('processorTemperature')),
    clients: [...clients].flatMap(([index, row]) => clientOf(index, row)),
    optics: [...optics].map(([, row]) => opticOf(row)),
  }
}

type Row = ReadonlyMap<number, SnmpValue>

function loadOf(processors: SnmpTable): { cpuLoad?: number } {
  const loads = [...processors.values()].flatMap((row) => numberOf(row.get(2)) ?? [])
  return loads.length === 0 ? {} : { cpuLoad: Math.round(loads.reduce((sum, load) => sum + load, 0) / loads.length) }
}

function memoryOf(storage: SnmpTable): { memoryTotal?: bigint; memoryUsed?: bigint } {
  const [unit, size, used] = [4, 5, 6].map((column) => numberOf(storage.get(MAIN_MEMORY)?.get(column)))
  if (unit === undefined || size === undefined || used === undefined) return {}
  return { memoryTotal: BigInt(size) * BigInt(unit), memoryUsed: BigInt(used) * BigInt(unit) }
}

function interfaceOf(row: Row, counters: Row | undefined): RouterTelemetry['interfaces'][number] {
  const received = bigOf(counters?.get(6))
  const sent = bigOf(counters?.get(10))
  const [receiveErrors, sendErrors] = [numberOf(row.get(14)), numberOf(row.get(20))]
  return {
    name: textOf(row.get(2)) ?? '',
    isUp: numberOf(row.get(8)) === 1,
    ...(received === undefined ? {} : { receivedBytes: received }),
    ...(sent === undefined ? {} : { sentBytes: sent }),
    ...(receiveErrors === undefined ? {} : { receiveErrors }),
    ...(sendErrors === undefined ? {} : { sendErrors }),
  }
}

function healthOf(table: SnmpTable): RouterTelemetry['health'] {
  return [...table.values()].flatMap((row) => {
    const value = numberOf(row.get(3))
    const kind = numberOf(row.get(4))
    if (value === undefined || kind === undefined || !(kind in UNITS)) return []
    const [unit, scale] = UNITS[kind as keyof typeof UNITS]
    return [{ name: textOf(row.get(2)) ?? '', value: scaled(value, scale), unit }]
  })
}

/** The values of RouterOS 6, in tenths. */
function oldHealthOf(...values: (SnmpValue | undefined)[]): RouterTelemetry['health'] {
  const kinds = [
    ['voltage', 'V'],
    ['temperature', 'C'],
    ['processor-temperature', 'C'],
  ] as const
  return kinds.flatMap(([name, unit], i) => {
    const value = numberOf(values[i])
    return value === undefined ? [] : [{ name, value: scaled(value, 0.1), unit }]
  })
}

/** The index of a client is its MAC address as six numbers, and the number of the interface. */
function clientOf(index: string, row: Row): RouterTelemetry['clients'] {
  const parts = index.split('.').map(Number)
  const signalDbm = numberOf(row.get(3))
  if (parts.length < 6 || parts.some((part) => !(part >= 0)) || signalDbm === undefined) return []
  const [txRateBps, rxRateBps, snrDb] = [numberOf(row.get(8)), numberOf(row.get(9)), numberOf(row.get(12))]
  return [
    {
      mac: parts
        .slice(0, 6)
        .map((part) => (part & 0xff).toString(16).padStart(2, '0').toUpperCase())
        .join(':'),
      signalDbm,
      ...(snrDb === undefined ? {} : { snrDb }),
      ...(txRateBps === undefined ? {} : { txRateBps }),
      ...(rxRateBps === undefined ? {} : { rxRateBps }),
    },
  ]
}

function opticOf(row: Row): RouterTelemetry['optics'][number] {
  const [temperatureC, txMilliDbm, rxMilliDbm] = [numberOf(row.get(6)), numberOf(row.get(9)), numberOf(row.get(10))]
  return {
    name: textOf(row.get(2)) ?? '',
    ...(temperatureC === undefined ? {} : { temperatureC }),
    ...(txMilliDbm === undefined ? {} : { txMilliDbm }),
    ...(rxMilliDbm === undefined ? {} : { rxMilliDbm }),
  }
}

function scaled(value: number, scale: number): number {
  return Number((value * scale).toFixed(1))
}

function texts<T extends string>(values: Record<T, SnmpValue | undefined>): Partial<Record<T, string>> {
  const found: Partial<Record<T, string>> = {}
  for (const name in values) {
    const text = textOf(values[name])
    if (text !== undefined) found[name] = text
  }
  return found
}

function textOf(value: SnmpValue | undefined): string | undefined {
  return Buffer.isBuffer(value) ? value.toString('utf8') : value?.toString()
}

function numberOf(value: SnmpValue | undefined): number | undefined {
  if (Buffer.isBuffer(value) || value === undefined) return undefined
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : undefined
}

function bigOf(value: SnmpValue | undefined): bigint | undefined {
  return Buffer.isBuffer(value) || value === undefined ? undefined : BigInt(value)
}
