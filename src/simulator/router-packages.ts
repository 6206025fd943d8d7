import { TransferFault } from '../cwmp/index.ts'

/** The packages that a MikroTik router has installed. */
export interface RouterPackages {
  architecture: string
  names: readonly string[]
}

/** A package that a descriptor lists. */
interface ListedPackage {
  url: string
  name: string
  version: string
}

const MAX_LINKS = 32
/** The script that a reset runs (RouterOS manual, TR-069 client). */
export const FACTORY_FILE = 'X MIKROTIK Factory Configuration File'

/**
 * Returns the packages of a descriptor (RouterOS manual, TR-069 client): root `upgrade` of version 1 and type `links`,
 * in it `links` with a `link` each. Throws TransferFault 9018 for a text that is none, and for packages of several
 * versions or of another architecture.
 */
export function packagesOf(descriptor: string, { architecture }: RouterPackages): ListedPackage[] {
  const [, attributes = '', content = ''] = /<upgrade\b([^>]*)>([\s\S]*)<\/upgrade>\s*$/.exec(descriptor) ?? []
  if (!/\bversion=(['"])1\1/.test(attributes) || !/\btype=(['"])links\1/.test(attributes))
    throw new TransferFault(9018, 'no descriptor of packages')
  const [, links = ''] = /<links>([\s\S]*)<\/links>/.exec(content) ?? []
  const urls = [...links.matchAll(/<link>\s*<url>([^<]+)<\/url>\s*<\/link>/g)].map(([, url = '']) => url.trim())
  if (urls.length === 0 || urls.length > MAX_LINKS) throw new TransferFault(9018, 'the descriptor has no packages')
  const listed = urls.map((url) => packageOf(url.replaceAll('&amp;', '&'), architecture))
  if (new Set(listed.map(({ version }) => version)).size > 1)
    throw new TransferFault(9018, 'the packages have several versions')
  return listed
}

/** Names of packages are `name-version-architecture.npk` since version 7, `name-architecture-version.npk` before. */
function packageOf(url: string, architecture: string): ListedPackage {
  const file = URL.canParse(url) ? (new URL(url).pathname.split('/').pop() ?? '') : ''
  const parts =
    /^(?<name>[a-z][a-z\d-]*?)-(?<version>\d+\.[\d.]*\d)-(?<arch>[a-z\d]+)\.npk$/.exec(file) ??
    /^(?<name>[a-z][a-z\d-]*?)-(?<arch>[a-z\d]+)-(?<version>\d+\.[\d.]*\d)\.npk$/.exec(file)
  const { name = '', version = '', arch } = parts?.groups ?? {}
  if (arch !== architecture) throw new TransferFault(9018, `${file} is no package for ${architecture}`)
  return { url, name, version }
}

/** Returns the version of a list of packages, which is the same for each. */
export function versionOfAll(listed: readonly ListedPackage[]): string {
  return listed[0]?.version ?? ''
}

/** Returns false where an installed package is missing: RouterOS removes it then, the TR-069 client too. */
export function isComplete(listed: readonly ListedPackage[], { names }: RouterPackages): boolean {
  return names.every((name) => listed.some((one) => one.name === name))
}
