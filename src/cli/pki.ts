import { userInfo } from 'node:os'
import { AppError, defined, systemClock, systemRandom } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import { revokeIssued } from '../desk/index.ts'
import { Authority, type IssuedCertificate } from '../pki/index.ts'
import { audited } from '../security/index.ts'
import { withStore } from './parts/machine-store.ts'

const PAGE = 500

/** Prints the certificate of the authority in PEM; it is made when there is none yet. */
export async function showAuthority(config: Config): Promise<void> {
  await withStore(config, async ({ certificates }) => {
    const authority = new Authority({ store: certificates, clock: systemClock, random: systemRandom })
    process.stdout.write(await authority.certificate())
  })
}

/** Prints the certificates that were issued, one per line. */
export async function listCertificates(config: Config, { owner }: { owner?: string }): Promise<void> {
  await withStore(config, async ({ certificates }) => {
    let cursor: string | undefined
    do {
      const { items, next } = await certificates.list(defined({ owner, limit: PAGE, cursor }))
      for (const certificate of items) console.log(describeCertificate(certificate, systemClock.now()))
      cursor = next
    } while (cursor !== undefined)
  })
}

/**
 * Revokes a certificate. New links with it are refused at once, and those that are open end within a minute. That of a
 * bridge itself is revoked with all that it holds for its Agents: they have the same key. AppError `notFound` for a serial
 * number that was not issued.
 */
export async function revokeCertificate(config: Config, id: string, reason: string): Promise<void> {
  await withStore(config, async ({ certificates, audit }) => {
    const certificate = await certificates.get(id.toLowerCase())
    if (certificate === undefined)
      throw new AppError('notFound', `no certificate ${id} was issued; isthmus pki list shows those that were`)
    const at = systemClock.now()
    const actor = `machine:${userInfo().username}`
    const entry = { at, actor, action: 'certificate.revoke', target: certificate.id, after: { reason } }
    const isOfBridge = await audited(audit, entry, () => revokeIssued(certificates, certificate, reason, at))
    const others = isOfBridge ? ' with all others of its bridge, which needs a new token' : ''
    console.error(`certificate ${certificate.id} is revoked${others}; links with it end within a minute`)
  })
}

/** One certificate as a line: serial number, state, end, owner, common name. */
function describeCertificate(certificate: IssuedCertificate, now: number): string {
  const { id, owner, commonName, notAfter, revokedAt } = certificate
  const state = revokedAt !== undefined ? 'revoked' : notAfter <= now ? 'expired' : 'valid'
  return [id, state.padEnd(7), new Date(notAfter).toISOString(), owner, commonName].join('  ')
}
