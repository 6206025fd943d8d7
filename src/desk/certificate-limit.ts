import type { IssuedCertificate } from '../pki/index.ts'

const DAY_MS = 86_400_000
/** Certificates for one name in a day, at most; one is due in 60 days. */
export const MAX_A_DAY = 10

/** Returns true when a name had as many certificates within a day as it may have; those that were revoked count for none. */
export function hadMany(issued: readonly IssuedCertificate[], now: number): boolean {
  const lately = issued.filter(({ issuedAt, revokedAt }) => revokedAt === undefined && issuedAt > now - DAY_MS)
  return lately.length >= MAX_A_DAY
}
