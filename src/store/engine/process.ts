import { readFileSync } from 'node:fs'

/** Returns true when a process with this pid exists and is no zombie. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return !/\) Z /.test(read(`/proc/${pid}/stat`))
}

/**
 * Returns text that no other process with the same pid has: the boot of this machine and the tick at which the process
 * started. Empty where the system has no /proc.
 */
function birthOf(pid: number): string {
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  const tick = fields[19]
  return tick === undefined ? '' : `${read('/proc/sys/kernel/random/boot_id').trim()}:${tick}`
}

/** A process as a file names it: `pid birth`. */
export function processLine(pid: number): string {
  return `${pid} ${birthOf(pid)}\n`
}

/** The pid in a process line when that very process still lives; a reused pid is somebody else. */
export function livingProcess(line: string): number | undefined {
  const [text = '', birth = ''] = line.trim().split(' ')
  const pid = Number(text)
  if (!isAlive(pid)) return undefined
  return birth === '' || birth === birthOf(pid) ? pid : undefined
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // No such process, or no /proc on this system.
    return ''
  }
}
