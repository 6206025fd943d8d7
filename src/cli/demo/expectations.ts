import type { MemberState, Protocol } from '../../domain/index.ts'

/** A simulated box as the fleet tells of it. */
export interface SimulatedSummary {
  deviceId: string
  kind: string
  /** Names of its scripted faults. */
  faults: string[]
}

/** Where a box must be in the end: the states that are right for it, and the protocol that must own it. */
export interface Expectation {
  states: readonly (MemberState | 'none')[]
  owner: Protocol
}

/** Faults that no retry mends: the box must end where it began, untouched, with the reason known. */
const FATAL: Record<string, readonly MemberState[]> = {
  rejectsWrite: ['ROLLED_BACK', 'FAILED', 'QUARANTINED'],
  neverOnboards: ['ROLLED_BACK', 'FAILED', 'QUARANTINED'],
  wrongEndpointId: ['CONFLICT'],
}

/** What must become of a box once the plan over its group is finished. */
export function expectationOf(box: SimulatedSummary): Expectation {
  if (box.kind === 'legacyTr098') return { states: ['none'], owner: 'cwmp' }
  if (box.kind === 'uspOnly') return { states: ['none'], owner: 'usp' }
  if (box.kind === 'tr181NoAgent') return { states: ['INELIGIBLE'], owner: 'cwmp' }
  for (const fault of box.faults) {
    const states = FATAL[fault]
    if (states !== undefined) return { states, owner: 'cwmp' }
  }
  return { states: ['MIGRATED'], owner: 'usp' }
}

/** The boxes that are not where they should be, one line each. */
export function misplaced(
  boxes: SimulatedSummary[],
  devices: ReadonlyMap<string, { owner: string; state: string | undefined }>,
): string[] {
  return boxes.flatMap((box) => {
    const want = expectationOf(box)
    const found = devices.get(box.deviceId)
    const label = `${box.deviceId} (${[box.kind, ...box.faults].join(', ')})`
    if (found === undefined) return [`${label}: the server does not know it`]
    const state = found.state ?? 'none'
    if (!(want.states as readonly string[]).includes(state))
      return [`${label}: is ${state}, should be ${want.states.join(' or ')}`]
    if (found.owner !== want.owner) return [`${label}: owner is ${found.owner}, should be ${want.owner}`]
    return []
  })
}
