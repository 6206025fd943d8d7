import { cwmpPresence, type Device, type Timestamp } from '../domain/index.ts'
import type { RolloutMember } from './plan.ts'
import type { Wait } from './script-set.ts'

/**
 * The wait of a member whose CPE is absent; undefined when it is here, as far as its Informs show. Nothing is begun on
 * an absent CPE: it would hold a place that another could use. The wait has no due time: the next contact ends it. A
 * CPE that was waited for in vain must have sent an Inform since.
 */
export function absence<M extends RolloutMember>(
  device: Device,
  member: Pick<M, 'facts'>,
  now: Timestamp,
): Wait<M> | undefined {
  const lastAt = device.cwmp?.lastInformAt ?? 0
  const missedAt = member.facts.missedAt ?? 0
  if (cwmpPresence(device, now) === 'online' && lastAt > missedAt) return undefined
  return { kind: 'wait', waiting: 'offline' }
}
