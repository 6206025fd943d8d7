import { idBoundAt, timeOfId } from '../base/index.ts'
import type { EventLog } from '../domain/index.ts'
import type { NotifyLog } from './machine/script.ts'

const PAGE = 100
/**
 * The ids of two instances are in the order of their clocks, which may differ by so much, or were set back by so much.
 */
const SKEW_MS = 3_600_000

/**
 * Reads Notifies from the feed, which holds those of all instances. A value must be one that the device has not
 * notified of in the last hour.
 */
export function feedNotifies(events: EventLog): NotifyLog {
  return {
    async position() {
      const newest = (await events.since(undefined, 1)).at(-1)?.id
      return newest === undefined ? '' : idBoundAt(Math.max(0, timeOfId(newest) - SKEW_MS))
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
