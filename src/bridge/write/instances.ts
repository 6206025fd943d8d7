import { parentOf } from '../../datamodel/index.ts'
import type { RouterRow } from '../../routeros/index.ts'
import { isDerived, type ObjectMapping } from '../mapping/index.ts'
import { isMenuPath, type MenuPath } from '../menus/table.ts'
import type { RouterModel } from '../model/router-model.ts'
import { type InstanceRow, rowSchemaOf } from '../model/table-rows.ts'
import type { RowMatch } from './write-step.ts'

/** A row of a table of TR-181, with the row of the router that it is. */
export interface RouterInstance {
  /** Menu of the row; undefined for a row that is made of several. */
  readonly menu: MenuPath | undefined
  /** The row by what stays with it. */
  readonly match: RowMatch
  /** Name by which other rows refer to it, as an interface is called; undefined when none does. */
  readonly called: string | undefined
  /** Natural key in its table. */
  readonly key: string
  readonly mapping: ObjectMapping
  /** False for a row that the router has made itself, or somebody else. */
  readonly mayChange: boolean
  /** The row as it was read. */
  readonly row: RouterRow
}

/** Finds the rows of the router behind the rows of TR-181. */
export class RouterInstances {
  readonly #model: RouterModel

  constructor(model: RouterModel) {
    this.#model = model
  }

  /** Resolves with the row at a full path with its last dot; undefined when it is not there. AgentError. */
  async at(path: string): Promise<RouterInstance | undefined> {
    const { tables } = await this.#model.found()
    const row = (await tables.rows(rowSchemaOf(parentOf(path)))).find((one) => one.path === path)
    return row === undefined ? undefined : instanceOf(row)
  }
}

function instanceOf({ mapping, row, called, key }: InstanceRow): RouterInstance {
  const { source, table } = mapping
  const path = isDerived(source) ? (row['.menu'] ?? '') : source.menu
  const menu = isMenuPath(path) ? path : undefined
  const stays = isDerived(source) ? (source.stays?.[path] ?? []) : (table?.key.from ?? [])
  const names = stays.filter((name) => row[name] !== undefined && name !== '.id')
  const id = row['.id']
  const properties = Object.fromEntries(names.map((name) => [name, row[name] ?? '']))
  return {
    menu,
    match: { properties, ...(id === undefined ? {} : { id }) },
    called,
    key,
    mapping,
    row,
    mayChange: table?.mayChange?.holds(row) ?? true,
  }
}
