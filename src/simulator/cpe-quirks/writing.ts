import type { CpeQuirk } from './cpe-quirk.ts'

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

/** A commanded reboot has no `M Reboot`: `1 BOOT` comes alone. */
export const noRebootEvent: CpeQuirk = {
  methods: (inner) => ({
    ...inner,
    inform: (facts) => inner.inform({ ...facts, events: facts.events.filter(({ code }) => code !== 'M Reboot') }),
  }),
}
