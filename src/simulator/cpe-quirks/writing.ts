import { CpeFault } from '../../cwmp/index.ts'
import type { CpeQuirk } from './cpe-quirk.ts'
import { afterSetting, beforeSetting } from './methods.ts'

/** Writes to these paths, and rows added to these tables, are refused with a fault code. */
export function refusesWrites(paths: RegExp, code: number): CpeQuirk {
  const refused = { code, text: 'refused' }
  return {
    model: (inner) => ({
      ...inner,
      check: (path, value) => (paths.test(path) ? refused : inner.check(path, value)),
      add: (table) => (paths.test(table) ? refused : inner.add(table)),
    }),
  }
}

/** Rows that the device made by itself: their parameters are listed as read only, and refuse writes with 9008. */
export function readOnlyRows(rows: RegExp): CpeQuirk {
  const refused = { code: 9008, text: 'the row is dynamic' }
  return {
    model: (inner) => ({
      ...inner,
      find(path) {
        const node = inner.find(path)
        return node === undefined || !rows.test(path) ? node : { ...node, writable: false }
      },
      check: (path, value) => (rows.test(path) ? refused : inner.check(path, value)),
      remove: (row) => (rows.test(row) ? refused : inner.remove(row)),
    }),
  }
}

/** These parameters take the value that they have, and are refused with a fault code for another one. */
export function keepsValues(paths: RegExp, code: number): CpeQuirk {
  return {
    model: (inner) => ({
      ...inner,
      check: (path, value) =>
        paths.test(path) && value !== inner.get(path)
          ? { code, text: 'takes the value that it has alone' }
          : inner.check(path, value),
    }),
  }
}

/** SetParameterValues takes one of these parameters at a time, and answers two of them with 9003. */
export function oneAtATime(paths: RegExp): CpeQuirk {
  return {
    methods: (inner) =>
      beforeSetting(inner, (values) => {
        if (values.filter(({ name }) => paths.test(name)).length > 1) throw new CpeFault(9003, 'Invalid arguments')
      }),
  }
}

/** SetParameterValues of these parameters is answered with Status 1: the values take effect at the next boot. */
export function appliesAtBoot(paths: RegExp): CpeQuirk {
  return {
    methods: (inner) =>
      afterSetting(inner, paths, (answer) =>
        answer.response.name === 'SetParameterValues'
          ? { ...answer, response: { ...answer.response, body: { Status: 1 } } }
          : answer,
      ),
  }
}

/** The device restarts on its own after the session in which one of these parameters was set. */
export function restartsOn(paths: RegExp): CpeQuirk {
  return {
    methods: (inner, { restart }) => afterSetting(inner, paths, (answer) => ({ ...answer, afterSession: restart })),
  }
}

/** A commanded reboot has no `M Reboot`: `1 BOOT` comes alone. */
export const noRebootEvent: CpeQuirk = {
  methods: (inner) => ({
    ...inner,
    inform: (facts) => inner.inform({ ...facts, events: facts.events.filter(({ code }) => code !== 'M Reboot') }),
  }),
}
