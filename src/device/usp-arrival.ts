import type { Conflict, DeviceChange } from './change.ts'
import { type BindingProof, type Device, newDevice, strongerOf, type Timestamp } from './device.ts'
import type { NewEvent } from './event.ts'
import { type DeviceId, type DeviceIdentity, deviceIdOf, type EndpointId, identityInEndpointId } from './id.ts'

/** What a USP Agent claims when it arrives: its Endpoint ID, proven by the MTP to this degree, and, where it told one, its identity. */
export interface AgentClaim {
  endpointId: EndpointId
  /** oui, class and serial of an OnBoardRequest or of Device.DeviceInfo. */
  identity?: DeviceIdentity
  /** True when the MTP's client certificate carries the Endpoint ID. */
  certificate: boolean
}

/**
 * certificate: only Agents whose client certificate carries their Endpoint ID. bound: also those whose Endpoint ID is bound already. open: an
 * Agent's own word (triple) is enough to be bound.
 */
export type AgentAdmission = 'certificate' | 'bound' | 'open'

/** What to do with an arriving Agent. */
export type ArrivalDecision =
  | { kind: 'known'; device: Device }
  /** Commit this; then the Agent is the device `deviceId`. */
  | { kind: 'bind'; deviceId: DeviceId; change: DeviceChange }
  /** The identity must be read from the Agent first. */
  | { kind: 'needIdentity' }
  /** Two claims contradict: open this Conflict, bind nothing. */
  | { kind: 'conflict'; conflict: Omit<Conflict, 'id'>; event: NewEvent }
  | { kind: 'refused'; reason: string }

/**
 * Joins an Agent to a device (design, Identity binding). `byEndpoint` is the device that has the Endpoint ID bound; `byIdentity` the one with
 * the claimed identity. Nothing is ever merged by serial number alone.
 */
export function decideArrival(
  claim: AgentClaim,
  byEndpoint: Device | undefined,
  byIdentity: Device | undefined,
  admission: AgentAdmission,
  now: Timestamp,
): ArrivalDecision {
  if (admission === 'certificate' && !claim.certificate)
    return { kind: 'refused', reason: 'no client certificate carries the Endpoint ID' }
  if (byEndpoint !== undefined) return decideBound(claim, byEndpoint, now)
  const identity = claim.identity
  if (identity === undefined) return { kind: 'needIdentity' }
  const id = deviceIdOf(identity)
  const proof: BindingProof = claim.certificate ? 'certificate' : 'triple'
  if (contradicts(claim.endpointId, identity)) {
    return conflict('identityMismatch', id, claim, proof, now, {
      claimed: id,
      endpointIdSays: claim.endpointId,
    })
  }
  if (byIdentity?.binding !== undefined) {
    return conflict('deviceBoundToOther', id, claim, proof, now, {
      boundTo: byIdentity.binding.endpointId,
      proof: byIdentity.binding.proof,
    })
  }
  if (proof === 'triple' && admission !== 'open') {
    return { kind: 'refused', reason: 'Endpoint ID is not bound to a device and carries no certificate' }
  }
  return { kind: 'bind', deviceId: id, change: bindChange(id, identity, byIdentity, claim.endpointId, proof, now) }
}

function decideBound(claim: AgentClaim, device: Device, now: Timestamp): ArrivalDecision {
  const proof: BindingProof = claim.certificate ? 'certificate' : 'triple'
  const known = device.binding?.proof
  // Whatever else it says: it is not the one that was proven.
  if (known === 'certificate' && !claim.certificate)
    return { kind: 'refused', reason: 'the Endpoint ID is bound by a certificate that this link does not show' }
  if (claim.identity === undefined || isOf(claim.identity, device)) {
    // What was read or only claimed is proven now. An operator's word stays.
    if (claim.certificate && (known === 'bound' || known === 'triple'))
      return {
        kind: 'bind',
        deviceId: device.id,
        change: bindChange(device.id, device, device, claim.endpointId, proof, now),
      }
    return { kind: 'known', device }
  }
  // A person has decided whose Endpoint ID this is, against what the Agent says of itself.
  if (device.binding?.proof === 'operator') return { kind: 'known', device }
  return conflict('endpointAlreadyBound', device.id, claim, proof, now, {
    claimed: deviceIdOf(claim.identity),
    boundTo: device.id,
  })
}

/** Whether a claimed identity is that of the device. An Agent that tells no ProductClass, as some do, contradicts nobody's. */
function isOf(identity: DeviceIdentity, device: Device): boolean {
  const productClass = identity.productClass === '' ? device.productClass : identity.productClass
  return deviceIdOf({ ...identity, productClass }) === device.id
}

/**
 * The commit that binds an Endpoint ID to a device, creating the record when the device was never seen. It changes nothing when the device has
 * a stronger proof, or this one already.
 */
export function bindChange(
  id: DeviceId,
  identity: DeviceIdentity,
  device: Device | undefined,
  endpointId: EndpointId,
  proof: BindingProof,
  now: Timestamp,
): DeviceChange {
  const binding = { endpointId, proof, at: now }
  const bound: NewEvent = { type: 'device.bound', at: now, deviceId: id, protocol: 'usp', data: { endpointId, proof } }
  if (device !== undefined) {
    if (strongerOf(device.binding, binding) !== binding) return { deviceId: id }
    return { deviceId: id, set: { binding }, newRevision: true, guard: { revision: device.revision }, events: [bound] }
  }
  const registered: NewEvent = {
    type: 'device.registered',
    at: now,
    deviceId: id,
    protocol: 'usp',
    data: { endpointId },
  }
  return { deviceId: id, create: { ...newDevice(id, identity, 'usp', now), binding }, events: [registered, bound] }
}

/** Whether the identity coded into the Endpoint ID (os, ops) is another one than claimed. Case of the OUI does not count. */
export function contradicts(endpointId: EndpointId, identity: DeviceIdentity): boolean {
  const inside = identityInEndpointId(endpointId)
  if (inside === undefined) return false
  if (inside.oui !== identity.oui.trim().toUpperCase() || inside.serial !== identity.serial) return true
  return inside.productClass !== undefined && inside.productClass !== identity.productClass
}

function conflict(
  kind: Conflict['kind'],
  deviceId: DeviceId,
  claim: AgentClaim,
  proof: BindingProof,
  now: Timestamp,
  details: Record<string, string>,
): ArrivalDecision {
  const { endpointId } = claim
  return {
    kind: 'conflict',
    conflict: { deviceId, kind, endpointId, proof, details, at: now },
    event: { type: 'device.conflict', at: now, deviceId, protocol: 'usp', data: { kind, endpointId, ...details } },
  }
}
