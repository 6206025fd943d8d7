import type { Clock } from '../base/index.ts'
import {
  cwmpPresence,
  type Device,
  type DeviceId,
  type DeviceStore,
  isFinal,
  type Operation,
  type OperationStore,
  type Protocol,
  uspPresence,
} from '../domain/index.ts'
import type { ContactEntry, Contacts } from './contacts.ts'
import type { OperationLimits } from './limits.ts'
import { readsMayPass } from './pick.ts'
import { bootKind, endsByCompletion, isExclusive, isRead, mayUseUsp, protocolOf, waitsAlone } from './verbs.ts'

/** The facts from which the reason is derived. */
interface Circumstances {
  /** Open operations of the device, oldest first. */
  open: readonly Operation[]
  device: Pick<Device, 'owner' | 'migration' | 'cwmp' | 'usp'>
  /** The usable contacts of the device in this process, by protocol. */
  here: ReadonlyMap<Protocol, Pick<ContactEntry, 'since' | 'asked'>>
  now: number
  limits: OperationLimits
}

/** Number of devices whose queues one answer reads; for operations of further devices only the contact is named. */
const MAX_QUEUES = 200
const LOOK = 64

/**
 * Returns the reason for which an operation waits; undefined when it has ended. `turn`: it is about to run. `inform`:
 * the next session of the CPE. `connectionRequest <outcome>`: the same, and the last connection request failed.
 * `uspLink`: the Agent. `uspLink or owner change`: the Agent; the device is present over CWMP, which does not own it.
 * `device busy with operation <id> (<verb>)`. `operation <id> (<verb>)`: an earlier one that itself waits. `answer`,
 * `boot`. `transfer`: the file and the boot that follows. `completion`: a command that runs.
 */
export function waitingFor(operation: Operation, circumstances: Circumstances): string | undefined {
  if (isFinal(operation)) return undefined
  if (operation.state !== 'queued') return endOf(operation, circumstances)
  for (const earlier of circumstances.open) {
    if (earlier.id === operation.id) break
    const held = heldBy(operation, earlier, circumstances)
    if (held !== undefined) return held
  }
  return contactFor(operation, circumstances)
}

/** Returns the reason for which an earlier operation holds a queued one back; undefined when it does not. */
function heldBy(operation: Operation, earlier: Operation, circumstances: Circumstances): string | undefined {
  const name = `operation ${earlier.id} (${earlier.request.verb})`
  const { state, request, result } = earlier
  if (state === 'queued') {
    const its = contactFor(earlier, circumstances)
    if (its !== 'turn' && waitsAlone(earlier, circumstances.device.owner)) return undefined
    // The same reason for both says more than the place in the queue.
    return its === contactFor(operation, circumstances) && its !== 'turn' ? its : name
  }
  const runs = state === 'sent' && result?.outcome !== 'pending'
  if (runs || (state === 'unknown' && !endsByCompletion(request))) return `device busy with ${name}`
  const waits = isExclusive(request)
    ? !isRead(operation.request) || !readsMayPass(earlier, circumstances)
    : isExclusive(operation.request)
  return waits ? `device busy with ${name}` : undefined
}

/** Returns the awaited end of an operation that was sent. */
function endOf(operation: Operation, circumstances: Circumstances): string {
  const { state, request, result, sentVia } = operation
  if (state === 'sent' && result?.outcome !== 'pending') return 'answer'
  const kind = bootKind(request)
  if (kind !== undefined) return kind === 'download' ? 'transfer' : 'boot'
  if (request.verb === 'script') return 'transfer'
  if (endsByCompletion(request)) return 'completion'
  // The outcome is read at the next contact.
  return contactOver(operation, undefined, sentVia ?? circumstances.device.owner, circumstances)
}

function contactFor(operation: Operation, circumstances: Circumstances): string {
  const { owner } = circumstances.device
  return contactOver(operation, protocolOf(operation, owner), owner, circumstances)
}

/** Returns the awaited contact over the needed protocol; undefined for `needed`: over any, preferably `preferred`. */
function contactOver(
  operation: Operation,
  needed: Protocol | undefined,
  preferred: Protocol,
  { device, here, now }: Circumstances,
): string {
  const isHere = (protocol: Protocol) => {
    if (protocol === 'cwmp') return here.has('cwmp')
    const reads = operation.state !== 'queued' || isRead(operation.request)
    return mayUseUsp(operation, device, reads) && (here.has('usp') || uspPresence(device) === 'online')
  }
  if (needed === undefined ? isHere('cwmp') || isHere('usp') : isHere(needed)) return 'turn'
  // Only a CPE can be asked to connect.
  const awaited = needed ?? (device.cwmp === undefined ? preferred : 'cwmp')
  if (awaited === 'cwmp') return session(device)
  const other = needed === 'usp' && device.owner === 'usp' && cwmpPresence(device, now) === 'online'
  return other ? 'uspLink or owner change' : 'uspLink'
}

/** Returns the awaited session of the CPE, with the failure of the last connection request since the last session. */
function session({ cwmp }: Pick<Device, 'cwmp'>): string {
  const wake = cwmp?.lastWake
  const failed = wake !== undefined && wake.outcome !== 'ok' && wake.at >= (cwmp?.lastInformAt ?? 0)
  return failed ? `connectionRequest ${wake.outcome}` : 'inform'
}

interface WaitingForDeps {
  devices: DeviceStore
  store: OperationStore
  contacts: Contacts
  clock: Clock
  limits: OperationLimits
}

/** Returns what each open operation waits for, by id. It only reads. */
export async function waitingForAll(
  operations: readonly Operation[],
  { devices, store, contacts, clock, limits }: WaitingForDeps,
): Promise<Map<string, string>> {
  const byDevice = new Map<DeviceId, Operation[]>()
  for (const operation of operations) {
    if (isFinal(operation)) continue
    const others = byDevice.get(operation.deviceId)
    if (others === undefined) byDevice.set(operation.deviceId, [operation])
    else others.push(operation)
  }
  const found = new Map<string, string>()
  await Promise.all(
    [...byDevice].map(async ([deviceId, waiting], i) => {
      const [device, open] = await Promise.all([
        devices.get(deviceId),
        i < MAX_QUEUES ? store.open(deviceId, LOOK) : waiting,
      ])
      if (device === undefined) return
      const circumstances = { open, device, here: contacts.usable(deviceId), now: clock.now(), limits }
      for (const operation of waiting) {
        const reason = waitingFor(operation, circumstances)
        if (reason !== undefined) found.set(operation.id, reason)
      }
    }),
  )
  return found
}
