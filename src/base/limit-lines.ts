import type { Clock } from './clock.ts'
import type { Log, LogFields } from './log.ts'

const WINDOW_MS = 60_000

/**
 * A log for lines that strangers cause: each message is written `perMinute` times a minute at most. The next line with
 * it after that minute has `leftOut`, the number of lines that were not written. Debug and trace lines are not limited.
 */
export function limitLines(log: Log, clock: Clock, perMinute: number): Log {
  const seen = new Map<string, { since: number; written: number; leftOut: number }>()
  const limited = (write: (fields: LogFields, message: string) => void) => (fields: LogFields, message: string) => {
    const now = clock.now()
    const state = seen.get(message) ?? { since: now, written: 0, leftOut: 0 }
    seen.set(message, state)
    const age = now - state.since
    if (age >= WINDOW_MS || age < 0) {
      state.since = now
      state.written = 0
    }
    if (state.written >= perMinute) {
      state.leftOut++
      return
    }
    state.written++
    const { leftOut } = state
    state.leftOut = 0
    write(leftOut === 0 ? fields : { ...fields, leftOut }, message)
  }
  return {
    trace: (fields, message) => log.trace(fields, message),
    debug: (fields, message) => log.debug(fields, message),
    info: limited((fields, message) => log.info(fields, message)),
    warn: limited((fields, message) => log.warn(fields, message)),
    error: limited((fields, message) => log.error(fields, message)),
    child: (fields) => log.child(fields),
    isDebug: () => log.isDebug(),
  }
}
