import type { Transform, TransformContext } from '../transform.ts'
import { objectOf, type Theme } from './basics.ts'

const WRAP = 2n ** 32n
/** A counter of 32 bits that is all ones holds no value (TR-098, statistics of WANDSLInterfaceConfig). */
const NO_VALUE = WRAP - 1n

function countIn(text: string): bigint | undefined {
  const bare = text.trim()
  return /^\+?\d{1,20}$/.test(bare) ? BigInt(bare.replace('+', '')) : undefined
}

/** Returns true when the device runs since before a time; undefined when that is not known. */
function deviceRanOn({ at, upTimeS }: TransformContext, since: number): boolean | undefined {
  return upTimeS === undefined ? undefined : at - upTimeS * 1000 <= since
}

/** Returns true when the uptime of the interface says that it began to count anew: it is beside the counter or above it. */
function interfaceBegan(context: TransformContext, since: number): boolean {
  const object = objectOf(context)
  const above = object.slice(0, object.lastIndexOf('.', object.length - 2) + 1)
  return ['Uptime', 'UpTime'].some((name) => {
    const seconds = countIn(context.raw(object + name) ?? context.raw(above + name) ?? '')
    return seconds !== undefined && context.at - Number(seconds) * 1000 > since
  })
}

/**
 * A counter of 32 bits becomes one of 64: each wrap seen since the start of the device adds 2^32. A counter that is
 * smaller than before and may have begun anew has no wrap: too little is a new beginning to a reader, too much is traffic.
 */
const counter32: Transform = {
  needsPrevious: true,
  read(raw, context) {
    const now = countIn(raw)
    if (now === undefined || now === NO_VALUE) return undefined
    const before = context.previous
    const last = countIn(before?.raw ?? '')
    const value = countIn(before?.value ?? '')
    // Without a reading before it, or from a device that counts in 64 bits, the counter is the value.
    if (before === undefined || last === undefined || value === undefined || now >= WRAP || last >= WRAP)
      return String(now)
    const ranOn = deviceRanOn(context, before.at)
    const base = value > last ? value - last : 0n
    if (now >= last) return String(ranOn === false ? now : base + now)
    return String(ranOn === true && !interfaceBegan(context, before.at) ? base + now + WRAP : now)
  },
}

/** Counters. */
export const COUNTERS: Theme = {
  counter32,
  // TR-181 counts its own rows: a number of the device is never copied.
  countRows: { read: () => undefined },
}
