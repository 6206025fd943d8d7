import { AppError } from '../base/index.ts'
import { compareVersions, routerVersion } from './version.ts'

/** The facts of a router that decide which packages it takes. */
export interface RouterFacts {
  /** As the TR-069 client or the API names it, e.g. `ARM64`. */
  architecture: string | undefined
  softwareVersion: string | undefined
  /** Names of its installed packages; undefined where they are not known. */
  installed: readonly string[] | undefined
}

/** Packages of one version that a descriptor lists. */
interface PackageUpgrade {
  version: string
  urls: readonly string[]
}

interface NamedPackage {
  url: string
  name: string
  version: string
}

const MAX_PACKAGES = 32
const NAME = '[a-z][a-z0-9-]{0,39}?'
const VERSION = String.raw`\d{1,2}\.\d{1,3}(?:\.\d{1,3})?(?:(?:beta|rc)\d{1,3})?`
const ARCHITECTURES = ['arm', 'arm64', 'mipsbe', 'mmips', 'ppc', 'smips', 'tile', 'x86']
/** Packages without which the router is lost to this server: the system and its TR-069 client. */
const ALWAYS = ['routeros', 'tr069-client']
/** Packages that the main package of RouterOS 6 has in it. */
const IN_MAIN_PACKAGE = new Set('advanced-tools dhcp hotspot ipv6 mpls ppp routing security system wireless'.split(' '))

/**
 * Returns the upgrade that a list of package URLs means for a router. AppError `invalid` when a URL is none of an
 * allowed place, or no package for the router; when the packages have several versions, or one that is not newer or of
 * another major version; and when an installed package is missing, which the text names: RouterOS removes what a
 * descriptor does not list. AppError `conflict` where the facts of the router are not known.
 */
export function readUpgrade(urls: readonly string[], allowed: readonly string[], router: RouterFacts): PackageUpgrade {
  if (urls.length === 0 || urls.length > MAX_PACKAGES) throw invalid(`packages has 1 to ${MAX_PACKAGES} URLs`)
  if (allowed.length === 0)
    throw new AppError(
      'conflict',
      'no place of packages is allowed: name those that routers may load from with --router-package-urls',
    )
  const architecture = architectureOf(router.architecture)
  const running = routerVersion(router.softwareVersion)
  if (architecture === undefined || running === undefined)
    throw new AppError(
      'conflict',
      'the architecture or version of the router is not known: read Device.DeviceInfo., then ask again',
    )
  const packages = urls.map((url) => packageOf(allowedUrl(url, allowed), architecture))
  const [version = '', ...others] = [...new Set(packages.map((one) => one.version))]
  if (others.length > 0) throw invalid(`packages have several versions: ${[version, ...others].join(', ')}`)
  const names = packages.map(({ name }) => name)
  const twice = names.find((name, n) => names.indexOf(name) !== n)
  if (twice !== undefined) throw invalid(`packages has ${twice} twice`)
  checkVersion(version, running.text)
  checkComplete(names, router.installed, running.major)
  return { version, urls: packages.map(({ url }) => url) }
}

/** Returns the version in the name of a package; undefined where there is none. */
export function versionOfPackage(url: string): string | undefined {
  const file = url.slice(url.lastIndexOf('/') + 1)
  return new RegExp(`-(${VERSION})(?:-[a-z0-9]+)?\\.npk$`).exec(file)?.[1]
}

/**
 * Returns the descriptor of packages that the TR-069 client takes as firmware (RouterOS manual, TR-069 client): a link
 * for each package.
 */
export function descriptorOf(urls: readonly string[]): string {
  const links = urls.map((url) => `    <link>\n      <url>${escaped(url)}</url>\n    </link>\n`).join('')
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<upgrade version="1" type="links">\n  <config/>\n' +
    `  <links>\n${links}  </links>\n</upgrade>\n`
  )
}

/**
 * Returns a URL that is in its one form: the router is given the text as it is, and may read another form in another way
 * than this server. It begins with an allowed place, which ends in a slash: what stands behind cannot lead out of it,
 * because the form has no dots as parts of its path, and no user, query or fragment.
 */
function allowedUrl(text: string, allowed: readonly string[]): string {
  const url = text.length <= 512 && URL.canParse(text) ? new URL(text) : undefined
  const isPlain =
    url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (!isPlain || /%|\\/.test(url.pathname)) throw invalid('packages has a URL with a user, a query or an escaped part')
  if (!allowed.some((place) => url.href.startsWith(new URL(place).href)))
    throw invalid(`packages has ${shown(url.href)}, which is below none of the places of --router-package-urls`)
  if (url.href !== text) throw invalid(`packages has a URL in another form than ${shown(url.href)}`)
  return url.href
}

/**
 * Files of packages are `name-version-architecture.npk` since version 7, where x86 has no name for its architecture, and
 * `name-architecture-version.npk` before.
 */
function packageOf(url: string, architecture: string): NamedPackage {
  const file = url.slice(url.lastIndexOf('/') + 1)
  const forms = [
    `^(?<name>${NAME})-(?<version>${VERSION})-${architecture}\\.npk$`,
    `^(?<name>${NAME})-${architecture}-(?<version>${VERSION})\\.npk$`,
    ...(architecture === 'x86' ? [`^(?<name>${NAME})-(?<version>${VERSION})\\.npk$`] : []),
  ]
  for (const form of forms) {
    const { name, version } = new RegExp(form).exec(file)?.groups ?? {}
    if (name !== undefined && version !== undefined) return { url, name, version }
  }
  throw invalid(`packages has ${shown(file)}, which is no package for ${architecture}`)
}

function checkVersion(next: string, running: string): void {
  if (next.split('.')[0] !== running.split('.')[0])
    throw invalid(`packages are of another major version, ${next}; the router runs ${running}`)
  if (compareVersions(next, running) <= 0)
    throw invalid(`packages are of version ${next}, which is not newer than ${running}, which the router runs`)
}

function checkComplete(names: readonly string[], installed: readonly string[] | undefined, major: number): void {
  if (installed === undefined)
    throw new AppError(
      'conflict',
      'the installed packages of the router are not known, and those that the list lacks would be removed: ' +
        'name them in its router policy (PUT /devices/{id}/router-policy), or read them over a bridge',
    )
  const wanted = new Set([...ALWAYS, ...installed.map((name) => (/^routeros-/.test(name) ? 'routeros' : name))])
  const missing = [...wanted].filter((name) => !names.includes(name) && !(major < 7 && IN_MAIN_PACKAGE.has(name)))
  if (missing.length > 0)
    throw new AppError(
      'invalid',
      `packages lacks ${missing.join(', ')}: the router would lose what the list does not have`,
      { context: { path: 'packages', missing } },
    )
}

function architectureOf(text = ''): string | undefined {
  const name = text.toLowerCase().replace(/^x86_64$/, 'x86')
  return ARCHITECTURES.find((architecture) => architecture === name)
}

function escaped(url: string): string {
  return url.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function shown(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}...` : text
}

function invalid(reason: string): AppError {
  return new AppError('invalid', reason, { context: { path: 'packages', reason } })
}
