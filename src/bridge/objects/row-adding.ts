import { parentOf } from '../../datamodel/index.ts'
import { type AgentError, addOneByOne, type ModelProblem, ModelRefusal, type NewRow } from '../../usp/index.ts'
import type { RouterModel } from '../model/router-model.ts'
import { rowSchemaOf } from '../model/table-rows.ts'
import { type Draft, DraftRefusal } from '../write/draft.ts'
import type { RouterInstances } from '../write/instances.ts'
import { writerFor } from './all.ts'
import { collect, type DraftWrites, refuse } from './draft-writes.ts'

/** Add of a bridged router. */
export class RowAdding {
  readonly #model: RouterModel
  readonly #instances: RouterInstances
  readonly #drafts: DraftWrites

  constructor({ model }: { model: RouterModel }, instances: RouterInstances, drafts: DraftWrites) {
    this.#model = model
    this.#instances = instances
    this.#drafts = drafts
  }

  /** Adds all rows or none and resolves with their paths, in order; ModelRefusal. */
  async add(rows: readonly NewRow[]): Promise<readonly string[]> {
    const keys: string[] = []
    let before: ReadonlySet<string> = new Set()
    await this.#drafts.write('add', async (draft) => {
      keys.length = 0
      before = await this.#rowsOf(rows)
      const problems: ModelProblem[] = []
      for (const [row, one] of rows.entries())
        await collect(problems, row, async () => void keys.push(await this.#plan(one, row, draft)))
      refuse(problems)
    })
    const found: string[] = []
    for (const [row, { table }] of rows.entries()) {
      const path = await this.#pathOf(table, keys[row] ?? '', before, found)
      if (path === undefined) throw new ModelRefusal([{ ...notShown(table), row }])
      found.push(path)
    }
    return found
  }

  /**
   * Adds each row for itself; resolves with their paths, or with the errors for which they were not added, in order.
   * Rows that are nothing but further rows of the router are done together; others, such as items of a list, depend on
   * those before them.
   */
  async addEach(rows: readonly NewRow[]): Promise<readonly (string | AgentError)[]> {
    const keys = new Map<NewRow, string>()
    let before: ReadonlySet<string> | undefined
    const results = await this.#drafts.writeEach(rows, async (row, draft) => {
      before ??= await this.#rowsOf(rows)
      keys.set(row, await this.#plan(row, 0, draft))
    })
    const added: (string | AgentError)[] = []
    const found: string[] = []
    for (const [i, row] of rows.entries()) {
      const result = results[i]
      if (result instanceof ModelRefusal) added.push(result)
      else if (result === 'done') {
        const path = await this.#pathOf(row.table, keys.get(row) ?? '', before ?? new Set(), found)
        added.push(path ?? new ModelRefusal([notShown(row.table)]))
        if (path !== undefined) found.push(path)
      } else added.push(...(await addOneByOne(this, [row], '')))
    }
    return added
  }

  async #plan({ table, values }: NewRow, row: number, draft: Draft): Promise<string> {
    const writer = writerFor(rowSchemaOf(table))
    if (writer?.add === undefined) throw new DraftRefusal(table, 7017, 'the bridge adds no rows to this table')
    const above = /\.\d+\.$/.test(parentOf(table)) ? await this.#instances.at(parentOf(table)) : undefined
    return writer.add({ table, above, values, row }, draft)
  }

  /** Resolves with the rows that the tables of new rows have now. */
  async #rowsOf(rows: readonly NewRow[]): Promise<ReadonlySet<string>> {
    const tables = [...new Set(rows.map(({ table }) => table))]
    return new Set((await Promise.all(tables.map((table) => this.#model.instances(table)))).flat())
  }

  /** The path of a new row: by its key, else the first that was not there before. */
  async #pathOf(
    table: string,
    key: string,
    before: ReadonlySet<string>,
    taken: readonly string[],
  ): Promise<string | undefined> {
    const { tables } = await this.#model.found()
    const rows = (await tables.rows(rowSchemaOf(table))).filter(
      ({ path }) => parentOf(path) === table && !taken.includes(path),
    )
    return (rows.find((row) => row.key === key) ?? rows.find(({ path }) => !before.has(path)))?.path
  }
}

function notShown(path: string): ModelProblem {
  return { path, code: 7003, text: 'the row was added and is not shown' }
}
