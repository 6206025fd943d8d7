import { bridgeOfOwner, nameOfBridge } from '../domain/index.ts'
import type { CertificateStore, IssuedCertificate } from '../pki/index.ts'

/**
 * Revokes a certificate; that of a bridge itself with all that the bridge holds for its Agents, because they have the
 * same key. Resolves with true for that of a bridge.
 */
export async function revokeIssued(
  certificates: Pick<CertificateStore, 'revoke'>,
  { id, owner, names }: IssuedCertificate,
  reason: string,
  at: number,
): Promise<boolean> {
  const bridgeId = bridgeOfOwner(owner)
  const isOfBridge = bridgeId !== undefined && names.includes(nameOfBridge(bridgeId))
  await certificates.revoke(isOfBridge ? { owner } : { id }, reason, at)
  return isOfBridge
}
