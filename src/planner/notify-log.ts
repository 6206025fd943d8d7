import type { EventLog } from '../device/index.ts'
import type { NotifyLog } from './script.ts'

const PAGE = 100

/** Reads Notifies from the feed, which holds those of all instances. */
export function feedNotifies(events: EventLog): NotifyLog {
  return {
    async position() {
      return (await events.since(undefined, 1)).at(-1)?.id ?? ''
    },
    async heard(deviceId, path, value, after) {
      let from = after
      for (;;) {
        const page = await events.ofDevice(deviceId, from, PAGE)
        const found = page.some(
          ({ type, protocol, data }) =>
            type === 'parameter.changed' && protocol === 'usp' && data.path === path && data.value === value,
        )
        if (found) return true
        const last = page.at(-1)
        if (page.length < PAGE || last === undefined) return false
        from = last.id
      }
    },
  }
}
