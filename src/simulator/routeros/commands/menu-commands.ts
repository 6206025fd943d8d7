import { matches } from '../basis/query.ts'
import { idText } from '../basis/table.ts'
import { readDuration } from '../basis/text.ts'
import { missing, noSuchCommand, Trap } from '../basis/trap.ts'
import { isFrom } from '../menus/life.ts'
import type { Menu } from '../menus/menu.ts'
import { add, move, partOfRow, print, remove, resolve, rowsOf, set, shown, unset } from '../menus/rows.ts'
import type { Call } from './command.ts'
import { every } from './every.ts'

interface MenuCommand {
  isChange: boolean
  run(menu: Menu, call: Call): void
}

const read = (run: MenuCommand['run']): MenuCommand => ({ isChange: false, run })
/** A change that ends at once. */
const change = (run: (menu: Menu, call: Call) => string | undefined): MenuCommand => ({
  isChange: true,
  run: (menu, call) => call.reply.done(run(menu, call)),
})

/** Returns a change of rows that only sets one property. */
function setting(name: string, value: string): MenuCommand {
  return change((menu, { router, request }) => {
    if (menu.properties[name]?.take === undefined) throw noSuchCommand()
    set(menu, router, new Map([...request.args, [name, value]]))
    return undefined
  })
}

/** Commands that menus have, by name. */
export const MENU_COMMANDS: Readonly<Record<string, MenuCommand>> = {
  print: read(printMenu),
  getall: read(printMenu),
  listen: read(listen),
  monitor: read(monitor),
  'monitor-traffic': read((menu, call) => {
    if (menu.path !== '/interface') throw noSuchCommand()
    monitor(menu, call)
  }),
  get: read((menu, { router, request, user, reply }) => {
    const [row] = menu.isSingle
      ? rowsOf(menu, router)
      : resolve(menu, router, request.args.get('.id') ?? request.args.get('number'))
    const name = request.args.get('value-name')
    if (row === undefined || name === undefined) throw missing('value-name')
    reply.done(shown(menu, row, router, user.policies.has('sensitive'))[name] ?? '')
  }),
  add: change((menu, { router, request }) => add(menu, router, request.args)),
  set: change((menu, { router, request }) => {
    set(menu, router, request.args)
    return undefined
  }),
  unset: change((menu, { router, request }) => {
    unset(menu, router, request.args)
    return undefined
  }),
  remove: change((menu, { router, request }) => {
    remove(menu, router, request.args)
    return undefined
  }),
  move: change((menu, { router, request }) => {
    move(menu, router, request.args)
    return undefined
  }),
  enable: setting('disabled', 'no'),
  disable: setting('disabled', 'yes'),
  comment: change((menu, { router, request }) => {
    if (!request.args.has('comment')) throw missing('comment')
    set(menu, router, request.args)
    return undefined
  }),
}

function printMenu(menu: Menu, call: Call): void {
  const { router, request, user, reply } = call
  const rows = () => print(menu, router, request, user.policies.has('sensitive'))
  if (request.args.has('count-only')) return reply.done(String(rows().length))
  const interval = request.args.get('interval')
  if (interval !== undefined && !request.args.has('once'))
    return every(call, (readDuration(interval) ?? 1) * 1000, () => answer(call, rows()))
  answer(call, rows())
  if (request.args.has('follow') || request.args.has('follow-only')) return listen(menu, call)
  reply.done()
}

function answer({ router, reply }: Call, rows: readonly Record<string, string>[]): void {
  for (const row of rows) reply.row(row)
  if (rows.length === 0 && isFrom(router.version, 7, 18)) reply.empty()
}

/** Rows as they are added, set and removed, until a cancel. Values that live make no change. */
function listen(menu: Menu, { router, request, user, reply }: Call): void {
  const dead = isFrom(router.version, 7) ? 'true' : 'yes'
  const stop = router.store.onChange(({ table, kind, row }) => {
    const { where } = menu
    if (table !== menu.table || (where !== undefined && row.values[where[0]] !== where[1])) return
    if (kind === 'removed') return reply.row({ '.id': idText(row), '.dead': dead })
    const all = shown(menu, row, router, user.policies.has('sensitive'))
    if (matches(request.query, (name) => all[name])) reply.row(partOfRow(all, request.proplist))
  })
  reply.onCancel(stop)
}

/** Values of a moment: once, or each second until a cancel. */
function monitor(menu: Menu, call: Call): void {
  const { router, request, reply } = call
  if (menu.monitor === undefined) throw noSuchCommand()
  const named = request.args.get('.id') ?? request.args.get('numbers') ?? request.args.get('interface')
  const rows = menu.isSingle ? rowsOf(menu, router) : resolve(menu, router, named)
  const show = () => {
    for (const row of rows) {
      if (!rowsOf(menu, router).includes(row)) throw new Trap('no such item', 0)
      reply.row(partOfRow(menu.monitor?.(row, router) ?? {}, request.proplist))
    }
  }
  if (request.args.has('once')) {
    show()
    return reply.done()
  }
  every(call, (readDuration(request.args.get('interval') ?? '1s') ?? 1) * 1000, show)
}
