import type { Work } from '../../src/base/index.ts'

/** Does work without pauses, whatever it costs. */
export function atOnce<T>(work: Work<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}
