import type { FactGroup, LiveFacts } from '../facts/live-facts.ts'
import type { DeviceId, DeviceIdentity, EndpointId } from '../id.ts'
import type { Protocol } from '../protocol.ts'
import type { Timestamp } from '../timestamp.ts'
import type { DeviceClass } from './device-class.ts'
import type { Disconnect } from './link.ts'
import type { MemberState } from './member-states.ts'
import type { DeviceRouterPolicy } from './router-os.ts'
import type { LastWake } from './wake.ts'

/** Root objects of the data models (TR-181, TR-098). */
export const ROOTS = ['Device.', 'InternetGatewayDevice.'] as const

/**
 * The proof that an Endpoint ID belongs to a device, strongest first. `operator`: a person decided it. `bridge`: a
 * bridge, whose certificate of this server names it, reads the serial number of the CWMP identity over the API of the
 * router. `certificate`: the SAN of its TLS certificate names it. `bound`: it was read from the CPE over CWMP. `triple`: the Agent alone
 * claimed OUI, product class and serial number in an OnBoardRequest.
 */
export const BINDING_PROOFS = ['operator', 'bridge', 'certificate', 'bound', 'triple'] as const
export type BindingProof = (typeof BINDING_PROOFS)[number]

/** Proofs strong enough to switch CWMP off behind them. */
export const STRONG_PROOFS: readonly BindingProof[] = ['operator', 'bridge', 'certificate', 'bound']

/** Returns true when `proof` is stronger than `present`, or when there is no present proof. */
export function provesMore(proof: BindingProof, present: BindingProof | undefined): boolean {
  return present === undefined || BINDING_PROOFS.indexOf(proof) < BINDING_PROOFS.indexOf(present)
}

/**
 * Returns the binding that a device keeps when another one is offered: the stronger one. Of two with the same proof the
 * present one stays when both name the same Endpoint ID. A certificate that was shown is demanded on, also when an
 * operator binds its Endpoint ID.
 */
export function strongerOf(present: IdentityBinding | undefined, offered: IdentityBinding): IdentityBinding {
  if (present === undefined) return offered
  if (present.endpointId !== offered.endpointId) return provesMore(present.proof, offered.proof) ? present : offered
  if (!provesMore(offered.proof, present.proof)) {
    const shown = offered.proof === 'certificate' && !demandsCertificate(present)
    return shown ? { ...present, certificate: true } : present
  }
  return offered.proof !== 'certificate' && demandsCertificate(present) ? { ...offered, certificate: true } : offered
}

interface IdentityBinding {
  endpointId: EndpointId
  proof: BindingProof
  /** Its Agent has shown a client certificate beside a stronger proof: a link without one is refused. */
  certificate?: true
  at: Timestamp
}

/** Returns true when links of this binding must show a client certificate, because its Agent has shown one before. */
export function demandsCertificate({ proof, certificate }: IdentityBinding): boolean {
  return proof === 'certificate' || proof === 'bridge' || certificate === true
}

/** A subscription that operations have made on a CPE, by its ID: the parameters whose changes it notifies of. */
export interface CwmpSubscription {
  id: string
  /** The CPE's own. */
  paths: string[]
  /** The paths as they were asked for, where these are others. */
  asked?: string[]
  /** Notified with the next Inform, not at once. */
  passive?: boolean
  /** The last bootstrap when the CPE was asked, 0 for none: a reset undoes it. Absent where that is not known. */
  bootstrapAt?: Timestamp
}

/** Facts from the last CWMP sessions. */
export interface CwmpFacts {
  lastInformAt: Timestamp
  lastBootAt?: Timestamp
  lastBootstrapAt?: Timestamp
  /** Event codes of the last Inform, e.g. `2 PERIODIC`. */
  events: string[]
  /** Seconds; ManagementServer.PeriodicInformInterval as far as known. */
  informIntervalS?: number
  /** Attempts in a row that failed before the last session; a CPE that cannot get through shows it. */
  retryCount?: number
  connectionRequestUrl?: string
  parameterKey?: string
  /** CWMP version of the session, `1.0` to `1.4`. */
  version: string
  remoteAddress?: string
  /** Digest of the Inform's parameter list: parameters are written only when it changed. */
  informHash?: string
  /** The notifications that the CPE was asked for; a factory reset removes them. */
  subscriptions?: CwmpSubscription[]
  /** The firmware for which the tree was discovered last. */
  discoveredFor?: string
  /** The end of the last discovery. */
  discovery?: DiscoveryFacts
  /** Requests that the CPE does not stand with its present firmware; absent when there are none. */
  notes?: CwmpNotes
  /** RPC methods of the CPE (GetRPCMethods), read when the tree was discovered. */
  methods?: string[]
  /** The last connection request. */
  lastWake?: LastWake
}

/** Ends of a discovery: all was read, objects could not be read, or nothing was found. */
export const DISCOVERY_OUTCOMES = ['complete', 'partial', 'empty'] as const

/** The end of a discovery. */
export interface DiscoveryFacts {
  outcome: (typeof DISCOVERY_OUTCOMES)[number]
  at: Timestamp
  /** Objects below which nothing is known; the first ones. */
  unread: string[]
  /** The reason that nothing was found, in words. */
  reason?: string
}

/**
 * Sizes and paths that the CPE accepts in a request, learnt from faults and from sessions that ended over a request.
 */
export interface CwmpNotes {
  /** The firmware it holds for. */
  for: string
  /** Names in one GetParameterValues at most; more were too many. */
  batch?: number
  /** It cannot list its whole tree at once; subtrees it may. */
  notWhole?: boolean
  /** It cannot list a whole subtree. */
  walkOnly?: boolean
  /** It takes booleans as `true` and `false` only. */
  literalBooleans?: boolean
  /** It calls every object unknown in GetParameterValues: values are asked for name by name. */
  namesOnly?: boolean
  /** Paths that are not asked for any more. */
  skip?: string[]
  /** Discoveries in a row that got nowhere, and the time before which there is none. */
  failures?: number
  notBefore?: Timestamp
}

/** Facts from the last USP links. */
export interface UspFacts {
  linked: boolean
  /**
   * True while a link stands whose Agent answers; false before its first answer, while it is silent, and after the
   * link.
   */
  answering?: boolean
  /** Time of the last answer or notification of the Agent; written at least every 10 minutes while there are any. */
  lastAnswerAt?: Timestamp
  /** The server instance that holds the link. */
  instance?: string
  lastSeenAt: Timestamp
  /** Time at which the link that is open, or was open last, was joined; different for each link of a device. */
  connectedAt?: Timestamp
  disconnectedAt?: Timestamp
  lastDisconnect?: Disconnect
  /**
   * True when the link that stands, or stood last, proved neither by a certificate nor by a secret that it is the
   * device's.
   */
  weakLink?: boolean
  /** The address that it came from. */
  remoteAddress?: string
  lastBootAt?: Timestamp
  /** Cause and CommandKey of that boot as its Boot! named them; empty: it named none. */
  lastBootCause?: string
  lastBootKey?: string
  /** Comma list from GetSupportedProtocol. */
  versions?: string
  /** True once onboarding (subscriptions, supported model) was completed for this firmware. */
  onboardedFor?: string
  /** True when it had subscriptions of this Controller after it was onboarded. */
  subscribed?: boolean
}

/** The answers to the question if a device can be moved, by the planner's rules. */
export const READINESS_CLASSES = [
  'READY_STANDARD',
  'READY_BRIDGE',
  'NEEDS_DATA_MODEL',
  'BRIDGE_ONLY',
  'UNKNOWN',
] as const
export type ReadinessClass = (typeof READINESS_CLASSES)[number]

export interface Readiness {
  class: ReadinessClass
  reasons: string[]
  /** Parameters and facts of the record that the class was derived from, with their values. */
  evidence: Record<string, string>
  at: Timestamp
}

/**
 * The plan that moves the device, moved it, or looked at it last, and the state of its member there; the full story is
 * the plan member.
 */
export interface MigrationPointer {
  planId: string
  state: MemberState
  at: Timestamp
}

/** Parameters of one object that were reported together and of which not all were kept; noted once an hour. */
interface ParametersCut {
  at: Timestamp
  object: string
  parameters: number
  kept: number
}

/**
 * The record of one physical device, whichever protocol it speaks. Small and often read: the parameter tree is stored
 * apart.
 */
export interface Device extends DeviceIdentity, LiveFacts {
  id: DeviceId
  manufacturer?: string
  /** Unknown before the first Inform or Get. */
  root?: (typeof ROOTS)[number]
  binding?: IdentityBinding
  /** ModelName, or ProductClass where the device reports no ModelName. */
  model?: string
  /** By its objects, its names, or its routes; absent until it is derived, at the next Inform, read or discovery. */
  deviceClass?: DeviceClass
  softwareVersion?: string
  /** `softwareVersion` in a form whose plain order is the natural order of versions. */
  softwareVersionKey?: string
  hardwareVersion?: string
  /** RootDataModelVersion, e.g. `2.15`. */
  dataModelVersion?: string
  provisioningCode?: string
  /** External address, where the device reports it. */
  ipAddress?: string
  /** Seconds, as last reported. */
  upTimeS?: number
  /** The protocol that may write to the device now. */
  owner: Protocol
  cwmp?: CwmpFacts
  usp?: UspFacts
  /** The name that people have for it, such as the place where it stands. */
  label?: string
  tags: string[]
  /** Ids of the groups it is a static member of. */
  groups: string[]
  /** The policy of a MikroTik router over CWMP; absent: L2. */
  routerPolicy?: DeviceRouterPolicy
  readiness?: Readiness
  migration?: MigrationPointer
  /**
   * `open` is true while operations may be waiting; `seq` grows with each new one, so that clearing cannot race with
   * adding.
   */
  work: { open: boolean; seq: number }
  /** The last time that parameters were left out of the record, because it has no room for more. */
  parametersCut?: ParametersCut
  /** Id of the open Conflict, if any. */
  conflict?: string
  /** The version of the rules by which its live facts were derived last. */
  factsVersion?: number
  /** The last reading of the live facts of each group because of their age. */
  factsReadAt?: Partial<Record<FactGroup, Timestamp>>
  /** The texts by which it is found, in lower case (search-keys.ts). */
  search?: string[]
  /** Grows with every change of identity, owner, label, tags, groups or migration; the ETag of the record. */
  revision: number
  createdAt: Timestamp
  updatedAt: Timestamp
}

/** Presence over CWMP. */
export const CWMP_PRESENCE = ['online', 'late', 'offline', 'never'] as const
type CwmpPresence = (typeof CWMP_PRESENCE)[number]
/** Presence over USP. silent: a link stands, and the Agent does not answer over it. */
export const USP_PRESENCE = ['online', 'silent', 'offline', 'never'] as const
type UspPresence = (typeof USP_PRESENCE)[number]

/** CWMP presence: online within two inform intervals (at least 5 minutes), late within six, offline after. */
export function cwmpPresence(device: Pick<Device, 'cwmp'>, now: Timestamp): CwmpPresence {
  if (device.cwmp === undefined) return 'never'
  const intervalMs = Math.max((device.cwmp.informIntervalS ?? 3600) * 1000, 150_000)
  const age = now - device.cwmp.lastInformAt
  if (age <= 2 * intervalMs) return 'online'
  return age <= 6 * intervalMs ? 'late' : 'offline'
}

/** USP presence: online while a link stands whose Agent answers; an open connection alone proves nothing. */
export function uspPresence({ usp }: Pick<Device, 'usp'>): UspPresence {
  if (usp === undefined) return 'never'
  if (!usp.linked) return 'offline'
  return usp.answering === false ? 'silent' : 'online'
}

/** A new record with nothing known but identity and the protocol it first spoke. */
export function newDevice(id: DeviceId, identity: DeviceIdentity, owner: Protocol, now: Timestamp): Device {
  return {
    id,
    oui: identity.oui.trim().toUpperCase(),
    productClass: identity.productClass,
    serial: identity.serial,
    // Until the device reports a ModelName.
    ...(identity.productClass === '' ? {} : { model: identity.productClass }),
    owner,
    tags: [],
    groups: [],
    work: { open: false, seq: 0 },
    revision: 1,
    createdAt: now,
    updatedAt: now,
  }
}
