import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { type Clock, errorText, type Random, silentLog } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import { type CertificateSource, Certificates, certificateSources, type TlsFiles } from '../parts/certificates.ts'
import { type Finding, finding } from './finding.ts'

const DAY_MS = 86_400_000
const SOON_DAYS = 30

/**
 * Checks that the certificates can be used, are valid for some time, and are for the name under which devices connect.
 */
export function examineCertificates(config: Config, clock: Clock, random: Random): Finding[] {
  const { ok, problem } = finding('certificates')
  const sources = new Set(Object.values(certificateSources(config)).filter((source) => source !== undefined))
  if (sources.size === 0) return [ok('no listener has TLS')]
  // The server makes its own certificate when it starts.
  if ([...sources].every((source) => source === 'own')) return [ok('the server makes its certificate itself')]
  try {
    const certificates = new Certificates(config, { clock, random, log: silentLog })
    const shown: [CertificateSource, TlsFiles | undefined][] = [
      ['given', certificates.usp],
      ['api', certificates.api],
    ]
    return shown.flatMap(([source, files]) =>
      files === undefined || !sources.has(source) ? [] : examineOne(source, files, config, clock.now()),
    )
  } catch (error) {
    return [problem(errorText(error))]
  }
}

function examineOne(source: CertificateSource, { cert }: TlsFiles, config: Config, now: number): Finding[] {
  const { ok, warning, problem } = finding('certificates')
  const option = source === 'api' ? '--api-tls-cert' : '--tls-cert'
  const certificate = new X509Certificate(cert)
  const days = Math.floor((Date.parse(certificate.validTo) - now) / DAY_MS)
  const found: Finding[] = []
  if (days < 0) found.push(problem(`${option} ended on ${certificate.validTo}; put a new one in its place`))
  else if (Date.parse(certificate.validFrom) > now)
    found.push(problem(`${option} begins on ${certificate.validFrom}; see whether the clock of this machine is right`))
  else if (days < SOON_DAYS) found.push(warning(`${option} ends in ${days} days; put a new one in its place`))
  else found.push(ok(`${option} is valid for ${days} days`))
  const host = config.uspPublicHost
  const isFor = (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined
  if (source === 'given' && !isFor)
    found.push(
      problem(`${option} is not for ${host}, by which devices come; get one for it, or name another --usp-public-host`),
    )
  return found
}
