import { cpuMs } from './process-cpu.ts'

/** Times of reads and writes in milliseconds, and the CPU time of the process that they went through. */
export interface RouterTimes {
  gets: number[]
  sets: number[]
  cpu: number | undefined
}

/** Time in which each router is read and written once. */
export const LOAD_MS = 60_000

/** Reads and writes each of `count` routers once in a minute, evenly, whatever is still under way. */
export async function loadRouters(
  pid: number,
  count: number,
  get: (index: number) => Promise<unknown>,
  set: (index: number) => Promise<unknown>,
): Promise<RouterTimes> {
  const gets: number[] = []
  const sets: number[] = []
  const under: Promise<void>[] = []
  const before = cpuMs(pid)
  const begun = performance.now()
  for (let index = 0; index < count; index++) {
    await pause(begun + (index * LOAD_MS) / count - performance.now())
    under.push(timed(sets, () => set(index)))
    // The read of another router, so that neither waits for the other.
    under.push(timed(gets, () => get((index + (count >> 1)) % count)))
  }
  await Promise.all(under)
  await pause(begun + LOAD_MS - performance.now())
  const after = cpuMs(pid)
  return { gets, sets, cpu: before === undefined || after === undefined ? undefined : after - before }
}

/** CPU time in milliseconds that a process uses while nothing is asked of it for so long. */
export async function cpuAtRest(pid: number, ms: number): Promise<number | undefined> {
  const before = cpuMs(pid)
  await pause(ms)
  const after = cpuMs(pid)
  return before === undefined || after === undefined ? undefined : after - before
}

/** The time that so many percent of all do not exceed. */
export function percentile(times: readonly number[], percent: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN
}

/** Resolves after so many milliseconds; at once for none. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}
async function timed(times: number[], work: () => Promise<unknown>): Promise<void> {
  const begun = performance.now()
  await work()
  times.push(performance.now() - begun)
}
