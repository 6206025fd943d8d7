import { ProtocolError } from '../../base/index.ts'

/** Versions of CWMP that a CPE can have. */
const CWMP_VERSIONS = ['1.0', '1.1', '1.2', '1.3', '1.4'] as const
export type CwmpVersion = (typeof CWMP_VERSIONS)[number]

/** Returns the namespace of a version: 1.3 and 1.4 use the one of 1.2. */
export function urnOfVersion(version: CwmpVersion): string {
  return `urn:dslforum-org:cwmp-1-${Math.min(Number(version.slice(2)), 2)}`
}

/** Returns SupportedCWMPVersions for the Inform: all versions that the CPE knows, from 1.4 on. */
export function supportedVersions(version: CwmpVersion): string | undefined {
  if (version !== '1.4') return undefined
  return CWMP_VERSIONS.join(',')
}

/**
 * Returns the namespace for the rest of the session, as the InformResponse chooses it. UseCWMPVersion must be
 * understood, so a CPE that did not send a list (before 1.4) cannot go on with it; and no ACS may answer with a newer
 * version than the CPE has. ProtocolError `version`.
 */
export function agreedUrn(own: CwmpVersion, answered: { urn: string; useCwmpVersion?: string }): string {
  const chosen = answered.useCwmpVersion
  if (chosen !== undefined) {
    if (own !== '1.4') throw new ProtocolError('version', `UseCWMPVersion is not known to CWMP ${own}`)
    const version = CWMP_VERSIONS.find((known) => known === chosen)
    if (version === undefined) throw new ProtocolError('version', `the ACS chose CWMP ${chosen}`)
    return urnOfVersion(version)
  }
  const minor = Number(/cwmp-1-(\d+)$/.exec(answered.urn)?.[1] ?? 0)
  if (minor > Math.min(Number(own.slice(2)), 2))
    throw new ProtocolError('version', `the ACS answered ${answered.urn} to CWMP ${own}`)
  return answered.urn
}
