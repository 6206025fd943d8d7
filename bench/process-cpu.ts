import { readFileSync } from 'node:fs'

/**
 * CPU time in milliseconds that a process has used so far, from the kernel's own account; undefined where there is no
 * /proc.
 */
export function cpuMs(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // Clock ticks are 10 ms on every Linux that Node runs on; fields 14 and 15 of the line are user and system time.
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return undefined
  }
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number | undefined {
  try {
    const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return match?.[1] === undefined ? undefined : Number(match[1]) * 1024
  } catch {
    return undefined
  }
}

/** Measures what named processes use while `work` runs. */
export async function measure<T>(
  pids: Record<string, number | undefined>,
  work: () => Promise<T>,
): Promise<{ value: T; wallMs: number; cpu: Record<string, number | undefined> }> {
  const before = snapshot(pids)
  const start = performance.now()
  const value = await work()
  const wallMs = performance.now() - start
  const after = snapshot(pids)
  const cpu: Record<string, number | undefined> = {}
  for (const name of Object.keys(pids)) {
    const from = before[name]
    const to = after[name]
    cpu[name] = from === undefined || to === undefined ? undefined : to - from
  }
  return { value, wallMs, cpu }
}

function snapshot(pids: Record<string, number | undefined>): Record<string, number | undefined> {
  return Object.fromEntries(
    Object.entries(pids).map(([name, pid]) => [name, pid === undefined ? undefined : cpuMs(pid)]),
  )
}

/** The least resident memory of a process within a time, in bytes: garbage of the work before is not counted. */
export async function leastResident(pid: number, ms: number): Promise<number | undefined> {
  let least: number | undefined
  for (const end = performance.now() + ms; performance.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 500))
    const now = residentBytes(pid)
    if (now !== undefined && (least === undefined || now < least)) least = now
  }
  return least
}
