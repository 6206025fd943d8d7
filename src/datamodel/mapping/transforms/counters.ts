import type { Transform, TransformContext } from '../transform.ts'
import type { Theme } from './basics.ts'
import { MAX_UPTIME_S } from './times.ts'

const WRAP = 2n ** 32n
/** A counter of 32 bits that is all ones holds no value (TR-098, statistics of WANDSLInterfaceConfig). */
const NO_VALUE = WRAP - 1n
/** More bytes or packets than this in one second pass no interface of a CPE: 10 Gbit/s. */
const MAX_PER_SECOND = 1_250_000_000n

function countIn(text: string): bigint | undefined {
  const bare = text.trim()
  return /^\+?\d{1,20}$/.test(bare) ? BigInt(bare.replace('+', '')) : undefined
}

/** Returns the places of the uptime of an interface: beside its counter, or in the object above. */
function interfaceClocks(source: string): string[] {
  const object = source.slice(0, source.lastIndexOf('.') + 1)
  const above = object.slice(0, object.lastIndexOf('.', object.length - 2) + 1)
  return [object, above].flatMap((place) => [`${place}Uptime`, `${place}UpTime`])
}

function deviceClock(source: string): string {
  return `${source.slice(0, source.indexOf('.') + 1)}DeviceInfo.UpTime`
}

/** The time since the reading before, as an uptime shows it. */
interface Run {
  /** True: it began to count anew; false: it has counted on until this reading; undefined: neither is known. */
  began: boolean | undefined
  /** Seconds for which it counts, where it was read with the counter. */
  seconds?: bigint
}

/** Returns what the first of some uptimes says that the device has; undefined where it has none of them. */
function runOf(context: TransformContext, clocks: readonly string[], since: number): Run | undefined {
  for (const path of clocks) {
    const raw = context.raw(path)
    if (raw === undefined) continue
    const seconds = countIn(raw)
    if (seconds === undefined || seconds > MAX_UPTIME_S) return { began: undefined }
    const readAt = context.readAt(path)
    if (readAt - Number(seconds) * 1000 > since) return { began: true }
    // An uptime that was read before the counter does not say what was between the two.
    return readAt < context.readAt(context.from) ? { began: undefined } : { began: false, seconds }
  }
  return undefined
}

/** An interface without an uptime counts as long as the device runs. */
function interfaceRun(context: TransformContext, since: number): Run {
  return runOf(context, interfaceClocks(context.from), since) ?? { began: false }
}

/** A boot that the device has reported ends a run, too, where its uptime is not read. */
function deviceRun(context: TransformContext, since: number): Run {
  const run = runOf(context, [deviceClock(context.from)], since) ?? { began: undefined }
  return run.began === undefined && (context.bootAt ?? 0) > since ? { began: true } : run
}

function passes(count: bigint, seconds: bigint): boolean {
  return count <= MAX_PER_SECOND * (seconds + 1n)
}

/**
 * A counter of 32 bits becomes one of 64: each wrap since the start of the device and of the interface adds 2^32. A
 * counter that is smaller than before has wrapped only where both uptimes, read with it, have counted on: too little is a
 * new beginning to a reader, too much is traffic.
 */
const counter32: Transform = {
  needsPrevious: true,
  readsWith: (source) => [deviceClock(source), ...interfaceClocks(source)],
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
    if (now >= last && base === 0n) return String(now)
    const readAt = context.readAt(context.from)
    // The same reading once more.
    if (now === last && readAt <= before.at) return before.value
    const runs = [deviceRun(context, before.at), interfaceRun(context, before.at)]
    if (runs.some(({ began }) => began === true)) return String(now)
    // A value that cannot have passed in the time holds a wrap that was none.
    if (runs.some(({ seconds }) => seconds !== undefined && !passes(base + now, seconds))) return String(now)
    if (now >= last) return String(base + now)
    const elapsed = BigInt(Math.max(0, Math.ceil((readAt - before.at) / 1000)))
    const wrapped = runs.every(({ began }) => began === false) && passes(WRAP - last + now, elapsed)
    return String(wrapped ? base + now + WRAP : now)
  },
}

/** Counters. */
export const COUNTERS: Theme = {
  counter32,
  // TR-181 counts its own rows: a number of the device is never copied.
  countRows: { read: () => undefined },
}
