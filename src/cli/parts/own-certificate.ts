import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Clock, keptText, type Random, randomToken } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import { newTlsKey, selfSigned } from '../../pki/index.ts'

const DAY_MS = 86_400_000
const VALID_MS = 730 * DAY_MS
const RENEW_MS = 60 * DAY_MS
const MAX_COMMON_NAME = 64

/** The files of the certificate that the server makes for itself. */
function ownCertificateFiles(dataDir: string): { cert: string; key: string } {
  return { cert: join(dataDir, 'own-certificate.pem'), key: join(dataDir, 'own-certificate.key') }
}

/**
 * The certificate that the server makes where TLS is wanted and no certificate is given: kept in the data folder, valid
 * for two years, made anew with the same key 60 days before its end and when it lacks a name of the server.
 */
export function ownCertificate(config: Config, clock: Clock, random: Random): { cert: string; key: string } {
  const files = ownCertificateFiles(config.dataDir)
  const key = `${keptText(config.dataDir, 'own-certificate.key', () => newTlsKey().trim(), random)}\n`
  const names = namesOf(config)
  const now = clock.now()
  const kept = existsSync(files.cert) ? readFileSync(files.cert, 'utf8') : ''
  if (isGood(kept, names, now)) return { cert: kept, key }
  const commonName = `Isthmus on ${hostname()}`.slice(0, MAX_COMMON_NAME)
  const serial = Buffer.concat([Buffer.from([1]), Buffer.from(randomToken(random, 12), 'base64url')])
  const cert = selfSigned({ key, commonName, names, notBefore: now - DAY_MS, notAfter: now + VALID_MS, serial })
  // A cut leaves the old one or the new one.
  writeFileSync(`${files.cert}.new`, cert)
  renameSync(`${files.cert}.new`, files.cert)
  return { cert, key }
}

function namesOf({ host, apiHost, uspPublicHost }: Config): string[] {
  const given = [hostname(), uspPublicHost, host, apiHost].filter((name) => /^[\w.:-]+$/.test(name))
  return [...new Set(['localhost', '127.0.0.1', '::1', ...given])].filter((name) => name !== '0.0.0.0' && name !== '::')
}

function isGood(pem: string, names: string[], now: number): boolean {
  if (pem === '') return false
  const certificate = new X509Certificate(pem)
  const isFor = (name: string) =>
    (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined
  return Date.parse(certificate.validTo) - now > RENEW_MS && names.every(isFor)
}
