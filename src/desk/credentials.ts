import { AppError } from '../base/index.ts'
import {
  type CredentialStore,
  type CwmpLogin,
  type DeviceId,
  type LinkSecrets,
  type Principal,
  released,
} from '../domain/index.ts'
import { type AuditDeps, auditedBy } from './audited-by.ts'

interface CredentialDeps extends AuditDeps {
  credentials: Pick<CredentialStore, 'get' | 'put'>
}

/**
 * Stores the CWMP credential of a device, which needs no record yet. The login for connection requests that is stored
 * already stays when none is given.
 */
export async function storeCredential(
  deps: CredentialDeps,
  deviceId: DeviceId,
  { current, connectionRequest }: { current: CwmpLogin; connectionRequest?: CwmpLogin | undefined },
  by: Principal,
): Promise<void> {
  const kept = connectionRequest ?? (await deps.credentials.get(deviceId))?.connectionRequest
  const after = { username: current.username, connectionRequest: connectionRequest !== undefined }
  await auditedBy(deps, by, { action: 'device.credential.put', target: deviceId, after }, (at) =>
    deps.credentials.put({
      deviceId,
      current,
      updatedAt: at,
      ...(kept === undefined ? {} : { connectionRequest: kept }),
    }),
  )
}

/**
 * Accepts the enrolment secret beside the credential of a device, until one of them is used. AppError `notFound` when
 * the device has no credential.
 */
export async function releaseCredential(deps: CredentialDeps, deviceId: DeviceId, by: Principal): Promise<void> {
  const known = await deps.credentials.get(deviceId)
  if (known === undefined)
    throw new AppError(
      'notFound',
      `no credential of ${deviceId} is stored: its CPE can enrol with the enrolment secret, or store one with PUT /devices/{id}/credential`,
    )
  await auditedBy(deps, by, { action: 'device.credential.release', target: deviceId }, (at) =>
    deps.credentials.put(released(known, at)),
  )
}

/** Deletes the link secret of a device: its Agent may use the plain path again. Repeating it does no harm. */
export async function deleteLinkSecret(
  deps: AuditDeps & { linkSecrets: Pick<LinkSecrets, 'delete'> },
  deviceId: DeviceId,
  by: Principal,
): Promise<void> {
  await auditedBy(deps, by, { action: 'device.linkSecret.delete', target: deviceId }, () =>
    deps.linkSecrets.delete(deviceId),
  )
}
