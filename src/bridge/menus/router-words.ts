import type { RouterCommand } from '../../routeros/index.ts'
import { checkedCommand } from './checked-command.ts'
import type { HasInterface } from './form/value-kinds.ts'
import type { MenuPath, PropertyOf, VerbOf } from './table.ts'

type Values<M extends MenuPath> = Readonly<Partial<Record<PropertyOf<M>, string>>>

/**
 * Makes commands for one router out of the table of menus. Each method throws RouterOsError `refused` for a word that is
 * not in the table, and ValueRefused for a value of another type; values are sent in the form of their type, never as
 * they came.
 */
export class RouterWords {
  readonly #hasInterface: HasInterface | undefined

  /** `hasInterface` knows the interfaces of the router; without it only the form of their names is checked. */
  constructor(hasInterface?: HasInterface) {
    this.#hasInterface = hasInterface
  }

  /** Reads rows. Query words come from constants and from keys that were read. */
  print<M extends MenuPath>(menu: M, properties: readonly PropertyOf<M>[], query?: readonly string[]): RouterCommand {
    return this.#checked(`${menu}/print`, {}, properties, query)
  }

  /** Reads rows as they change, without end. */
  listen<M extends MenuPath>(menu: M, properties: readonly PropertyOf<M>[]): RouterCommand {
    return this.#checked(`${menu}/listen`, {}, properties)
  }

  /** Reads the present state of a row, once. */
  monitor<M extends MenuPath>(menu: M, id: string, properties?: readonly PropertyOf<M>[]): RouterCommand {
    return this.#checked(`${menu}/monitor`, { '.id': id, once: '' }, properties)
  }

  /** Adds a row, before another one where the menu has an order. */
  add<M extends MenuPath>(menu: M, values: Values<M>, before?: string): RouterCommand {
    return this.#checked(`${menu}/add`, { ...values, ...(before === undefined ? {} : { 'place-before': before }) })
  }

  /** Changes a row; without an id the one row of a menu that has no rows. */
  set<M extends MenuPath>(menu: M, id: string | undefined, values: Values<M>): RouterCommand {
    return this.#checked(`${menu}/set`, { ...(id === undefined ? {} : { '.id': id }), ...values })
  }

  /** Puts a property of a row back to the value that it has without a setting. */
  unset<M extends MenuPath>(menu: M, id: string, property: PropertyOf<M>): RouterCommand {
    return this.#checked(`${menu}/unset`, { '.id': id, 'value-name': property })
  }

  remove(menu: MenuPath, id: string): RouterCommand {
    return this.#checked(`${menu}/remove`, { '.id': id })
  }

  /** Any other command of a menu. */
  run<M extends MenuPath>(menu: M, verb: VerbOf<M>, args: Readonly<Record<string, string>> = {}): RouterCommand {
    return this.#checked(`${menu}/${verb}`, args)
  }

  #checked(
    path: string,
    given: Readonly<Record<string, string | undefined>>,
    proplist?: readonly string[],
    query?: readonly string[],
  ): RouterCommand {
    const args = Object.fromEntries(
      Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
    )
    const asked = {
      path,
      args,
      ...(proplist === undefined ? {} : { proplist }),
      ...(query === undefined ? {} : { query }),
    }
    return checkedCommand(asked, this.#hasInterface).command
  }
}
