import type { Conflict, Resolution } from '../device/change.ts'
import type { CloseReason } from '../device/link.ts'
import type { NewEvent } from '../feed/event.ts'
import type { DeviceId, EndpointId } from '../id.ts'
import type { Page } from '../page.ts'
import type { Timestamp } from '../timestamp.ts'

export interface ConflictStore {
  /**
   * Stores it unless an open one of the same device, kind and endpoint exists; answers the open one. Sets `conflict` on
   * the device.
   */
  open(conflict: Conflict, event: NewEvent): Promise<Conflict>
  /** Returns true while an open Conflict names this Endpoint ID. */
  isContested(endpointId: EndpointId): Promise<boolean>
  get(id: string): Promise<Conflict | undefined>
  list(query: { open?: boolean; limit: number; cursor?: string }): Promise<Page<Conflict>>
  resolve(id: string, resolution: Resolution, by: string, at: Timestamp): Promise<boolean>
}

/** A user name with its password. */
export interface CwmpLogin {
  username: string
  password: string
  /** The address of the CPE that it was sent to. */
  sentTo?: string
}

/** CWMP credentials of one device. Secrets are sealed by the store; here they are plain. */
export interface CwmpCredential {
  deviceId: DeviceId
  /** The login that the CPE authenticates with; undefined until the CPE has used one that we sent. */
  current?: CwmpLogin
  /**
   * The newest login that was sent to the CPE and not yet seen in use. It is accepted, so that no crash locks a CPE
   * out.
   */
  pending?: CwmpLogin
  /** The CPE has answered that it took `pending`; from then on it is asked to show it. */
  delivered?: true
  /**
   * Logins from before `pending` that are accepted as well, oldest first, until the CPE answers for `pending` or uses
   * one of them.
   */
  earlier?: CwmpLogin[]
  /**
   * Logins that are no longer accepted, oldest first. A CPE that uses one has lost its identity to another one, or has
   * taken it from another one.
   */
  replaced?: CwmpLogin[]
  /** Logins in a row that the CPE took and did not use. */
  unused?: number
  /** Login of this server in connection requests. */
  connectionRequest?: CwmpLogin
  updatedAt: Timestamp
}

/** The CWMP credentials, one for each device. */
export interface CredentialStore {
  get(deviceId: DeviceId): Promise<CwmpCredential | undefined>
  /** Replaces the credential of its device as a whole. Durable when it resolves. */
  put(credential: CwmpCredential): Promise<void>
  /**
   * Replaces a credential as this store gave or took it; undefined: there is none. False when another one is stored
   * meanwhile: nothing is written then. Durable when it resolves.
   */
  replace(known: CwmpCredential | undefined, next: CwmpCredential): Promise<boolean>
  /** Repeating it changes nothing. */
  delete(deviceId: DeviceId): Promise<void>
}

/**
 * The result of comparing the secret that a link shows with those of its device. right: the one that the Agent of the
 * device uses. unused: one that was not used before. required: the Agent has used a secret before, or a plan demands
 * it, and this link shows none of the device. notRequired: the device has no secret, or one that was neither used nor
 * demanded yet.
 */
export type LinkSecretProof = 'right' | 'unused' | 'required' | 'notRequired'

/**
 * The secret of a device at the end of a value in its MTP row: `<usp-path>/<secret>`, 22 characters of base64url. It
 * proves a link without a client certificate. A device may have two at a time, one that its Agent uses and a newer one
 * that it has not used yet; both are right until then.
 */
export interface LinkSecrets {
  /**
   * The secret to write on the device: the newest one, made when there is none. Durable when it resolves; repeating it
   * changes nothing.
   */
  ensure(deviceId: DeviceId): Promise<string>
  /**
   * Returns the secret to write on the device, as `ensure` does; from now on only links that show it are admitted,
   * although it was not used yet. For a device whose Agent is about to connect for the first time: without this,
   * another Agent could connect in its place.
   */
  demand(deviceId: DeviceId): Promise<string>
  /**
   * A new secret to write on the device, or the one that was made before and is not used yet. Durable when it resolves.
   */
  renew(deviceId: DeviceId): Promise<string>
  /** Compares the secret that a link shows, in constant time. */
  prove(deviceId: DeviceId, secret: string | undefined): Promise<LinkSecretProof>
  /** The device that a secret belongs to. */
  ownerOf(secret: string): Promise<DeviceId | undefined>
  /** The Agent has used this secret: it is required from now on, and an older one is wrong. */
  used(deviceId: DeviceId, secret: string): Promise<void>
  /**
   * The device is about to lose its settings: its newest secret stays right, and none is required until one is used.
   */
  release(deviceId: DeviceId): Promise<void>
  delete(deviceId: DeviceId): Promise<void>
}

/** The USP links that this server instance holds. */
export interface UspLinks {
  /**
   * Ends the USP link of a device. Resolves when the link is gone, or at once when this instance holds none; an Agent
   * that does not answer the close is cut off after 2 seconds.
   */
  close(deviceId: DeviceId, reason: CloseReason): Promise<void>
  /**
   * Sends a Get to the Agent of a device and resolves with whether it answered within some seconds; an error of the
   * Agent is an answer. `elsewhere`: this instance holds no link of the device. Never rejects.
   */
  ask(deviceId: DeviceId): Promise<'answered' | 'silent' | 'elsewhere'>
}
