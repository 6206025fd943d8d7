import { readdirSync, readFileSync } from 'node:fs'
import { until } from './until.ts'

/**
 * Stops a process as SIGSTOP does, and waits until it is stopped. The signal alone is not enough: the kernel stops the
 * other threads of the process only when the one that takes the signal is on a core.
 */
export async function holdProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  if (process.platform !== 'linux') return
  await until(() => threadStates(pid).every((state) => state === 'T'))
}

/** The state of each thread as in proc(5): T is stopped. */
function threadStates(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((id) => /\) (\w) [^)]*$/.exec(stateLine(pid, id))?.[1] ?? 'T')
}

/** Empty for a thread that has ended since it was listed. */
function stateLine(pid: number, thread: string): string {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
  } catch {
    return ''
  }
}
