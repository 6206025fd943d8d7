import { readFileSync } from 'node:fs'

/** Returns true when a process with this pid exists and is no zombie. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  return !/\) Z /.test(readProc(`/proc/${pid}/stat`))
}

/** Returns a file of /proc; '' when there is no such process, or no /proc on this system. */
export function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
