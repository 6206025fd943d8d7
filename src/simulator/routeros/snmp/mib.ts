import type { Row } from '../basis/table.ts'
import { isFrom, isRunning, rxBytes, signalOf, swing, txBytes } from '../menus/life.ts'
import type { RouterState } from '../state/router-state.ts'

/** Kinds of values of SNMP (RFC 2578 7.1). */
export type SnmpKind = 'integer' | 'text' | 'ticks' | 'gauge' | 'counter' | 'counter64'

interface SnmpScalar {
  /** Without its last number, which is 0. */
  oid: string
  kind: SnmpKind
  value: string | number
}

/** A table: the kinds of its columns by number, and rows with their index. */
interface SnmpRows {
  /** OID of the entry. */
  entry: string
  columns: Readonly<Record<number, SnmpKind>>
  rows: readonly { index: readonly number[]; cells: Readonly<Record<number, string | number | bigint>> }[]
}

const MIB2 = '1.3.6.1.2.1'
const MIKROTIK = '1.3.6.1.4.1.14988.1.1'
/** Row of hrStorageTable that is the main memory of a router. */
const MAIN_MEMORY = 65_536
const KIB = 1024
const UNITS: Readonly<Record<string, readonly [number, number]>> = {
  C: [1, 1],
  RPM: [2, 1],
  V: [3, 10],
  A: [4, 10],
  W: [5, 10],
}

/** Returns the single values that a router shows (RFC 1213, MIKROTIK-MIB). */
export function scalarsOf(router: RouterState): SnmpScalar[] {
  const value = (table: string, name: string) => router.store.table(table)[0]?.values[name] ?? ''
  const leases = router.store.table('/ip/dhcp-server/lease').filter(({ values }) => values['~bound'] === 'true').length
  const board = '/system/routerboard'
  const all: SnmpScalar[] = [
    { oid: `${MIB2}.1.1`, kind: 'text', value: `RouterOS ${router.profile.board.name}` },
    { oid: `${MIB2}.1.3`, kind: 'ticks', value: Math.floor(router.upS * 100) },
    { oid: `${MIB2}.1.5`, kind: 'text', value: value('/system/identity', 'name') },
    { oid: `${MIKROTIK}.4.4`, kind: 'text', value: router.version },
    { oid: `${MIKROTIK}.6.1`, kind: 'gauge', value: leases },
    { oid: `${MIKROTIK}.7.9`, kind: 'text', value: router.profile.board.name },
  ]
  if (router.menus.has(board))
    all.push(
      { oid: `${MIKROTIK}.7.3`, kind: 'text', value: value(board, 'serial-number') },
      { oid: `${MIKROTIK}.7.4`, kind: 'text', value: value(board, 'current-firmware') },
      { oid: `${MIKROTIK}.7.7`, kind: 'text', value: value(board, 'upgrade-firmware') },
    )
  if (!isFrom(router.version, 7) && router.menus.has('/system/health'))
    all.push(
      { oid: `${MIKROTIK}.3.8`, kind: 'gauge', value: tenths(value('/system/health', 'voltage')) },
      { oid: `${MIKROTIK}.3.10`, kind: 'gauge', value: tenths(value('/system/health', 'temperature')) },
    )
  return all
}

/** Returns the tables that a router shows; the menu `wifi` fills none of those of clients. */
export function tablesOf(router: RouterState): SnmpRows[] {
  const { store, now } = router
  const interfaces = store.table('interface')
  const resource = store.table('/system/resource')[0]?.values ?? {}
  const total = Number(resource['total-memory'] ?? 0)
  const load = (cpu: number) => Math.round(Math.max(0, swing(`cpu${cpu}`, 6, 5, now)))
  const tables: SnmpRows[] = [
    {
      entry: `${MIB2}.2.2.1`,
      columns: {
        1: 'integer',
        2: 'text',
        3: 'integer',
        4: 'integer',
        7: 'integer',
        8: 'integer',
        14: 'counter',
        20: 'counter',
      },
      rows: interfaces.map((row) => ({
        index: [row.id],
        cells: {
          1: row.id,
          2: row.values.name ?? '',
          3: 6,
          4: 1500,
          7: row.values.disabled === 'true' ? 2 : 1,
          8: isRunning(row, router) ? 1 : 2,
          14: 0,
          20: 0,
        },
      })),
    },
    {
      entry: `${MIB2}.31.1.1.1`,
      columns: { 1: 'text', 6: 'counter64', 10: 'counter64' },
      rows: interfaces.map((row) => ({
        index: [row.id],
        cells: {
          1: row.values.name ?? '',
          6: BigInt(rxBytes(row, router) ?? 0),
          10: BigInt(txBytes(row, router) ?? 0),
        },
      })),
    },
    {
      entry: `${MIB2}.25.3.3.1`,
      columns: { 2: 'integer' },
      rows: Array.from({ length: Number(resource['cpu-count'] ?? 1) }, (_, cpu) => ({
        index: [cpu + 1],
        cells: { 2: load(cpu) },
      })),
    },
    {
      entry: `${MIB2}.25.2.3.1`,
      columns: { 3: 'text', 4: 'integer', 5: 'integer', 6: 'integer' },
      rows: [
        {
          index: [MAIN_MEMORY],
          cells: { 3: 'main memory', 4: KIB, 5: Math.floor(total / KIB), 6: Math.floor((total * 0.38) / KIB) },
        },
      ],
    },
  ]
  if (isFrom(router.version, 7) && router.menus.has('/system/health'))
    tables.push(healthOf(store.table('/system/health')))
  if (router.menus.has('/interface/wireless')) tables.push(clientsOf(router))
  const optics = interfaces.filter(({ values }) => values['~sfp'] !== undefined)
  if (optics.length > 0) tables.push(opticsOf(optics, now))
  return tables
}

function healthOf(rows: readonly Row[]): SnmpRows {
  return {
    entry: `${MIKROTIK}.3.100.1`,
    columns: { 2: 'text', 3: 'gauge', 4: 'integer' },
    rows: rows.map(({ id, values }) => {
      const [unit, scale] = UNITS[values.type ?? ''] ?? [6, 1]
      const value = unit === 6 ? Number(values.value !== 'ok') : Math.round(Number(values.value) * scale)
      return { index: [id], cells: { 2: values.name ?? '', 3: value, 4: unit } }
    }),
  }
}

function clientsOf(router: RouterState): SnmpRows {
  const { store } = router
  return {
    entry: `${MIKROTIK}.1.2.1`,
    columns: { 3: 'integer', 4: 'counter', 5: 'counter', 8: 'gauge', 9: 'gauge', 11: 'ticks', 12: 'integer' },
    rows: store.table('/interface/wireless/registration-table').map((row) => {
      const mac = (row.values['mac-address'] ?? '').split(':').map((byte) => Number.parseInt(byte, 16))
      const port = store.find('interface', 'name', row.values.interface ?? '')?.id ?? 0
      const signal = signalOf(row, router)
      const low = (bytes: string | undefined) => Number(BigInt(bytes ?? 0) % 2n ** 32n)
      return {
        index: [...mac, port],
        cells: {
          3: signal,
          4: low(txBytes(row, router)),
          5: low(rxBytes(row, router)),
          8: 65_000_000,
          9: 52_000_000,
          11: Math.floor(router.upS * 100),
          12: signal + 104,
        },
      }
    }),
  }
}

function opticsOf(rows: readonly Row[], now: number): SnmpRows {
  return {
    entry: `${MIKROTIK}.19.1.1`,
    columns: {
      2: 'text',
      3: 'integer',
      4: 'integer',
      5: 'gauge',
      6: 'integer',
      7: 'gauge',
      8: 'gauge',
      9: 'integer',
      10: 'integer',
    },
    rows: rows.map(({ id, values: { name = '' } }) => ({
      index: [id],
      cells: {
        2: name,
        3: 0,
        4: 0,
        5: 131_000,
        6: Math.round(swing(name, 41, 2, now)),
        7: 3298,
        8: 32,
        9: Math.round(swing(`${name}tx`, -2064, 50, now)),
        10: Math.round(swing(`${name}rx`, -12_500, 400, now)),
      },
    })),
  }
}

function tenths(value: string): number {
  return Math.round(Number(value) * 10)
}
