import type { FactTree } from './fact-tree.ts'
import { type FactDerivation, type FactFields, present } from './group.ts'
import type { FactSources, OpticalHealth } from './live-facts.ts'
import { numberIn } from './readings.ts'

/** The places of a fact in the order in which they count; the first one with a plausible reading is its source. */
interface Place {
  pattern: RegExp
  read(text: string): FactFields
}

const INTERFACE = 'Device\\.Optical\\.Interface\\.\\d+\\.'
const TRANSCEIVER = 'Device\\.XPON\\.ONU\\.\\d+\\.ANI\\.\\d+\\.Transceiver\\.\\d+\\.'
const place = (at: string, read: Place['read']): Place => ({ pattern: new RegExp(`^${at}$`), read })

/**
 * TR-181: levels of Optical.Interface are in 0.001 dBm, powers of a Transceiver in 0.1 dBm. Devices that give dBm or
 * 0.1 dBm instead are known by the window in which a level of an optical line can be.
 */
const PLACES = {
  rxPowerDbm: [
    place(`${INTERFACE}OpticalSignalLevel`, (text) => received(scaled(text, 1000, 60))),
    place(`${TRANSCEIVER}RxPower`, (text) => received(scaled(text, 10, 40))),
  ],
  txPowerDbm: [
    place(`${INTERFACE}TransmitOpticalLevel`, (text) => ({ txPowerDbm: sent(scaled(text, 1000, 10)) })),
    place(`${TRANSCEIVER}TxPower`, (text) => ({ txPowerDbm: sent(scaled(text, 10, 0)) })),
  ],
  temperatureC: [place(`${TRANSCEIVER}Temperature`, (text) => ({ temperatureC: degrees(numberIn(text)) }))],
} as const satisfies Record<string, readonly Place[]>
type Fact = keyof typeof PLACES
const FACTS = Object.keys(PLACES) as Fact[]

/**
 * Returns dBm: a number of at most `plain` is dBm already, one of at most ten times that is 0.1 dBm, any other is in
 * the unit of the model, of which `unit` make 1 dBm.
 */
function scaled(text: string, unit: number, plain: number): number | undefined {
  const raw = numberIn(text)
  if (raw === undefined || raw === 0) return undefined
  const size = Math.abs(raw)
  if (size <= plain || !Number.isInteger(raw)) return round(raw)
  return round(size <= plain * 10 ? raw / 10 : raw / unit)
}

function round(dbm: number): number {
  return Math.round(dbm * 100) / 100
}

/** The level that no receiver is above, and below which there is no light (dBm). */
const RX_MAX = 10
const DARK = -40

function received(dbm: number | undefined): FactFields {
  if (dbm === undefined || dbm > RX_MAX || dbm < -70) return { rxPowerDbm: undefined, health: undefined }
  return { rxPowerDbm: dbm <= DARK ? undefined : dbm, health: healthOf(dbm) }
}

/** Returns the band of a received level; the bands of the panels of operators. */
function healthOf(dbm: number): OpticalHealth {
  if (dbm > -8) return 'overload'
  if (dbm >= -25) return 'good'
  if (dbm >= -27) return 'warning'
  return dbm > -30 ? 'critical' : 'noLight'
}

function sent(dbm: number | undefined): number | undefined {
  return dbm === undefined || Math.abs(dbm) > 10 ? undefined : dbm
}

/** A transceiver works between -40 and 125 degrees; -274 and 0 stand for no reading. */
function degrees(value: number | undefined): number | undefined {
  return value === undefined || value === 0 || value < -40 || value > 125 ? undefined : Math.round(value)
}

const TABLES = ['Device.Optical.Interface.', 'Device.XPON.ONU.'] as const
/** The interface is that of the line, not one of the LAN. */
const UPSTREAM = /^Device\.Optical\.Interface\.\d+\.Upstream$/

/** Returns the fact and the rank of a place; undefined for another parameter. */
function placeOf(path: string): { fact: Fact; rank: number; place: Place } | undefined {
  for (const fact of FACTS) {
    const rank = PLACES[fact].findIndex(({ pattern }) => pattern.test(path))
    const place = PLACES[fact][rank]
    if (place !== undefined) return { fact, rank, place }
  }
  return undefined
}

/** The places of a fact that a tree has, best first. */
function candidates(tree: FactTree, fact: Fact): string[] {
  const levels = tree.rows(TABLES[0]).filter((row) => tree.isOn(`${row}Upstream`))
  const transceivers = tree
    .rows(TABLES[1])
    .flatMap((onu) => tree.rows(`${onu}ANI.`))
    .flatMap((ani) => tree.rows(`${ani}Transceiver.`))
  const names: Record<Fact, [string | undefined, string]> = {
    rxPowerDbm: ['OpticalSignalLevel', 'RxPower'],
    txPowerDbm: ['TransmitOpticalLevel', 'TxPower'],
    temperatureC: [undefined, 'Temperature'],
  }
  const [level, power] = names[fact]
  return [
    ...(level === undefined ? [] : levels.map((row) => row + level)),
    ...transceivers.map((row) => row + power),
  ].filter((path) => tree.get(path) !== undefined)
}

/** The optical line: the first place with a plausible reading. A source without one stays the source. */
export const OPTICAL: FactDerivation = {
  tables: TABLES,
  objects: [],
  bears: (path) =>
    TABLES.some((table) => path.startsWith(table)) && (UPSTREAM.test(path) || placeOf(path) !== undefined),
  derive(tree) {
    const fields: FactFields = {}
    const sources: FactSources = {}
    for (const fact of FACTS) {
      const read = candidates(tree, fact).flatMap((path) => {
        const found = placeOf(path)?.place.read(tree.get(path) ?? '')
        return found === undefined ? [] : [{ path, found: present(found) }]
      })
      const first = read.find(({ found }) => Object.keys(found).length > 0) ?? read[0]
      if (first === undefined) continue
      Object.assign(fields, first.found)
      sources[fact] = first.path
    }
    return { ...fields, ...(Object.keys(sources).length === 0 ? {} : { sources }) }
  },
  take(fact, { value }, before) {
    const found = placeOf((before.sources as FactSources | undefined)?.[fact] ?? '')
    if (found === undefined) return undefined
    const fields = found.place.read(value)
    // Without a reading another place may have one; where none had one before, none is looked for with each report.
    const hasNone = Object.keys(present(fields)).length === 0
    return hasNone && before[fact] !== undefined ? undefined : fields
  },
  matters(path, { value }, before) {
    const found = placeOf(path)
    if (found === undefined) return true
    const source = (before.sources as FactSources | undefined)?.[found.fact]
    if (source === undefined) return true
    const hasReading = Object.keys(present(found.place.read(value))).length > 0
    return hasReading && (before[found.fact] === undefined || found.rank < (placeOf(source)?.rank ?? 0))
  },
}
