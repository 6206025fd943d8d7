import { isAlive, readProc } from '../../base/index.ts'

/**
 * Returns text that no other process with the same pid has: the boot of this machine and the tick at which the process
 * started. Empty where the system has no /proc.
 */
function birthOf(pid: number): string {
  const fields = readProc(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  const tick = fields[19]
  return tick === undefined ? '' : `${readProc('/proc/sys/kernel/random/boot_id').trim()}:${tick}`
}

/** A process as a file names it: `pid birth`. */
export function processLine(pid: number): string {
  return `${pid} ${birthOf(pid)}\n`
}

/** The pid in a process line when that very process still lives; a reused pid is another process. */
export function livingProcess(line: string): number | undefined {
  const [text = '', birth = ''] = line.trim().split(' ')
  const pid = Number(text)
  if (!isAlive(pid)) return undefined
  return birth === '' || birth === birthOf(pid) ? pid : undefined
}
