import type { Transform } from '../transform.ts'
import { numberIn, positive, quoted, refusal, type Theme, toSource, whole, wholeIn } from './basics.ts'

/** The least rate of a station that TR-181 has (LastDataDownlinkRate). */
const MIN_KBPS = 1000
/** More Mbit/s than a station has. */
const MAX_MBPS = 12_000

/** Returns the transform of a rate that is a number times a factor; 0 is no rate. */
function rate(factor: number, round: (value: number) => number = Math.floor, min = 1): Transform {
  return {
    read(raw) {
      const value = numberIn(raw)
      if (value === undefined) return undefined
      const scaled = round(roundOff(value * factor))
      return scaled >= min && scaled <= 0xffffffff ? String(scaled) : undefined
    },
  }
}

/** Removes the error of a product of decimals: 866.7 * 1000 is 866700. */
function roundOff(value: number): number {
  return Number(value.toPrecision(12))
}

/** MaxBitRate of Ethernet: Mbit/s in text, or `Auto`. */
const bitRateMbps: Transform = {
  read(raw) {
    if (raw.trim().toLowerCase() === 'auto') return '-1'
    const value = numberIn(raw)
    if (value === -1) return '-1'
    return value === undefined || value > 1e7 ? undefined : positive(value)
  },
  write(value, context) {
    const wanted = wholeIn(value)
    if (wanted === -1) return toSource(context, 'Auto')
    if (wanted === undefined || wanted <= 0)
      throw refusal(context, `${quoted(value)} is no rate; write Mbit/s, or -1 for automatic`)
    const unit = /^\d+( ?[A-Za-z/]{1,8})$/.exec(context.raw(context.from)?.trim().slice(0, 20) ?? '')?.[1] ?? ''
    return toSource(context, `${wanted}${unit}`)
  },
}

/** Percent of the transmit power; TR-098 has no automatic one. */
const txPower: Transform = {
  read(raw) {
    const value = numberIn(raw)
    return value === undefined || value < 0 || value > 100 ? undefined : whole(value)
  },
  write(value, context) {
    const wanted = wholeIn(value)
    if (wanted === undefined || wanted < 0 || wanted > 100)
      throw refusal(context, `${quoted(value)} is no percentage from 0 to 100, and the device has no automatic power`)
    return toSource(context, String(wanted))
  },
}

/** A traffic class; -1 on the device is none. */
const noClass: Transform = {
  read(raw) {
    const value = wholeIn(raw)
    return value === undefined || value < 0 ? undefined : String(value)
  },
  write(value, context) {
    const wanted = value.trim() === '' ? -1 : wholeIn(value)
    if (wanted === undefined || wanted < -1)
      throw refusal(context, `${quoted(value)} is no traffic class; write a number, or an empty value for none`)
    return toSource(context, String(wanted))
  },
}

/** A number whose -1 means not applicable, which TR-181 writes as 0. */
const negToZero: Transform = {
  read(raw) {
    const value = wholeIn(raw)
    return value === undefined ? undefined : String(value === -1 ? 0 : value)
  },
}

const fromMbps = rate(1000, Math.round, MIN_KBPS)
const fromKbps = rate(1, Math.round, MIN_KBPS)

/** The rate of a station: Mbit/s by TR-098, and kbit/s where it is more than a station has. */
const mbpsToKbps: Transform = {
  read: (raw, context) => ((numberIn(raw) ?? 0) > MAX_MBPS ? fromKbps : fromMbps).read(raw, context),
}

/** Rates, numbers that mean none, and percentages. */
export const UNITS: Theme = {
  bitRateMbps,
  bpsToKbps: rate(1e-3),
  bpsToMbps: rate(1e-6),
  // On devices that give kbit/s where TR-098 says bit/s.
  kbpsToMbps: rate(1e-3),
  mbpsToKbps,
  // On devices that give kbit/s where TR-098 says Mbit/s.
  kbps: fromKbps,
  wlanMaxBitRate: rate(1, Math.ceil),
  // On devices that measure in microseconds.
  usToMs: {
    read(raw) {
      const value = numberIn(raw)
      return value === undefined || value < 0 ? undefined : whole(value / 1000)
    },
  },
  negToZero,
  noClass,
  txPower,
}
