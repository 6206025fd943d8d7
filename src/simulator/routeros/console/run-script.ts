import { idText, type Row } from '../basis/table.ts'
import { noSuchCommand } from '../basis/trap.ts'
import { dispatch } from '../commands/dispatch.ts'
import { POLICIES } from '../menus/access.ts'
import { rowsOf, shown } from '../menus/rows.ts'
import type { RouterState } from '../state/router-state.ts'
import { readScript, type ScriptCommand, type ScriptStatement } from './script.ts'

/** Scripts of the TR-069 client run with all rights. */
const EVERYBODY = { name: '*tr069', policies: new Set<string>(POLICIES) }

/**
 * Runs a script on a router, statement by statement. Throws SyntaxRefusal before the first statement, and Trap at the
 * first one that fails: those before it stay done.
 */
export function runScript(router: RouterState, text: string): void {
  runAll(router, readScript(text))
}

function runAll(router: RouterState, statements: readonly ScriptStatement[]): void {
  for (const statement of statements) {
    if (statement.kind === 'command') runCommand(router, statement)
    else {
      const rows = found(router, statement.menu, statement.find.values)
      runAll(router, rows.length === 0 ? statement.then : statement.otherwise)
    }
  }
}

function runCommand(router: RouterState, { path, args, find }: ScriptCommand): void {
  const all = new Map(args)
  if (find !== undefined) {
    const rows = found(router, path.slice(0, path.lastIndexOf('/')), find.values)
    if (rows.length === 0) return
    all.set('.id', rows.map(idText).join(','))
  }
  let refused: unknown
  dispatch({
    router,
    user: EVERYBODY,
    request: { path, args: all, query: [], tag: '', proplist: undefined },
    reply: {
      row: () => undefined,
      empty: () => undefined,
      done: () => undefined,
      refuse(trap) {
        refused = trap
      },
      onCancel: (stop) => stop(),
    },
  })
  if (refused !== undefined) throw refused
}

function found(router: RouterState, path: string, values: ReadonlyMap<string, string>): Row[] {
  const menu = router.menus.get(path)
  if (menu === undefined) throw noSuchCommand()
  return rowsOf(menu, router).filter((row) => {
    const all = { ...row.values, ...shown(menu, row, router, true) }
    return [...values].every(([name, value]) => plain(all[name]) === plain(value))
  })
}

/** Yes and no are the same as true and false. */
function plain(value = ''): string {
  return value === 'yes' ? 'true' : value === 'no' ? 'false' : value
}
