import { cwmpPresence, type Device, type PlanMember, type Timestamp } from '../device/index.ts'
import type { Outcome } from './script.ts'

const MIN_LOOK_MS = 30_000
const MAX_LOOK_MS = 900_000

/**
 * Nothing is begun on a box that does not come: it would hold a place that another could use. Undefined: it is here, as far as its Informs
 * tell; else how long to wait before looking again, the longer the longer it has been gone. A box that was waited for in vain must have been
 * heard of since (`missedAt` of the cursor).
 */
export function absence(
  device: Device,
  member: PlanMember,
  now: Timestamp,
): Extract<Outcome, { kind: 'wait' }> | undefined {
  const lastAt = device.cwmp?.lastInformAt ?? 0
  const missedAt = typeof member.cursor.missedAt === 'number' ? member.cursor.missedAt : 0
  if (cwmpPresence(device, now) === 'online' && lastAt > missedAt) return undefined
  return {
    kind: 'wait',
    waiting: 'offline',
    untilMs: Math.min(Math.max((now - Math.max(lastAt, missedAt)) / 10, MIN_LOOK_MS), MAX_LOOK_MS),
  }
}
