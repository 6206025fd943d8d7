import type { MemberState, Protocol } from '../domain/index.ts'

/** A simulated device as the fleet reports it, or a router that is known by its bridge alone (`bridged`). */
export interface SimulatedSummary {
  deviceId: string
  kind: string
  /** Of a device of the field: its family. */
  family?: string
  /** Names of its scripted faults. */
  faults: string[]
}

/** The expected end of a device: the states that are right for it, and the protocol that must own it. */
interface Expectation {
  states: readonly (MemberState | 'none')[]
  owner: Protocol
}

/** Faults that no retry removes: the device must end as it began, unchanged, with the reason known. */
const FATAL: Record<string, readonly MemberState[]> = {
  rejectsWrite: ['ROLLED_BACK', 'FAILED', 'QUARANTINED'],
  neverOnboards: ['ROLLED_BACK', 'FAILED', 'QUARANTINED'],
  wrongEndpointId: ['CONFLICT'],
}

/** Returns the expected end of a device once the plan over its group is finished. */
export function expectationOf(device: SimulatedSummary): Expectation {
  if (device.kind === 'bridged') return { states: ['none'], owner: 'usp' }
  // The plan moves the group of the two makers of plain TR-181 devices, and the routers that a bridge reaches.
  if (device.family?.startsWith('mikrotik') === true) return { states: ['MIGRATED'], owner: 'usp' }
  if (device.family !== undefined || device.kind === 'legacyTr098') return { states: ['none'], owner: 'cwmp' }
  if (device.kind === 'uspOnly') return { states: ['none'], owner: 'usp' }
  if (device.kind === 'tr181NoAgent') return { states: ['INELIGIBLE'], owner: 'cwmp' }
  for (const fault of device.faults) {
    const states = FATAL[fault]
    if (states !== undefined) return { states, owner: 'cwmp' }
  }
  return { states: ['MIGRATED'], owner: 'usp' }
}

/** The devices that are not where they should be, one line each. */
export function misplaced(
  simulated: readonly SimulatedSummary[],
  devices: ReadonlyMap<string, { owner: string; state: string | undefined }>,
): string[] {
  return simulated.flatMap((device) => {
    const want = expectationOf(device)
    const found = devices.get(device.deviceId)
    const label = `${device.deviceId} (${[device.kind, ...device.faults].join(', ')})`
    if (found === undefined) return [`${label}: the server does not know it`]
    const state = found.state ?? 'none'
    if (!(want.states as readonly string[]).includes(state))
      return [`${label}: is ${state}, should be ${want.states.join(' or ')}`]
    if (found.owner !== want.owner) return [`${label}: owner is ${found.owner}, should be ${want.owner}`]
    return []
  })
}
