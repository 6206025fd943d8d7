import { type Clock, isOvertaken, retryOnConflict } from '../../../base/index.ts'
import {
  applyPatch,
  type Device,
  type DeviceChange,
  type DeviceId,
  type DeviceStore,
  hasEvent,
  type InformFacts,
  informChange,
  type ParameterWrite,
  type Upward,
} from '../../../domain/index.ts'
import type { RequestNotes } from '../connection-request/request-notes.ts'

interface ArrivalOptions {
  devices: DeviceStore
  clock: Clock
  /** The outcome of the connection request that this session answers. */
  wakes: Pick<RequestNotes, 'waiting' | 'stored'>
  /** Asked once before a device is registered; absent: it may be. */
  mayRegister?(): Promise<boolean>
}

/** The record as it is after an Inform. */
interface Arrival {
  device: Device
  /** Of a record that the Inform made: all that it has of the tree. */
  made?: readonly ParameterWrite[]
}

/**
 * Stores the time of the Inform and reads the record, works out what else the Inform changes, and commits that: one
 * command where there is nothing else, and two grouped round trips where many come at once. Undefined: the device is new
 * and may not be registered now.
 */
export async function takeIn(id: DeviceId, facts: InformFacts, options: ArrivalOptions): Promise<Arrival | undefined> {
  const { devices, clock, wakes, mayRegister } = options
  let isAdmitted = mayRegister === undefined
  const now = clock.now()
  const wake = wakes.waiting(id)
  const work = async () => {
    const contacted = await devices.contacted(id, now)
    const known = contacted ?? (await devices.get(id, { canWait: true }))
    if (known === undefined && !isAdmitted) {
      if ((await mayRegister?.()) === false) return undefined
      isAdmitted = true
    }
    const change = informChange(known, facts, now)
    if (wake !== undefined && change.set !== undefined) change.set['cwmp.lastWake'] = wake
    if (contacted !== undefined && isContactAlone(change)) return { device: contacted }
    change.canWait = true
    await devices.commit(change)
    if (wake !== undefined) wakes.stored(id, wake)
    const { create } = change
    if (create !== undefined) return { device: create, made: change.parameters ?? [] }
    return { device: applyPatch(known as Device, change.set ?? {}, now) }
  }
  // Another instance may create or delete the record between the read and the commit.
  return retryOnConflict(work, { attempts: 3, isRetryable: isOvertaken })
}

/** True for a change that only stores the time of the contact. */
function isContactAlone({ deviceId: _id, set = {}, ...more }: DeviceChange): boolean {
  return Object.keys(more).length === 0 && Object.keys(set).every((field) => field === 'cwmp.lastInformAt')
}

/** A boot may end operations that wait for it: before the Inform is acknowledged, and so never lost. */
export async function tellBoot(
  deviceId: DeviceId,
  facts: InformFacts,
  { softwareVersion, cwmp }: Device,
  { upward, clock }: { upward: Upward; clock: Clock },
): Promise<void> {
  const codes = facts.events.map((event) => event.code)
  const bootstrap = hasEvent(codes, '0')
  const keys = facts.events.filter((event) => event.code === 'M Reboot').map((event) => event.commandKey)
  if (!bootstrap && !hasEvent(codes, '1') && keys.length === 0) return
  // A repeated Inform reports the boot on record: it ends no operation that was sent after that.
  const bootAt = Math.max(
    hasEvent(codes, '1') ? (cwmp?.lastBootAt ?? 0) : 0,
    bootstrap ? (cwmp?.lastBootstrapAt ?? 0) : 0,
  )
  for (const commandKey of keys.length === 0 ? [''] : keys) {
    await upward.completed({
      deviceId,
      protocol: 'cwmp',
      kind: 'boot',
      bootstrap,
      commandKey,
      at: bootAt === 0 ? clock.now() : bootAt,
      ...(softwareVersion === undefined ? {} : { softwareVersion }),
    })
  }
}
