import { type RouterCommand, RouterOsError } from '../../routeros/index.ts'
import type { Level, Menu, Verb } from './form/menu.ts'
import { type HasInterface, isClean, ROW_ID, type ValueKind } from './form/value-kinds.ts'
import { menuAt } from './table.ts'

/** A value that its property or argument cannot have. It names the property and never the value, which may be secret. */
export class ValueRefused extends Error {
  readonly property: string

  constructor(property: string, expects: string) {
    super(`${property} must be ${expects}`)
    this.property = property
  }
}

/** Bounds of one command. */
const MAX_QUERY_WORDS = 32
const MAX_PROPERTIES = 96
/** Kinds have bounds of their own, which are narrower but for lists of rows. */
const MAX_WORD = 1280

/** A command made anew from the table, and its danger. */
interface CheckedCommand {
  command: RouterCommand
  level: Level
  streams: boolean
}

/**
 * Builds a command anew from the words that the table allows. Throws RouterOsError `refused` for a word that may not be
 * named, and ValueRefused for a value of another type.
 */
export function checkedCommand(asked: RouterCommand, hasInterface?: HasInterface): CheckedCommand {
  const slash = asked.path.lastIndexOf('/')
  const menuPath = asked.path.slice(0, slash)
  const menu = menuAt(menuPath)
  const name = asked.path.slice(slash + 1)
  const verb = menu === undefined ? undefined : ownOf(menu.verbs, name)
  if (menu === undefined || verb === undefined) throw refusal('this command is not on the list')
  const args = argsOf(menu, verb, asked.args ?? {}, hasInterface)
  const command: RouterCommand = {
    path: `${menuPath}/${name}`,
    ...(Object.keys(args).length === 0 ? {} : { args }),
    ...(asked.proplist === undefined ? {} : { proplist: proplistOf(menu, verb, asked.proplist) }),
    ...(asked.query === undefined ? {} : { query: queryOf(menu, verb, asked.query) }),
    ...(verb.level > 0 ? { writes: true } : {}),
  }
  return { command, level: verb.level, streams: verb.streams }
}

function refusal(text: string): RouterOsError {
  return new RouterOsError('refused', text, { sent: false })
}

/** The entry of a table under a name; undefined for names of Object.prototype, too. */
function ownOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

function argsOf(
  menu: Menu,
  verb: Verb,
  asked: Readonly<Record<string, string>>,
  hasInterface: HasInterface | undefined,
): Record<string, string> {
  const args: Record<string, string> = {}
  for (const [name, value] of Object.entries(asked)) {
    const kind = kindOf(menu, verb, name)
    if (kind === undefined) throw refusal('this attribute is not on the list')
    args[name] = serialised(name, kind, value, hasInterface)
  }
  if (verb.row?.required === true && args[verb.row.name] === undefined) throw refusal('the row is missing')
  if (args['value-name'] !== undefined && ownOf(menu.properties, args['value-name'])?.writable !== true)
    throw refusal('this property cannot be unset')
  return args
}

function kindOf(menu: Menu, verb: Verb, name: string): ValueKind | undefined {
  if (name === verb.row?.name) return ROW_ID
  const own = ownOf(verb.args, name)
  if (own !== undefined || !verb.takesProperties) return own
  const property = ownOf(menu.properties, name)
  return property?.writable === true ? property.kind : undefined
}

function serialised(name: string, kind: ValueKind, value: string, hasInterface: HasInterface | undefined): string {
  const sent = typeof value === 'string' ? kind.serialise(value, hasInterface) : undefined
  if (sent === undefined || !isClean(sent, MAX_WORD)) throw new ValueRefused(name, kind.expects)
  return sent
}

function proplistOf(menu: Menu, verb: Verb, names: readonly string[]): string[] {
  if (!verb.reads || names.length > MAX_PROPERTIES) throw refusal('this command has no such list of properties')
  for (const name of names)
    if (ownOf(menu.properties, name)?.secret !== false) throw refusal('this property is not on the list')
  return [...names]
}

/**
 * The query words of a print: tests for a property (`name`, `-name`, `name=value`, `<name=value`, `>name=value`) and
 * operators on the stack (`#|`).
 */
function queryOf(menu: Menu, verb: Verb, words: readonly string[]): string[] {
  if (!verb.reads || words.length > MAX_QUERY_WORDS) throw refusal('this command has no such query')
  return words.map((word) => {
    if (/^#[|&!.]{1,8}$/.test(word)) return word
    const [, test = '', name = '', value] = /^([-<>=]?)([a-z0-9.-]+?)(?:=(.*))?$/s.exec(word) ?? []
    const property = ownOf(menu.properties, name)
    if (property === undefined || property.secret) throw refusal('this query is not on the list')
    if ((test === '-') === (value !== undefined) && test !== '') throw refusal('this query is not on the list')
    if (value === undefined) return test + name
    // Text that a person wrote is compared here, never by the router.
    if (property.kind.isFreeText === true) throw refusal('this property is not searched for')
    return `${test}${name}=${serialised(name, property.kind, value, undefined)}`
  })
}
