/** One Ctrl-C can arrive twice within this time: from the terminal, and passed on by npm. */
const SAME_SIGNAL_MS = 500

/**
 * Returns the meaning of each signal that asks the process to end: `stop` for the first one and for its repetition
 * within half a second, `endAtOnce` for each later one. `now` is a monotonic time in milliseconds.
 */
export function createStopSignals(now: () => number): () => 'stop' | 'endAtOnce' {
  let firstAt: number | undefined
  return () => {
    firstAt ??= now()
    return now() - firstAt > SAME_SIGNAL_MS ? 'endAtOnce' : 'stop'
  }
}
