import type { Transform, TransformContext } from '../transform.ts'
import { objectOf, type Theme } from './basics.ts'

const WRAP = 2n ** 32n
/** A counter of 32 bits that is all ones holds no value (TR-098, statistics of WANDSLInterfaceConfig). */
const NO_VALUE = WRAP - 1n

function countIn(text: string): bigint | undefined {
  const bare = text.trim()
  return /^\+?\d{1,20}$/.test(bare) ? BigInt(bare.replace('+', '')) : undefined
}

/** Returns true when the device and the interface run since before the reading before this one. */
function ranOn(context: TransformContext, since: number): boolean {
  if (context.upTimeS === undefined || context.at - context.upTimeS * 1000 > since) return false
  for (const name of ['Uptime', 'UpTime']) {
    const object = objectOf(context)
    const above = object.slice(0, object.lastIndexOf('.', object.length - 2) + 1)
    const seconds = countIn(context.raw(object + name) ?? context.raw(above + name) ?? '')
    if (seconds !== undefined && context.at - Number(seconds) * 1000 > since) return false
  }
  return true
}

/** A counter of 32 bits becomes one of 64: each wrap seen since the start of the device adds 2^32. */
const counter32: Transform = {
  needsPrevious: true,
  reads: ['Uptime', 'UpTime'],
  read(raw, context) {
    const now = countIn(raw)
    if (now === undefined || now === NO_VALUE) return undefined
    const before = context.previous
    const last = countIn(before?.raw ?? '')
    const value = countIn(before?.value ?? '')
    // Without a reading before it, or from a device that counts in 64 bits, the counter is the value.
    if (before === undefined || last === undefined || value === undefined || now >= WRAP || last >= WRAP)
      return String(now)
    const base = value > last ? value - last : 0n
    if (ranOn(context, before.at)) return String(base + now + (now < last ? WRAP : 0n))
    // A counter that went on is older than the device is known to be.
    return String(context.upTimeS === undefined && now >= last ? base + now : now)
  },
}

/** Counters. */
export const COUNTERS: Theme = {
  counter32,
  // TR-181 counts its own rows: a number of the device is never copied.
  countRows: { read: () => undefined },
}
