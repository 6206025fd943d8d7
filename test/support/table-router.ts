import { type RouterCommand, RouterOsError, type RouterReply, type RouterRow } from '../../src/routeros/index.ts'
import { ScriptedRouterOs } from './scripted-router-os.ts'

/** Rows by menu; what `monitor` shows of a row is under the path of the command, with the `.id` of the row. */
export type RouterTables = Record<string, RouterRow[]>

/** A router without a wire that has the rows of some menus, and no others. */
export class TableRouter extends ScriptedRouterOs {
  readonly tables: RouterTables

  constructor(tables: RouterTables) {
    super((command) => answer(tables, command))
    this.tables = tables
  }

  /** The paths of all commands since the last call, sorted. */
  taken(): string[] {
    return this.commands
      .splice(0)
      .map(({ command }) => command.path)
      .sort()
  }
}

function answer(tables: RouterTables, { path, args = {}, proplist, query }: RouterCommand): RouterReply {
  const at = path.lastIndexOf('/')
  const [menu, verb] = [path.slice(0, at), path.slice(at + 1)]
  const rows = verb === 'print' ? tables[menu] : tables[path]
  if (rows === undefined) throw absent(path)
  if ('count-only' in args) return { rows: [], ret: String(rows.length) }
  const found = rows.filter(
    (row) => (verb === 'print' || row['.id'] === args['.id']) && (query === undefined || holds(query, row)),
  )
  return {
    rows: found.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => proplist?.includes(name)))),
  }
}

function absent(path: string): RouterOsError {
  const all = [`no such command or directory (${path.split('/').at(-2) ?? ''})`, 'no such command prefix']
  return new RouterOsError('trap', all[0] ?? '', { category: 0, all })
}

/** Queries with `name=value`, `name` and `#|`, as the mapping uses them. */
function holds(query: readonly string[], row: RouterRow): boolean {
  const stack: boolean[] = []
  for (const word of query) {
    if (word.startsWith('#')) {
      for (const operator of word.slice(1)) {
        const [b, a] = [stack.pop() === true, operator === '!' ? true : stack.pop() === true]
        stack.push(operator === '|' ? a || b : operator === '&' ? a && b : !b)
      }
    } else if (word.includes('=')) {
      const [name = '', value] = word.replace(/^=/, '').split('=')
      stack.push(row[name] === value)
    } else stack.push(word.startsWith('-') ? row[word.slice(1)] === undefined : row[word] !== undefined)
  }
  return stack.every((one) => one)
}
