import type { Row } from '../basis/table.ts'
import { partOf, writeDate, writeDuration } from '../basis/text.ts'
import type { RouterView } from '../basis/view.ts'
import type { Live } from './menu.ts'

/** Bytes of a packet, on average. */
const PACKET = 700

/** Returns true when the version is this one or newer. */
export function isFrom(version: string, major: number, minor = 0): boolean {
  const [a = 0, b = 0] = version.split('.').map(Number)
  return a > major || (a === major && b >= minor)
}

/** A level that swings around a middle within some minutes, each row at its own time. */
export function swing(key: string, middle: number, spread: number, now: number): number {
  return middle + spread * Math.sin(partOf(key) * 2 * Math.PI + now / 90_000)
}

/** True for an interface that is enabled and has a link, as all below it. */
export function isRunning(row: Row, router: RouterView): boolean {
  const { values } = row
  if (values.disabled === 'true' || values['~link'] === 'down') return false
  const below = values.interface ?? values['master-interface']
  if (below === undefined || values.type === 'bridge') return true
  const lower = router.store.find('interface', 'name', below)
  return lower === undefined || lower === row || isRunning(lower, router)
}

export const running: Live = (row, router) => String(isRunning(row, router))

/** A 64-bit counter: begins at a boot, grows by the load of its row in bytes per second. */
export function counter(load: '~rx' | '~tx', per = 1): Live {
  return ({ values }, { upS }) => String(grown(values, load, upS, per))
}

function grown(values: Row['values'], load: '~rx' | '~tx', upS: number, per: number): bigint {
  const base = BigInt(values[`${load}-base`] ?? '0')
  return base + BigInt(Math.floor((upS * Number(values[load] ?? '0')) / per))
}

export const rxBytes = counter('~rx')
export const txBytes = counter('~tx')
export const rxPackets = counter('~rx', PACKET)
export const txPackets = counter('~tx', PACKET)

/** `sent,received` of an access point: sent is to the client. */
export const bytePair: Live = (row, router) => `${txBytes(row, router)},${rxBytes(row, router)}`
export const packetPair: Live = (row, router) => `${txPackets(row, router)},${rxPackets(row, router)}`

/** Returns bits per second at this moment, for a load in bytes per second. */
export function bitsPerSecond(row: Row, load: '~rx' | '~tx', { now }: RouterView): number {
  const bytes = Number(row.values[load] ?? '0')
  return Math.max(0, Math.round(swing(`${row.id}${load}`, bytes * 8, bytes * 3, now)))
}

/** Time since the row began, or since the boot. */
export const sinceStart: Live = ({ values }, { now, upS }) =>
  writeDuration(Math.min(upS, (now - Number(values['~since'] ?? '0')) / 1000))

/** A time of the row by its key, as the version writes it. */
export function dateOf(key: string): Live {
  return ({ values }, { version }) => {
    const ms = values[key]
    return ms === undefined ? undefined : writeDate(Number(ms), isFrom(version, 7, 10))
  }
}

/** Levels of a client of an access point, in whole dBm. */
export function signalOf({ values }: Row, { now }: RouterView): number {
  const level = swing(values['mac-address'] ?? '', Number(values['~dbm'] ?? -60), Number(values['~spread'] ?? 3), now)
  return Math.round(Math.max(-120, Math.min(0, level)))
}
