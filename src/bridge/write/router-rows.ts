import { type RouterOs, RouterOsError, type RouterRow } from '../../routeros/index.ts'
import type { Menu } from '../menus/form/menu.ts'
import { RouterWords } from '../menus/router-words.ts'
import { type MenuPath, menuAt } from '../menus/table.ts'
import type { RowMatch } from './write-step.ts'

/** Rows of a router, read at the moment at which they are asked for, and the words for the next command. */
export class RouterRows {
  readonly #router: RouterOs
  /** Words that check the form of names alone: for readings, and for undoing. */
  readonly words = new RouterWords()

  constructor(router: RouterOs) {
    this.#router = router
  }

  /** Returns the rows of the same router for one moment: each menu is read once for the same properties. */
  once(): RouterRows {
    return new RowsOnce(this.#router)
  }

  /** Resolves with the rows of a menu; properties that a menu does not have are left out. RouterOsError. */
  async all(menu: MenuPath, properties: readonly string[]): Promise<readonly RouterRow[]> {
    const known = menuOf(menu).properties
    const wanted = [...new Set(['.id', ...properties])].filter((name) => Object.hasOwn(known, name))
    return (await this.#router.command(this.words.print(menu, wanted))).rows
  }

  /** Resolves with the rows of a menu; [] when the router does not have the menu. RouterOsError. */
  async allIfThere(menu: MenuPath, properties: readonly string[]): Promise<readonly RouterRow[]> {
    try {
      return await this.all(menu, properties)
    } catch (error) {
      if (
        error instanceof RouterOsError &&
        error.kind === 'trap' &&
        /no such command|error - contact/.test(error.all.join())
      )
        return []
      throw error
    }
  }

  /** Resolves with the row that matches, with these properties; undefined when there is none, or more than one. */
  async find(menu: MenuPath, match: RowMatch, properties: readonly string[]): Promise<RouterRow | undefined> {
    const names = Object.keys(match.properties)
    const rows = await this.all(menu, [...names, ...properties])
    const found = rows.filter((row) => names.every((name) => isSame(menu, name, row[name], match.properties[name])))
    return found.length < 2 ? found[0] : found.find((row) => row['.id'] === match.id)
  }

  /** Resolves with words that allow only the interfaces that the router has now. RouterOsError. */
  async wordsNow(): Promise<RouterWords> {
    const names = new Set((await this.all('/interface', ['name'])).map((row) => row.name))
    return new RouterWords((name) => names.has(name))
  }
}

class RowsOnce extends RouterRows {
  readonly #read = new Map<string, Promise<readonly RouterRow[]>>()

  override all(menu: MenuPath, properties: readonly string[]): Promise<readonly RouterRow[]> {
    const id = [menu, ...[...new Set(properties)].sort()].join(' ')
    const known = this.#read.get(id)
    if (known !== undefined) return known
    const rows = super.all(menu, properties)
    this.#read.set(id, rows)
    return rows
  }
}

/** Returns the entry of a menu that the table has. */
export function menuOf(path: MenuPath): Menu {
  const menu = menuAt(path)
  if (menu === undefined) throw new RouterOsError('refused', 'this menu is not on the list', { sent: false })
  return menu
}

/** Returns true for a menu of one row that has no `.id`. */
export function isSingle(path: MenuPath): boolean {
  return menuOf(path).verbs.set?.row === undefined
}

/** Returns true when a router shows a value that means the same as another text; absent is ''. */
export function isSame(menu: MenuPath, name: string, shown: string | undefined, text: string | undefined): boolean {
  const [left, right] = [shown ?? '', text ?? '']
  if (left === right) return true
  const kind = menuOf(menu).properties[name]?.kind
  const sent = kind?.serialise(left)
  return sent !== undefined && sent === kind?.serialise(right)
}
