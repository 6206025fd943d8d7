import { sleep } from '../../base/index.ts'
import { CpeFault, NoAnswer } from '../../cwmp/index.ts'
import type { CpeQuirk } from './cpe-quirk.ts'
import { beforeReading, isPartial } from './methods.ts'

/** `''`, or the root object. */
const WHOLE_TREE = /^([A-Za-z]+\.)?$/
/** A device that does not answer is silent for so long before it ends the session. */
const SILENT_MS = 60_000

/** GetParameterValues of more names than this is answered with 9002. */
export function refusesBatchesAbove(most: number): CpeQuirk {
  return {
    methods: (inner) =>
      beforeReading(inner, (names) => {
        if (names.length > most) throw new CpeFault(9002, 'Internal error')
      }),
  }
}

/** A weak CPE breaks down: the connection is cut at a read of more names than this, and at one of the whole tree. */
export function breaksAbove(most: number): CpeQuirk {
  return {
    methods: (inner) =>
      beforeReading(inner, (names) => {
        if (names.length > most || names.some((name) => WHOLE_TREE.test(name)))
          throw new NoAnswer('the CPE broke down over a large request')
      }),
  }
}

/** A read of the whole tree gets no answer in time. */
export const silentOverWholeTree: CpeQuirk = {
  methods: (inner, { clock }) =>
    beforeReading(inner, async (names) => {
      if (!names.some((name) => WHOLE_TREE.test(name))) return
      await sleep(clock, SILENT_MS)
      throw new NoAnswer('the CPE did not finish the read of its whole tree')
    }),
}

/** These parameters are listed by GetParameterNames, and answered with 9005 when they are read. */
export function ghosts(paths: RegExp): CpeQuirk {
  return { model: (inner) => ({ ...inner, get: (path) => (paths.test(path) ? undefined : inner.get(path)) }) }
}

/** A partial path with nothing below it is answered with 9005. */
export const refusesEmptyPaths: CpeQuirk = {
  methods: (inner, { model }) =>
    beforeReading(inner, (names) => {
      const hasNone = (name: string) => model.parameters(name).every((path) => model.get(path) === undefined)
      if (names.some((name) => isPartial(name) && hasNone(name))) throw new CpeFault(9005, 'Invalid parameter name')
    }),
}

/** Full names are read only: a partial path is answered with 9005, and so is a number of entries. */
export const refusesPartialPaths: CpeQuirk = {
  methods: (inner) =>
    beforeReading(inner, (names) => {
      if (names.some((name) => isPartial(name) || name.endsWith('NumberOfEntries')))
        throw new CpeFault(9005, 'Invalid parameter name')
    }),
}

/** These parameters are read as one text, whatever they hold, such as `****` or ''. */
export function readsAs(paths: RegExp, text: string): CpeQuirk {
  return {
    model: (inner) => ({
      ...inner,
      get: (path) => (paths.test(path) && inner.get(path) !== undefined ? text : inner.get(path)),
    }),
  }
}
