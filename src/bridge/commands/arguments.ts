import { isIPv4, isIPv6 } from 'node:net'
import { AgentError, type CommandCall } from '../../usp/index.ts'
import { HOST, HTTPS_URL } from '../menus/form/value-kinds.ts'
import type { MenuPath } from '../menus/table.ts'
import type { RouterInstance } from '../write/instances.ts'
import type { RowMatch } from '../write/write-step.ts'
import type { CommandTools } from './command.ts'

/** Returns the error of an argument. Its text never has the value, which may be secret. */
export function badArgument(name: string, text: string): AgentError {
  return new AgentError(7027, `${name} ${text}`)
}

/** Returns an argument that is a whole number, brought into bounds; `otherwise` when it is absent or empty. */
export function clamped(
  { args }: CommandCall,
  name: string,
  bounds: { min: number; max: number; otherwise: number },
): number {
  const text = args[name] ?? ''
  if (text === '') return bounds.otherwise
  if (!/^\d{1,10}$/.test(text)) throw badArgument(name, 'is no number')
  return Math.min(bounds.max, Math.max(bounds.min, Number(text)))
}

/** Returns an argument that is a boolean; false when it is absent. */
export function isSet({ args }: CommandCall, name: string): boolean {
  const text = args[name] ?? 'false'
  if (!['true', 'false', '1', '0'].includes(text)) throw badArgument(name, 'is neither true nor false')
  return text === 'true' || text === '1'
}

/**
 * Returns the target of a diagnostic. Loopback, link-local and multicast addresses are refused unless the router allows
 * them: a diagnostic is no way to look into the router itself. AgentError 7027.
 */
export function targetOf({ args }: CommandCall, allowsLocal: boolean): string {
  const host = HOST.serialise(args.Host ?? '')
  if (host === undefined) throw badArgument('Host', 'must be a host name or an address')
  const last = host.split('.').at(-1) ?? ''
  // A name whose last label is a number is an address in another form.
  if (!isIPv4(host) && !isIPv6(host) && /^(\d+|0x[0-9a-f]*)?$/i.test(last))
    throw badArgument('Host', 'must be a host name or an address')
  if (!allowsLocal && isLocal(host.toLowerCase()))
    throw badArgument('Host', 'must not be a loopback, link-local or multicast address')
  return host
}

function isLocal(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true
  if (isIPv6(host)) return /^(::1?$|fe[89ab]|ff|::ffff:|0*(:0*){1,6}:)/.test(host)
  return isIPv4(host) && /^(0|127|169\.254|22[4-9]|2[3-5]\d)\./.test(`${host}.`)
}

/** Returns a URL whose host is on a list; AgentError 7027. */
export function allowedUrl({ args }: CommandCall, hosts: readonly string[], listed: string): URL {
  const url = HTTPS_URL.serialise(args.URL ?? '')
  if (url === undefined) throw badArgument('URL', 'must be an https URL of at most 255 characters without credentials')
  const parsed = new URL(url)
  if (!hosts.includes(parsed.host) && !hosts.includes(parsed.hostname))
    throw badArgument('URL', `has a host that is not among the ${listed} of this router`)
  return parsed
}

/** Resolves with the name of the interface that the argument `Interface` names; undefined when it is empty. */
export async function interfaceOf({ args }: CommandCall, { instances }: CommandTools): Promise<string | undefined> {
  const path = args.Interface ?? ''
  if (path === '') return undefined
  if (!/^Device(\.[A-Za-z0-9]+)+\.?$/.test(path)) throw badArgument('Interface', 'must be the path of an interface')
  const found = await instances.at(path.endsWith('.') ? path : `${path}.`)
  if (found?.called === undefined) throw badArgument('Interface', 'must be the path of an interface')
  return found.called
}

/** Resolves with the row that a command is about; AgentError 7016 when it is not there. */
export async function rowOf({ object }: CommandCall, { instances }: CommandTools): Promise<RouterInstance> {
  const found = await instances.at(object)
  if (found === undefined) throw new AgentError(7016, `${object} is not there any more`)
  return found
}

/** Resolves with the present `.id` of a row, found by what stays with it; AgentError 7016. */
export async function idOf(menu: MenuPath, match: RowMatch, { rows }: CommandTools): Promise<string> {
  const id = (await rows.find(menu, match, []))?.['.id']
  if (id === undefined) throw new AgentError(7016, 'the row is not there any more')
  return id
}
