import { matches } from '../basis/query.ts'
import { idText, type Row } from '../basis/table.ts'
import { invalidValue, missing, noMatch, noSuchCommand, noSuchItem, Trap, unknownParameter } from '../basis/trap.ts'
import type { RouterView } from '../basis/view.ts'
import type { RouterStore } from '../store/router-store.ts'
import type { Menu } from './menu.ts'

/** Arguments of commands that are no properties. */
const PRINT_FLAGS = new Set([
  ...['detail', 'stats', 'count-only', 'terse', 'value-list', 'without-paging', 'as-value', 'show-ids', 'about'],
  ...['interval', 'follow', 'follow-only', 'from', '.id', 'numbers', 'once', 'stats-detail', 'brief', 'duration'],
])
const COMMON: ReadonlySet<string> = new Set(['comment'])

/** A router as the commands of menus work on it. */
interface MenuRouter extends RouterView {
  readonly store: RouterStore
}

/** Returns the rows of a menu in order. */
export function rowsOf(menu: Menu, { store }: RouterView): Row[] {
  const rows = store.table(menu.table)
  const { where } = menu
  return where === undefined ? [...rows] : rows.filter(({ values }) => values[where[0]] === where[1])
}

/** Returns what a print shows of a row; secrets only where they may be seen. */
export function shown(menu: Menu, row: Row, router: RouterView, seesSecrets: boolean): Record<string, string> {
  return project(lookup(menu, row, router, seesSecrets), ['.id', ...Object.keys(menu.properties), 'comment'])
}

/** Returns the function that gives a property of a row as a print shows it; undefined for one that it does not show. */
function lookup(menu: Menu, row: Row, router: RouterView, seesSecrets: boolean): (name: string) => string | undefined {
  let inherited: Readonly<Record<string, string>> | undefined
  const fromProfiles = (name: string) => {
    inherited ??= menu.derive?.(row, router) ?? {}
    return inherited[name]
  }
  return (name) => {
    if (name === '.id') return menu.isSingle ? undefined : idText(row)
    if (name === 'comment') return row.values.comment || undefined
    const property = Object.hasOwn(menu.properties, name) ? menu.properties[name] : undefined
    if (property === undefined || property.isHidden || (property.isSecret && !seesSecrets)) return undefined
    const live = menu.live[name]
    const value = live === undefined ? (row.values[name] ?? fromProfiles(name)) : live(row, router)
    return property.isMark && value !== 'true' ? undefined : value
  }
}

/** Returns what a print answers: rows that pass the query, with the properties that are asked for. */
export function print(
  menu: Menu,
  router: RouterView,
  request: { args: ReadonlyMap<string, string>; query: readonly string[]; proplist: readonly string[] | undefined },
  seesSecrets: boolean,
): Record<string, string>[] {
  for (const name of request.args.keys()) if (!PRINT_FLAGS.has(name)) throw unknownParameter(name)
  const from = request.args.get('.id') ?? request.args.get('from') ?? request.args.get('numbers')
  const rows = from === undefined ? rowsOf(menu, router) : resolve(menu, router, from)
  const found: Record<string, string>[] = []
  for (const row of rows) {
    const value = lookup(menu, row, router, seesSecrets)
    if (!matches(request.query, value)) continue
    found.push(
      request.proplist === undefined ? shown(menu, row, router, seesSecrets) : project(value, request.proplist),
    )
  }
  return found
}

/** Returns the properties that are asked for; those that a row lacks are left out. */
function project(value: (name: string) => string | undefined, names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of names) {
    const text = value(name)
    if (text !== undefined) found[name] = text
  }
  return found
}

/** Returns the part of a row that is asked for; all of it without a list. */
export function partOfRow(
  all: Record<string, string>,
  proplist: readonly string[] | undefined,
): Record<string, string> {
  return proplist === undefined ? all : project((name) => all[name], proplist)
}

/** Returns the rows that a list of ids or names means; Trap `no such item`. */
export function resolve(menu: Menu, router: RouterView, text: string | undefined): Row[] {
  if (text === undefined) throw missing('numbers')
  const rows = rowsOf(menu, router)
  return text.split(',').map((one) => {
    const { key } = menu
    const row = rows.find((row) => idText(row) === one || (key !== undefined && row.values[key] === one))
    if (row === undefined) throw noSuchItem()
    return row
  })
}

/** Adds a row and returns its `.id`. */
export function add(menu: Menu, router: MenuRouter, args: ReadonlyMap<string, string>): string {
  if (menu.isFixed || menu.isReading) throw noSuchCommand()
  const { 'place-before': place, 'copy-from': _, ...rest } = Object.fromEntries(args)
  if (place !== undefined && !menu.isOrdered) throw unknownParameter('place-before')
  const values = taken(menu, router, rest)
  for (const name of menu.required) if (values[name] === undefined) throw missing(name)
  for (const [name, { initial }] of Object.entries(menu.properties)) if (initial !== undefined) values[name] ??= initial
  if (menu.where !== undefined) values[menu.where[0]] = menu.where[1]
  menu.complete?.(values, router)
  checkUnique(menu, router, values)
  const before = place === undefined ? undefined : resolve(menu, router, place)[0]
  return idText(router.store.add(menu.table, values, before))
}

/** Sets properties of one row or several; of the only one in a menu without ids. */
export function set(menu: Menu, router: MenuRouter, args: ReadonlyMap<string, string>): void {
  if (menu.isReading) throw noSuchCommand()
  const { '.id': id, numbers, ...rest } = Object.fromEntries(args)
  const removed = Object.keys(rest).filter((name) => name.startsWith('!'))
  for (const name of removed) delete rest[name]
  const rows = menu.isSingle ? rowsOf(menu, router).slice(0, 1) : resolve(menu, router, id ?? numbers)
  const values = taken(menu, router, rest)
  for (const row of rows) {
    if (row.values.dynamic === 'true' && Object.keys(values).some((name) => name !== 'comment' && name !== 'disabled'))
      throw new Trap('failure: can not change dynamic item', 4)
    const next = { ...row.values, ...values }
    menu.complete?.(next, router)
    checkUnique(menu, router, next, row)
    const changed = Object.fromEntries(Object.entries(next).filter(([name, value]) => row.values[name] !== value))
    if (menu.table === 'interface') renameEverywhere(router.store, row.values.name, values.name)
    router.store.set(menu.table, row, changed)
  }
  for (const name of removed)
    unset(
      menu,
      router,
      new Map([
        ['.id', id ?? numbers ?? ''],
        ['value-name', name.slice(1)],
      ]),
    )
}

/** Takes a property of rows away, so that it has its first or inherited value again. */
export function unset(menu: Menu, router: MenuRouter, args: ReadonlyMap<string, string>): void {
  const name = args.get('value-name')
  if (name === undefined) throw missing('value-name')
  const property = COMMON.has(name) ? {} : menu.properties[name]
  if (property === undefined || (property.take === undefined && !COMMON.has(name))) throw noMatch('value-name')
  const rows = menu.isSingle ? rowsOf(menu, router) : resolve(menu, router, args.get('.id') ?? args.get('numbers'))
  for (const row of rows) router.store.set(menu.table, row, { [name]: property.initial })
}

/** Removes rows; those that the router made by itself stay, unless the menu is of such rows. */
export function remove(menu: Menu, router: MenuRouter, args: ReadonlyMap<string, string>): void {
  if (menu.isFixed) throw noSuchCommand()
  const rows = resolve(menu, router, args.get('.id') ?? args.get('numbers'))
  for (const { values } of rows)
    if (values.dynamic === 'true' && !menu.isReading) throw new Trap('failure: can not remove dynamic item', 4)
  for (const row of rows) router.store.remove(menu.table, row)
}

/** Puts rows of an ordered menu before another one. */
export function move(menu: Menu, router: MenuRouter, args: ReadonlyMap<string, string>): void {
  if (!menu.isOrdered) throw noSuchCommand()
  const rows = resolve(menu, router, args.get('numbers') ?? args.get('.id'))
  const destination = args.get('destination')
  const before = destination === undefined ? undefined : resolve(menu, router, destination)[0]
  router.store.move(menu.table, rows, before)
}

/** Returns the values of arguments as they are stored; Trap for the first that is refused. */
function taken(menu: Menu, router: RouterView, args: Record<string, string>): Record<string, string> {
  const values: Record<string, string> = {}
  for (const [name, value] of Object.entries(args)) {
    const property = Object.hasOwn(menu.properties, name) ? menu.properties[name] : undefined
    if (COMMON.has(name)) values[name] = value
    else if (property?.take === undefined) throw unknownParameter(name)
    else {
      values[name] = property.take(value, name)
      const { refersTo } = property
      if (refersTo !== undefined && value !== '' && !isName(router, refersTo, value)) throw noMatch(name)
    }
  }
  return values
}

function isName({ store }: RouterView, table: string, value: string): boolean {
  return value === 'all' || value === 'none' || store.find(table, 'name', value.replace(/^!/, '')) !== undefined
}

function checkUnique(menu: Menu, router: RouterView, values: Record<string, string>, self?: Row): void {
  const { unique } = menu
  if (unique === undefined) return
  const isSame = (row: Row) => row !== self && unique.by.every((name) => row.values[name] === values[name])
  if (router.store.table(menu.table).some(isSame)) throw new Trap(unique.text, 4)
  if (menu.key !== undefined && values[menu.key] === '') throw invalidValue(menu.key)
}

/** Properties of other tables that hold the name of an interface. */
const NAMING = [
  'interface',
  'master-interface',
  'bridge',
  'in-interface',
  'out-interface',
  'gateway',
  'actual-interface',
]

function renameEverywhere(store: RouterStore, from: string | undefined, to: string | undefined): void {
  if (from === undefined || to === undefined || from === to) return
  for (const table of store.names())
    for (const row of store.table(table)) {
      const changed = NAMING.filter((name) => row.values[name] === from)
      if (changed.length > 0) store.set(table, row, Object.fromEntries(changed.map((name) => [name, to])))
    }
}
