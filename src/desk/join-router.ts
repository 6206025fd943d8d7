import { isConflict } from '../base/index.ts'
import {
  bindToCwmpRecord,
  cwmpRecordOf,
  type Device,
  deviceIdOf,
  HOLDING,
  type Principal,
  provesMore,
  type RouterIdentity,
} from '../domain/index.ts'
import type { CertificateStore } from '../pki/index.ts'
import { isBroughtByBridge } from './bridge-agents.ts'
import { type DeleteDeviceDeps, deleteDevice } from './delete-device.ts'

export interface JoinDeps extends DeleteDeviceDeps {
  certificates: Pick<CertificateStore, 'ofName'>
}

/** The server itself: nobody asks for it. */
const JOINER: Principal = { kind: 'system', id: 'bridges', roles: [], groups: [] }

/**
 * Makes one record of a router that a bridge reaches and that speaks CWMP. The Agent is bound to the CWMP record with the
 * proof `bridge`. A record that the Agent had made before the first Inform gives its tags, label and groups, its binding,
 * and is deleted. Nothing is done while a plan has a claim on that, while it has a Conflict, or when its Agent was brought
 * by no bridge. Repeating it does the rest after a kill at any place.
 */
export async function joinRouter(deps: JoinDeps, identity: RouterIdentity): Promise<void> {
  const { devices, clock } = deps
  try {
    const record = await cwmpRecordOf(identity, devices)
    const former = record === undefined || record === 'several' ? undefined : await formerRecord(deps, identity, record)
    if (record === undefined || record === 'several' || former === undefined)
      return await bindToCwmpRecord(identity, devices, clock.now())
    await carryOver(deps, former, record)
    if (former.binding !== undefined)
      await devices.commit({
        deviceId: former.id,
        unset: ['binding'],
        newRevision: true,
        guard: { revision: former.revision },
        events: [
          {
            type: 'device.unbound',
            at: clock.now(),
            deviceId: former.id,
            protocol: 'usp',
            data: { endpointId: former.binding.endpointId },
          },
        ],
      })
    await bindToCwmpRecord(identity, devices, clock.now())
    const bound = await devices.get(record.id)
    if (bound?.binding?.endpointId !== identity.endpointId) return
    await deleteDevice(deps, former.id, { force: false, into: record.id }, JOINER)
  } catch (error) {
    // A record has changed meanwhile: it is looked at again at the next report, Inform or link.
    if (!isConflict(error)) throw error
  }
}

/** Resolves with the record that the Agent of a router has made, when the CWMP record may take its place. */
async function formerRecord(
  { devices, certificates }: JoinDeps,
  identity: RouterIdentity,
  record: Device,
): Promise<Device | undefined> {
  const id = deviceIdOf(identity)
  if (id === record.id || record.conflict !== undefined) return undefined
  const isFree = (device: Device) =>
    device.binding === undefined ||
    device.binding.endpointId === identity.endpointId ||
    provesMore('bridge', device.binding.proof)
  if (!isFree(record)) return undefined
  const former = await devices.get(id)
  if (former === undefined || former.cwmp !== undefined || former.conflict !== undefined) return undefined
  if (former.migration !== undefined && HOLDING.includes(former.migration.state)) return undefined
  const { binding } = former
  if (binding === undefined) return former
  if (binding.endpointId !== identity.endpointId || binding.proof === 'operator') return undefined
  return (await isBroughtByBridge(certificates, former)) ? former : undefined
}

/** Gives what people have written on a record to another one. */
async function carryOver({ devices }: JoinDeps, from: Device, to: Device): Promise<void> {
  const tags = [...new Set([...to.tags, ...from.tags])]
  const groups = [...new Set([...to.groups, ...from.groups])]
  const label = to.label ?? from.label
  if (tags.length === to.tags.length && groups.length === to.groups.length && label === to.label) return
  await devices.commit({
    deviceId: to.id,
    set: { tags, groups, ...(label === undefined ? {} : { label }) },
    newRevision: true,
    guard: { revision: to.revision },
  })
}
