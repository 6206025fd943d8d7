import type { Conflict, DeviceChange } from '../device/change.ts'
import { type BindingProof, type Device, demandsCertificate, newDevice, strongerOf } from '../device/device.ts'
import type { NewEvent } from '../feed/event.ts'
import { type DeviceId, type DeviceIdentity, deviceIdOf, type EndpointId, identityInEndpointId } from '../id.ts'
import type { Timestamp } from '../timestamp.ts'
import { identitiesDiffer, serialsDiffer } from './same-identity.ts'

/** The identity that a USP Agent shows when it arrives, and how far its link proves it. */
export interface AgentClaim {
  endpointId: EndpointId
  /** oui, class and serial of an OnBoardRequest. */
  stated?: DeviceIdentity
  /** The same three from Device.DeviceInfo.; '' for each that the Agent does not have. Undefined: not read yet. */
  shown?: DeviceIdentity
  /** True when the MTP's client certificate carries the Endpoint ID. */
  certificate: boolean
  /** The device whose own secret the link shows. */
  secretOf?: DeviceId
}

/**
 * certificate: only Agents whose client certificate carries their Endpoint ID. bound: also those whose Endpoint ID is
 * bound already. open: an unproven claim (triple) is enough to be bound.
 */
export type AgentAdmission = 'certificate' | 'bound' | 'open'

/** Reasons for which an Agent is refused. */
export const REFUSAL_CODES = [
  'blocked',
  'noCertificate',
  'noSecret',
  'notBound',
  'identityMismatch',
  'deviceBound',
  'conflict',
  'noIdentity',
  'invalid',
] as const
export type RefusalCode = (typeof REFUSAL_CODES)[number]

/** The reason of a refusal: a stable code, and a sentence for people. */
export interface Refusal {
  code: RefusalCode
  text: string
}

/** The decision about an Agent that has connected. */
export type ArrivalDecision =
  | { kind: 'known'; device: Device }
  /** Commit this; then the Agent is the device `deviceId`. */
  | { kind: 'bind'; deviceId: DeviceId; change: DeviceChange }
  /** Device.DeviceInfo. must be read from the Agent first. */
  | { kind: 'read' }
  /** Two proven claims contradict each other: open this Conflict, bind nothing. */
  | { kind: 'conflict'; conflict: Omit<Conflict, 'id'>; event: NewEvent }
  | ({ kind: 'refused' } & Refusal)

/**
 * Joins an Agent to a device. `byEndpoint` is the device that has the Endpoint ID bound; `byIdentity` the one with the
 * claimed identity. Nothing is ever merged by serial number alone, and a claim that the link does not prove changes
 * nothing of the device that it names: it opens no Conflict and takes no binding.
 */
export function decideArrival(
  claim: AgentClaim,
  byEndpoint: Device | undefined,
  byIdentity: Device | undefined,
  admission: AgentAdmission,
  now: Timestamp,
): ArrivalDecision {
  if (admission === 'certificate' && !claim.certificate) return refused('noCertificate')
  if (byEndpoint !== undefined) return decideBound(claim, byEndpoint, now)
  const identity = identityOf(claim)
  if (identity === undefined) return { kind: 'read' }
  if (contradicts(claim.endpointId, identity))
    return refused('identityMismatch', `the Endpoint ID is not that of ${textOf(identity)}`)
  const id = deviceIdOf(identity)
  const proven = claim.certificate || claim.secretOf === id
  if (byIdentity?.binding !== undefined) {
    const { endpointId, proof } = byIdentity.binding
    return proven
      ? conflict('deviceBoundToOther', id, claim, now, { boundTo: endpointId, proof })
      : refused('deviceBound', `${id} is bound to another Endpoint ID`)
  }
  // A claim alone makes a new device at most; it changes nothing for one that is known over CWMP.
  if (!claim.certificate && (admission !== 'open' || byIdentity?.cwmp !== undefined)) return refused('notBound')
  const { shown } = claim
  if (shown === undefined) return { kind: 'read' }
  if (contradicts(claim.endpointId, shown) || identitiesDiffer(shown, identity))
    return refused('identityMismatch', `the Agent claims to be ${textOf(identity)} and shows ${textOf(shown)}`)
  const proof: BindingProof = claim.certificate ? 'certificate' : 'triple'
  return { kind: 'bind', deviceId: id, change: bindChange(id, identity, byIdentity, claim.endpointId, proof, now) }
}

/** An identity that is complete enough to name a device. */
function identityOf({ stated, shown }: AgentClaim): DeviceIdentity | undefined {
  if (stated !== undefined) return stated
  return shown === undefined || shown.oui === '' || shown.serial === '' ? undefined : shown
}

function decideBound(claim: AgentClaim, device: Device, now: Timestamp): ArrivalDecision {
  const known = device.binding?.proof
  const demanded = device.binding !== undefined && demandsCertificate(device.binding)
  // Whatever else it shows: it is not the Agent that was proven.
  if (demanded && !claim.certificate) return refused('noCertificate')
  // A person has decided whose Endpoint ID this is, against the identity that the Agent shows.
  const decided = known === 'operator'
  // The API and the TR-069 client of a router name its model in different ways: its serial number was compared.
  const isOther = known === 'bridge' ? serialsDiffer : identitiesDiffer
  const proven = claim.certificate || claim.secretOf === device.id
  const { stated, shown } = claim
  if (!decided && stated !== undefined && isOther(stated, device))
    return mismatch('endpointAlreadyBound', claim, stated, device, proven, now)
  if (!decided && contradicts(claim.endpointId, device, isOther))
    return mismatch('identityMismatch', claim, undefined, device, proven, now)
  if (shown === undefined) return { kind: 'read' }
  if (!decided && isOther(shown, device)) return mismatch('identityMismatch', claim, shown, device, proven, now)
  // The certificate proves an identity that was read or claimed; beside an operator's decision it is noted.
  if (claim.certificate && !demanded)
    return {
      kind: 'bind',
      deviceId: device.id,
      change: bindChange(device.id, device, device, claim.endpointId, 'certificate', now),
    }
  return { kind: 'known', device }
}

/**
 * The Agent of a bound Endpoint ID shows another identity than the device has; undefined: the Endpoint ID itself does.
 */
function mismatch(
  kind: Conflict['kind'],
  claim: AgentClaim,
  shown: DeviceIdentity | undefined,
  device: Device,
  proven: boolean,
  now: Timestamp,
): ArrivalDecision {
  const text = shown === undefined ? claim.endpointId : textOf(shown)
  if (!proven) return refused('identityMismatch', `the Endpoint ID is bound to ${device.id}, and the Agent is ${text}`)
  const details: Record<string, string> = { boundTo: device.id, shown: text }
  const claimed = shown === undefined ? undefined : namedDevice(shown, device)
  if (claimed !== undefined) details.claimed = claimed
  return conflict(kind, device.id, claim, now, details)
}

/** The device that a shown identity names; parts that are not shown are those of `device`. Undefined: it names none. */
function namedDevice(shown: DeviceIdentity, device: DeviceIdentity): DeviceId | undefined {
  try {
    return deviceIdOf({
      oui: shown.oui === '' ? device.oui : shown.oui,
      productClass: shown.productClass === '' ? device.productClass : shown.productClass,
      serial: shown.serial === '' ? device.serial : shown.serial,
    })
  } catch {
    return undefined
  }
}

function textOf({ oui, productClass, serial }: DeviceIdentity): string {
  return [oui, productClass, serial].map((part) => part.slice(0, 64)).join('-')
}

/** The sentences of refusals that are the same for every Agent. */
export const REFUSAL_TEXTS = {
  blocked: 'it was blocked by an operator',
  noCertificate: 'no client certificate carries the Endpoint ID',
  notBound: 'the Endpoint ID is bound to no device, and no client certificate carries it',
} satisfies Partial<Record<RefusalCode, string>>

function refused(code: keyof typeof REFUSAL_TEXTS): ArrivalDecision
function refused(code: RefusalCode, text: string): ArrivalDecision
function refused(code: RefusalCode, text?: string): ArrivalDecision {
  return { kind: 'refused', code, text: text ?? REFUSAL_TEXTS[code as keyof typeof REFUSAL_TEXTS] }
}

/**
 * The commit that binds an Endpoint ID to a device, creating the record when the device was never seen. It changes
 * nothing when the device has a stronger proof, or this one already.
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
    const kept = strongerOf(device.binding, binding)
    if (kept === device.binding) return { deviceId: id }
    const former = device.binding?.endpointId
    const unbound: NewEvent[] =
      former === undefined || former === endpointId
        ? []
        : [{ type: 'device.unbound', at: now, deviceId: id, protocol: 'usp', data: { endpointId: former } }]
    return {
      deviceId: id,
      set: { binding: kept },
      newRevision: true,
      guard: { revision: device.revision },
      events: kept.proof === proof ? [...unbound, bound] : [],
    }
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

/**
 * Returns true when the identity coded into an Endpoint ID of scheme os or ops (TR-369 2.2) is another one than this.
 * The case of an OUI does not count, and a part that is empty contradicts nothing.
 */
function contradicts(endpointId: EndpointId, identity: DeviceIdentity, isOther = identitiesDiffer): boolean {
  const inside = identityInEndpointId(endpointId)
  return inside !== undefined && isOther({ ...inside, productClass: inside.productClass ?? '' }, identity)
}

function conflict(
  kind: Conflict['kind'],
  deviceId: DeviceId,
  claim: AgentClaim,
  now: Timestamp,
  details: Record<string, string>,
): ArrivalDecision {
  const { endpointId } = claim
  const proof: BindingProof = claim.certificate ? 'certificate' : 'bound'
  return {
    kind: 'conflict',
    conflict: { deviceId, kind, endpointId, proof, details, at: now },
    event: { type: 'device.conflict', at: now, deviceId, protocol: 'usp', data: { kind, endpointId, ...details } },
  }
}
