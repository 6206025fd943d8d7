import { createPublicKey } from 'node:crypto'
import { AppError } from '../base/index.ts'
import { type Bridge, type BridgeStore, nameOfBridge, ownerOfBridge, type Principal } from '../domain/index.ts'
import { type Authority, type CertificateStore, type CertificateText, keyIdOf, keyOfRequest } from '../pki/index.ts'
import { type AuditDeps, auditedBy } from './audited-by.ts'
import { readBridge } from './bridges.ts'
import { hadMany, MAX_A_DAY } from './certificate-limit.ts'

interface RegistrationDeps extends AuditDeps {
  bridges: BridgeStore
  certificates: Pick<CertificateStore, 'ofName' | 'revoke'>
  authority: Authority
}

/** The public keys and facts that a bridge registers with. */
export interface BridgeRegistration {
  /** PEM (RFC 2986). */
  certificateRequest: string
  /** X25519, 32 bytes in base64url. */
  sealingKey: string
  version: string
  remoteAddress: string
}

/**
 * Registers a bridge with the keys of its process, and issues its certificate. The same keys may register again with the
 * same token, because an answer may have been lost; other keys need a new token, and then every certificate of the keys
 * before is revoked. AppError `conflict` when other keys used the token, `invalid` for a bad request, `rateLimited`.
 */
export async function registerBridge(
  deps: RegistrationDeps,
  id: string,
  { certificateRequest, sealingKey, version, remoteAddress }: BridgeRegistration,
  by: Principal,
): Promise<{ bridge: Bridge; certificate: CertificateText }> {
  const present = await readBridge(deps, id)
  const key = keyOfRequest(certificateRequest)
  const keyId = keyIdOf(key)
  const { enrolment, keys } = present
  if (enrolment === undefined) throw new AppError('unauthorized', 'the bridge has no token to register with')
  if (enrolment.usedBy !== undefined && enrolment.usedBy !== keyId)
    throw new AppError(
      'conflict',
      'this token was used by a bridge with other keys: make a new one with POST /bridges/{id}/token',
    )
  if (keys?.keyId === keyId) await checkRate(deps, present)
  const after = { keyId, version, remoteAddress }
  return auditedBy(deps, by, { action: 'bridge.register', target: id, after }, async (at) => {
    // First, so that no cut leaves certificates of a key that is not registered any more.
    if (keys !== undefined && keys.keyId !== keyId)
      await deps.certificates.revoke({ owner: ownerOfBridge(id) }, 'the bridge registered with other keys', at)
    const certificateKey = key.export({ type: 'spki', format: 'pem' }).toString()
    const bridge: Bridge = {
      ...present,
      enrolment: { ...enrolment, usedBy: keyId },
      keys: { keyId, certificateKey, sealingKey, registeredAt: at },
      revision: present.revision + 1,
      updatedAt: at,
    }
    const { name } = bridge
    const event = { type: 'bridge.registered' as const, at, data: { bridgeId: id, name, remoteAddress, version } }
    await deps.bridges.put(bridge, [event], present.revision)
    await deps.bridges.seen(id, { lastSeenAt: at, version, remoteAddress })
    return { bridge, certificate: await issueFor(deps, bridge) }
  })
}

/**
 * Issues a new certificate for the present key of a bridge; the one before stays valid until its end. AppError
 * `rateLimited`.
 */
export async function renewBridgeCertificate(
  deps: RegistrationDeps,
  bridge: Bridge,
  by: Principal,
): Promise<CertificateText> {
  await checkRate(deps, bridge)
  const deed = { action: 'bridge.renewCertificate', target: bridge.id }
  return auditedBy(deps, by, deed, () => issueFor(deps, bridge))
}

/** AppError `rateLimited` for a bridge that had too many certificates within a day. */
async function checkRate({ certificates, clock }: RegistrationDeps, { id, name }: Bridge): Promise<void> {
  if (hadMany(await certificates.ofName(nameOfBridge(id)), clock.now()))
    throw new AppError(
      'rateLimited',
      `bridge ${name} had ${MAX_A_DAY} certificates within a day: use the one before, and look at the clock of the bridge`,
    )
}

async function issueFor({ authority }: RegistrationDeps, bridge: Bridge): Promise<CertificateText> {
  const { id, name, keys } = bridge
  if (keys === undefined) throw new AppError('conflict', `bridge ${name} has not registered`)
  const publicKey = createPublicKey(keys.certificateKey)
  const names = [nameOfBridge(id)]
  const [made] = await authority.issue([{ owner: ownerOfBridge(id), publicKey, commonName: `bridge ${name}`, names }])
  if (made === undefined) throw new AppError('internal', 'no certificate was issued')
  return made
}
