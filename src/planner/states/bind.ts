import { isConflict } from '../../base/index.ts'
import {
  type BindingProof,
  bindChange,
  type Device,
  type DeviceChange,
  type EndpointId,
  provesMore,
  unbindEndpoint,
} from '../../domain/index.ts'
import type { Outcome, Script } from '../machine/script.ts'

/** The proofs that a plan finds out itself. */
type PlanProof = Extract<BindingProof, 'bound' | 'bridge'>

/** Devices with the same Endpoint ID that one after the other may lose it. */
const MAX_BINDS = 3

/** Returns the change that binds the Endpoint ID to the device; nothing to change where a binding proves as much. */
export function bindingOf({ deps }: Script, device: Device, endpointId: EndpointId, proof: PlanProof): DeviceChange {
  const { id: deviceId, binding, revision } = device
  if (!provesMore(proof, binding?.proof)) return { deviceId }
  const at = deps.clock.now()
  // The certificate that its Agent has shown is demanded on.
  if (proof === 'bridge') return bindChange(deviceId, device, device, endpointId, proof, at)
  return {
    deviceId,
    set: { binding: { endpointId, proof, at } },
    newRevision: true,
    guard: { revision },
    events: [{ type: 'device.bound', at, deviceId, protocol: 'cwmp', data: { endpointId, proof } }],
  }
}

/**
 * Binds the Endpoint ID to the device: that which was read over an authenticated CWMP session, or that of the Agent in a
 * bridge. A stronger binding to another one is a Conflict.
 */
export async function bind(script: Script, proof: PlanProof, attempt = 1): Promise<Outcome | undefined> {
  const endpointId = script.require('endpointId') as EndpointId
  const device = await script.device()
  // The decision of an operator about a conflict counts more than the value of the CPE.
  if (device.binding?.proof === 'operator') {
    const decided = device.binding.endpointId
    await script.derived('bind', async () => ({ facts: { endpointId: decided } }))
    return undefined
  }
  const now = script.deps.clock.now()
  // A claim is weaker than a value that was read over CWMP: it does not stop the plan.
  if (
    device.binding !== undefined &&
    device.binding.endpointId !== endpointId &&
    !provesMore(proof, device.binding.proof)
  ) {
    await openConflict(script, proof, 'deviceBoundToOther', endpointId, { boundTo: device.binding.endpointId })
    return {
      kind: 'event',
      event: 'conflict',
      reason: {
        code: 'conflict',
        text: `the device shows ${endpointId}, but is bound to ${device.binding.endpointId}`,
      },
    }
  }
  if (!provesMore(proof, device.binding?.proof)) return undefined
  try {
    await script.step('bind', async () => ({ change: bindingOf(script, device, endpointId, proof) }))
    return undefined
  } catch (error) {
    if (!isConflict(error)) throw error
    const holder = await script.deps.devices.findByEndpoint(endpointId)
    if (holder === undefined || holder.id === device.id) throw error
    // A claim of another device for this Endpoint ID does not stop it either.
    if (attempt < MAX_BINDS && mayLose(holder, proof)) {
      await unbindEndpoint(holder.id, script.deps.devices, now)
      return bind(script, proof, attempt + 1)
    }
    await openConflict(script, proof, 'endpointAlreadyBound', endpointId, { boundTo: holder.id })
    return {
      kind: 'event',
      event: 'conflict',
      reason: { code: 'conflict', text: `${endpointId} is bound to ${holder.id}` },
    }
  }
}

/** A record that the Agent of a bridge has made is that of the same router; one with a CPE of its own is another. */
function mayLose({ binding, cwmp }: Device, proof: PlanProof): boolean {
  if (!provesMore(proof, binding?.proof)) return false
  return proof !== 'bridge' || cwmp === undefined
}

function openConflict(
  script: Script,
  proof: PlanProof,
  kind: 'deviceBoundToOther' | 'endpointAlreadyBound',
  endpointId: string,
  details: Record<string, string>,
): Promise<unknown> {
  const { deviceId } = script.member
  const at = script.deps.clock.now()
  return script.deps.conflicts.open(
    { id: script.deps.newId(), deviceId, kind, endpointId, proof, details, at },
    { type: 'device.conflict', at, deviceId, protocol: 'cwmp', data: { kind, endpointId, ...details } },
  )
}
