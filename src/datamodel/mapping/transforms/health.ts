import type { Transform } from '../transform.ts'
import { leafOf, numberIn, objectOf, positive, type Theme, whole } from './basics.ts'

/** Returns a percentage; undefined outside of 0 to 100. */
function percentIn(raw: string): number | undefined {
  const value = numberIn(raw)
  return value === undefined || value < 0 || value > 100 ? undefined : value
}

/** A percentage; of several cores (`4%;1%`) the mean. */
const percent: Transform = {
  read(raw) {
    const cores = raw
      .slice(0, 256)
      .split(';')
      .filter((core) => core.trim() !== '')
      .map(percentIn)
    const known = cores.filter((core) => core !== undefined)
    if (known.length === 0 || known.length < cores.length) return undefined
    return whole(known.reduce((sum, core) => sum + core, 0) / known.length)
  },
}

/** Returns the KiB of one unit of an amount of memory: it is MiB below 8192, bytes above 8,000,000, or as it says. */
function kibOf(raw: string): number | undefined {
  const value = numberIn(raw)
  if (value === undefined || value <= 0) return undefined
  const unit = /[a-z]+/i.exec(raw.slice(0, 80))?.[0].toLowerCase() ?? ''
  if (unit.startsWith('k')) return 1
  if (unit.startsWith('m')) return 1024
  if (unit.startsWith('g')) return 1024 ** 2
  if (value < 8192) return 1024
  return value > 8e6 ? 1 / 1024 : 1
}

/** Returns memory in KiB. */
function kibIn(raw: string): number | undefined {
  const unit = kibOf(raw)
  return unit === undefined ? undefined : (numberIn(raw) ?? 0) * unit
}

/** Memory; the unit of what is free is that of the total beside it, as little may be free. */
const memoryKib: Transform = {
  reads: ['Total'],
  read(raw, context) {
    const total = leafOf(context) === 'Free' ? context.raw(`${objectOf(context)}Total`) : undefined
    const unit = (total === undefined ? undefined : kibOf(total)) ?? kibOf(raw)
    const value = numberIn(raw)
    if (unit === undefined || value === undefined || value * unit > 0xffffffff) return undefined
    return positive(Math.floor(value * unit))
  },
}

/** Free memory from the percentage that is used, of the total of the standard parameter. */
const memoryFreeOfUsed: Transform = {
  reads: ['MemoryStatus.Total'],
  read(raw, context) {
    const used = percentIn(raw)
    const total = kibIn(context.raw(`${objectOf(context)}MemoryStatus.Total`) ?? '')
    return used === undefined || total === undefined ? undefined : whole(Math.floor((total * (100 - used)) / 100))
  },
}

/** Temperature of the board; -274 is no reading (TR-181, TemperatureSensor). */
const boardTemperature: Transform = {
  read(raw) {
    const value = numberIn(raw)
    return value === undefined || value < -60 || value > 150 ? undefined : whole(value)
  },
}

/** Load, memory and temperature of the device. */
export const HEALTH: Theme = {
  boardTemperature,
  memoryFreeOfUsed,
  memoryKib,
  percent,
}
