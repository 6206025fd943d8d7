import { type Device, memberStateRow, type PlanMember, wasResetSince } from '../../domain/index.ts'
import type { MemberStep } from './transition.ts'

/** The event for a member whose device has no record any more. */
export const DELETED: MemberStep = { event: 'gone', reason: { code: 'deviceGone', text: 'the device was deleted' } }
/** The event for a migrated member whose device another plan has brought back. */
export const LEFT: MemberStep = {
  event: 'left',
  reason: { code: 'rolledBackElsewhere', text: 'another plan has brought the device back' },
}

/**
 * The event that a member did not get although the record of its device shows that it happened: a server that dies
 * takes the events that it has not carried out with it. `reset`: the device was reset to factory settings. Undefined
 * when member and record agree. `device` is to be read after the member.
 */
export function missedBy(member: PlanMember, device: Device | undefined): MemberStep | 'reset' | undefined {
  const { holds, phase } = memberStateRow(member.state)
  if (device === undefined) return holds === 'none' && phase === 'ended' ? undefined : DELETED
  if (holds === 'none') return undefined
  const { migration: pointer } = device
  // The commit that let the member hold the device has set the pointer: this is another record, made after the old one
  // was deleted.
  if (pointer === undefined) return DELETED
  if (pointer.planId !== member.planId) {
    if (holds !== 'moved') return DELETED
    return memberStateRow(pointer.state).holds === 'none' && device.owner === 'cwmp' ? LEFT : undefined
  }
  return member.state === 'MIGRATED' && wasResetSince(member.facts.bootstrapAt, device) ? 'reset' : undefined
}
