import { CpeFault, NoAnswer } from '../../cwmp/index.ts'
import type { CpeQuirk } from './cpe-quirk.ts'
import { beforeReading, isPartial } from './methods.ts'

/** `''`, or the root object. */
const WHOLE_TREE = /^([A-Za-z]+\.)?$/

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
