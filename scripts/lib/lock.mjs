import { readFileSync, rmSync, writeFileSync } from 'node:fs'

const PAUSE_MS = 200
/** Milliseconds in which another process that found the same stale lock at the same time has put its own in place. */
const SETTLE_MS = 100

/**
 * Runs `work` while no other process runs its own under the same lock file. The file of a process that has ended does
 * not count.
 */
export function withLock(file, work, onWait) {
  take(file, onWait)
  try {
    return work()
  } finally {
    rmSync(file, { force: true })
  }
}

function take(file, onWait) {
  const mine = processLine(process.pid)
  for (let tries = 0, waited = false; ; tries++) {
    try {
      writeFileSync(file, mine, { flag: 'wx' })
      // Two that found the same dead lock may each remove it, the slower one the faster one's new lock: the last to write has it.
      if (tries > 0) sleep(SETTLE_MS)
      if (read(file) === mine) return
      continue
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    let holder = read(file)
    if (holder === '') {
      // Made but not yet written, unless its process died just there.
      sleep(SETTLE_MS)
      holder = read(file)
    }
    if (!lives(holder)) {
      rmSync(file, { force: true })
      continue
    }
    if (!waited) onWait()
    waited = true
    sleep(PAUSE_MS)
  }
}

/**
 * Returns `pid birth`: the birth distinguishes a process from a later one with the same pid, where the system reports
 * it.
 */
function processLine(pid) {
  return `${pid} ${birthOf(pid)}\n`
}

function lives(line) {
  const [pid, birth = ''] = line.trim().split(' ')
  if (!(Number(pid) > 0)) return false
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    if (error.code !== 'EPERM') return false
  }
  // Killed and not yet buried is gone too.
  if (/\) Z /.test(read(`/proc/${pid}/stat`))) return false
  return birth === '' || birth === birthOf(pid)
}

function birthOf(pid) {
  const tick = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')[19]
  return tick === undefined ? '' : `${read('/proc/sys/kernel/random/boot_id').trim()}:${tick}`
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
