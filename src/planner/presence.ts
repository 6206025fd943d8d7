import { cwmpPresence, type Device, type PlanMember, type Timestamp } from '../domain/index.ts'
import type { Wait } from './script.ts'

/**
 * Nothing is begun on a CPE that does not come: it would hold a place that another could use. Undefined: it is here, as far as its Informs show.
 * Else the member waits, without a due time, for the next contact. A CPE that was waited for in vain must have been heard of since.
 */
export function absence(device: Device, member: Pick<PlanMember, 'facts'>, now: Timestamp): Wait | undefined {
  const lastAt = device.cwmp?.lastInformAt ?? 0
  const missedAt = member.facts.missedAt ?? 0
  if (cwmpPresence(device, now) === 'online' && lastAt > missedAt) return undefined
  return { kind: 'wait', waiting: 'offline' }
}
