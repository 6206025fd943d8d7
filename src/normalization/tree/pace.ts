import { inTurns, Pace, type Work } from '../../base/index.ts'

/** Parameters of one turn of the event loop, over all devices: some milliseconds. */
const PACE = new Pace(2_000)
/** Parameters of one portion. */
const PORTION = 100

/** Does work whose unit is one parameter in turns of the event loop, together with all other work on trees. */
export function paced<T>(work: Work<T>): Promise<T> {
  return inTurns(work, PACE)
}

/** Calls back with each parameter, in turns of the event loop. */
export function pacedEach<I>(items: Iterable<I>, each: (item: I) => void): Promise<void> {
  return paced(
    (function* () {
      let count = 0
      for (const item of items) {
        if (count++ % PORTION === 0) yield PORTION
        each(item)
      }
    })(),
  )
}
