import { readFileSync } from 'node:fs'

/** Whether a process with this pid exists. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Whether the process runs one of these programs, so that a reused pid is never mistaken for ours. Where the system does not tell
 * (no /proc), the pid file's word is taken.
 */
export function isOurs(pid: number, programs: string[]): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    if (/\) Z /.test(stat)) return false
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return programs.some((program) => command.includes(program))
  } catch {
    return process.platform !== 'linux'
  }
}
