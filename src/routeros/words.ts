import type { RouterCommand } from './router-os.ts'
import { RouterOsError } from './router-os-error.ts'

/** Bytes of a value at most, in UTF-8. */
const MAX_VALUE = 255
/** Items of one command at most. */
const MAX_ARGS = 64
const MAX_PROPLIST = 128
const MAX_QUERY = 64

const PATH = /^(?:\/[a-z0-9][a-z0-9-]{0,62}){1,8}$/
const NAME = /^!?\.?[a-z0-9][a-z0-9.-]{0,62}$/
const QUERY = /^(?:#[|&!.0-9]{1,16}|[-=<>]?\.?[a-z0-9][a-z0-9.-]{0,62}(?:=.*)?)$/s
/** Control characters, and halves of surrogate pairs, which have no UTF-8. */
const UNSENDABLE = /[\x00-\x1f\x7f]|\p{Surrogate}/u
/** Paths that belong to the connection itself. */
const OWN_PATHS = new Set(['/login', '/cancel', '/quit'])

/** Refuses a command with a word that may not be sent: RouterOsError `refused`, which names the place, not the value. */
export function checkCommand(command: RouterCommand): void {
  const { path, args = {}, proplist = [], query = [] } = command
  if (!PATH.test(path)) throw refused('a path that is no path of a command')
  if (OWN_PATHS.has(path)) throw refused(`${path}, which belongs to the connection`)
  const entries = Object.entries(args)
  if (entries.length > MAX_ARGS) throw refused(`more than ${MAX_ARGS} attributes`, path)
  for (const [name, value] of entries) {
    if (!NAME.test(name) || name === '.tag' || name === '.proplist')
      throw refused('an attribute whose name is none', path)
    checkText(value, `the attribute ${name}`, path)
  }
  if (proplist.length > MAX_PROPLIST) throw refused(`more than ${MAX_PROPLIST} properties`, path)
  for (const name of proplist) if (!NAME.test(name)) throw refused('a property whose name is none', path)
  if (query.length > MAX_QUERY) throw refused(`more than ${MAX_QUERY} query words`, path)
  for (const word of query) {
    if (!QUERY.test(word)) throw refused('a query word that is none', path)
    checkText(word, 'a query word', path)
  }
}

/**
 * Returns the words of a command on the API, without a tag, in a new array. RouterOsError `refused` for a word that may
 * not be sent.
 */
export function wordsOf(command: RouterCommand): string[] {
  checkCommand(command)
  const { path, args = {}, proplist, query = [] } = command
  const words = [path, ...Object.entries(args).map(([name, value]) => `=${name}=${value}`)]
  if (proplist !== undefined && proplist.length > 0) words.push(`=.proplist=${proplist.join(',')}`)
  return [...words, ...query.map((word) => `?${word}`)]
}

function checkText(text: string, place: string, path: string): void {
  if (UNSENDABLE.test(text)) throw refused(`${place} with a control character`, path)
  if (Buffer.byteLength(text) > MAX_VALUE) throw refused(`${place} with more than ${MAX_VALUE} bytes`, path)
}

function refused(what: string, path?: string): RouterOsError {
  const message = path === undefined ? `not sent: ${what}` : `${path} was not sent: it has ${what}`
  return new RouterOsError('refused', message, { sent: false, context: path === undefined ? {} : { path } })
}
