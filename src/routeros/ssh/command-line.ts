import type { RouterCommand } from '../router-os.ts'
import { RouterOsError } from '../router-os-error.ts'
import { checkCommand } from '../words.ts'

/** Commands that have the same meaning on the console: none asks a question, none goes on by itself. */
const VERBS = new Set(['print', 'add', 'set', 'unset', 'remove', 'enable', 'disable', 'comment', 'monitor'])
/** Characters without a meaning for the console between quotation marks. Others are refused, not escaped. */
const PLAIN = /^[A-Za-z0-9 _.,:/@*+=-]*$/
const ROW_ID = /^\*[0-9A-F]{1,8}$/

/** The last line of an output when the command has done its work: an error ends the line of commands before it. */
export const DONE = 'isthmus-done'

/**
 * Returns the line of the console for a command, which ends by writing DONE. RouterOsError `refused` for a command that
 * the console cannot be given: SSH has a line of text where the API has words.
 */
export function commandLine(command: RouterCommand): string {
  checkCommand(command)
  const { path, args = {} } = command
  const words = path.slice(1).split('/')
  const verb = words.at(-1) ?? ''
  if (!VERBS.has(verb)) throw refused(path, 'SSH carries no such command')
  if (verb === 'monitor' && !('once' in args)) throw refused(path, 'SSH carries no command without an end')
  if (verb === 'print' && Object.keys(args).length > 0) throw refused(path, 'SSH carries no such print')
  const parts = Object.entries(args).map(([name, value]) => attribute(path, name, value))
  const asValue = verb === 'print' || verb === 'monitor' ? ['as-value'] : []
  return `:put [/${[...words, ...parts, ...asValue].join(' ')}]; :put "${DONE}"`
}

function attribute(path: string, name: string, value: string): string {
  if (name === 'once' && value === '') return 'once'
  if (name === '.id' || name === 'numbers') {
    if (ROW_ID.test(value)) return `numbers=${value}`
    if (!PLAIN.test(value)) throw refused(path, 'the name of a row has a character that SSH does not carry')
    return `numbers="${value}"`
  }
  if (name.startsWith('!') || name.startsWith('.')) throw refused(path, 'SSH carries no such attribute')
  if (!PLAIN.test(value)) throw refused(path, `${name} has a character that SSH does not carry`)
  return `${name}="${value}"`
}

function refused(path: string, why: string): RouterOsError {
  return new RouterOsError('refused', `${path} was not sent: ${why}`, { sent: false, context: { path } })
}
