import type { Device } from '../device/device.ts'
import { memberStateRow, type UspUse } from '../device/member-states.ts'

/** The use that operations may make of a device's USP link; a device that USP owns is used without limits. */
export function uspUse({ owner, migration }: Pick<Device, 'owner' | 'migration'>): UspUse {
  if (owner === 'usp') return 'all'
  return migration === undefined ? 'reads' : memberStateRow(migration.state).usp
}
