import { type Device, isRouterOs, type Protocol, type RequestFor } from '../domain/index.ts'
import { type RouterFacts, readUpgrade, renderScript, SCRIPT_TEMPLATES, templateOf } from '../router-files/index.ts'
import { invalid } from './invalid.ts'

/** The file type of a download that names none (TR-069 A.3.2.8). */
const FIRMWARE_TYPE = '1 Firmware Upgrade Image'

/** The facts of a router that an upgrade is checked against. */
export interface RouterChecks extends Omit<RouterFacts, 'softwareVersion'> {
  /** Beginnings of URLs from which routers may load packages. */
  places: readonly string[]
}

/** The device of a request for a router, and the protocol that the request takes. */
interface RouterContext {
  device: Partial<Pick<Device, 'manufacturer' | 'oui' | 'softwareVersion'>>
  protocol: Protocol
  router?: RouterChecks
}

/**
 * Refuses files for the TR-069 client of RouterOS that do harm (RouterOS manual, TR-069 client): a package alone is no
 * firmware for it, but a descriptor that lists all packages, and a file with a path that ends in `.alter` is a script that
 * it runs.
 */
export function checkRouterDownload(
  { url, fileType }: RequestFor<'download'>,
  { device, protocol }: RouterContext,
): void {
  if (protocol !== 'cwmp' || !isRouterOs(device)) return
  const path = plain(new URL(url).pathname)
  // A router that looks at the whole text is no reason to run it either.
  if (path.endsWith('.alter') || plain(url).endsWith('.alter'))
    throw invalid(
      'url',
      'ends in .alter: RouterOS would run the file as a script; use the verb `script` with one of the templates',
    )
  if ((fileType ?? FIRMWARE_TYPE) === FIRMWARE_TYPE && path.endsWith('.npk'))
    throw invalid(
      'url',
      'is one package: the TR-069 client of RouterOS takes an XML descriptor that lists all packages of the router, ' +
        'itself among them; use the verb `upgrade`',
    )
}

/**
 * Returns a text in lower case, each percent-encoded byte as the character with its number: one that
 * is no UTF-8 hides none of the others.
 */
function plain(text: string): string {
  return text
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .toLowerCase()
}

/** Checks a script: a template, and parameters of its types. AppError `invalid`, whose text has no value. */
export function checkScript({ template: name, parameters }: RequestFor<'script'>, context: RouterContext): void {
  checkRouter(context)
  const template = templateOf(name)
  if (template === undefined)
    throw invalid('template', `is one of ${SCRIPT_TEMPLATES.map((one) => one.name).join(', ')}`)
  renderScript(template, parameters, context.device.softwareVersion)
}

/** Checks an upgrade: packages of allowed places, all that the router has. AppError `invalid`, `conflict`. */
export function checkUpgrade({ packages }: RequestFor<'upgrade'>, context: RouterContext): void {
  checkRouter(context)
  const { places = [], architecture, installed } = context.router ?? {}
  readUpgrade(packages, places, { architecture, installed, softwareVersion: context.device.softwareVersion })
}

function checkRouter({ device, protocol }: RouterContext): void {
  if (!isRouterOs(device)) throw invalid('verb', 'is for MikroTik routers alone')
  if (protocol !== 'cwmp') throw invalid('verb', 'is for the TR-069 client of a router, and CWMP does not own this one')
}
