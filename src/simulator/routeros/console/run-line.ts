import { readDuration } from '../basis/text.ts'
import { Trap } from '../basis/trap.ts'
import type { Reply } from '../commands/command.ts'
import { dispatch } from '../commands/dispatch.ts'
import type { RouterState, SessionUser } from '../state/router-state.ts'
import { type ConsoleCommand, type Statement, SyntaxRefusal, statementsOf } from './statements.ts'

/** Properties whose items the console writes with semicolons between. */
const LISTS =
  /^(servers|dynamic-servers|dns-server|ntp-server|wins-server|(current-)?(un)?tagged|advertise|policy|connection-state|(security\.)?authentication-types)$/

/**
 * Runs a line of the console and resolves with what it writes. An error is written, too, and ends the line. `onStop`
 * gets the function that cuts a command short, while one runs.
 */
export async function runLine(
  router: RouterState,
  user: SessionUser,
  line: string,
  onStop: (stop: () => void) => void,
): Promise<string> {
  let output = ''
  try {
    for (const statement of statementsOf(line)) output += await written(router, user, statement, onStop)
  } catch (error) {
    if (!(error instanceof Trap) && !(error instanceof SyntaxRefusal)) throw error
    output += `${error.message}\r\n`
  }
  return output
}

async function written(
  router: RouterState,
  user: SessionUser,
  statement: Statement,
  onStop: (stop: () => void) => void,
): Promise<string> {
  if ('run' in statement) {
    const { rows, ret } = await answered(router, user, statement.run, onStop)
    if (ret !== undefined) return ''
    return rows.map((row, n) => `${terse(row, n)}\r\n`).join('')
  }
  if (typeof statement.put === 'string') return `${statement.put}\r\n`
  const { rows, ret } = await answered(router, user, statement.put, onStop)
  return `${ret ?? rows.map(asValue).join(';')}\r\n`
}

interface Answer {
  rows: Record<string, string>[]
  ret?: string
}

function answered(
  router: RouterState,
  user: SessionUser,
  { path, args }: ConsoleCommand,
  onStop: (stop: () => void) => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const rows: Record<string, string>[] = []
    const stops: (() => void)[] = []
    const stop = () => {
      for (const one of stops.splice(0)) one()
    }
    const reply: Reply = {
      row: (values) => void rows.push({ ...values }),
      empty: () => undefined,
      done(ret) {
        stop()
        resolve(ret === undefined ? { rows } : { rows, ret })
      },
      refuse(trap) {
        stop()
        reject(trap)
      },
      onCancel: (one) => void stops.push(one),
    }
    onStop(() => {
      stop()
      reject(new Trap('interrupted', 2))
    })
    dispatch({ router, user, request: { path, args, query: [], tag: '', proplist: undefined }, reply })
  })
}

/** A row as `as-value` writes it. */
function asValue(row: Record<string, string>): string {
  return Object.entries(row)
    .map(([name, value]) => `${name}=${LISTS.test(name) ? value.replaceAll(',', ';') : time(value)}`)
    .join(';')
}

/** Spans of time are values of a type of their own in the console: `1d02:03:04`. */
function time(value: string): string {
  const seconds = /^(\d+[wdhms])+$/.test(value) ? readDuration(value) : undefined
  if (seconds === undefined) return value
  const days = Math.floor(seconds / 86_400)
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60]
  return `${days > 0 ? `${days}d` : ''}${clock.map((part) => String(part).padStart(2, '0')).join(':')}`
}

/** A row as `print terse` writes it: number, flags, properties. */
function terse(row: Record<string, string>, n: number): string {
  const flags = [
    row.disabled === 'true' ? 'X' : '',
    row.dynamic === 'true' ? 'D' : '',
    row.running === 'true' ? 'R' : '',
  ]
  const values = Object.entries(row).filter(([name]) => !['.id', 'disabled', 'dynamic', 'running'].includes(name))
  return `${String(n).padStart(2)} ${flags.join('').padEnd(3)} ${values.map(([name, value]) => `${name}=${value}`).join(' ')}`
}
