import { schemaPathOf, splitLeaf } from '../../datamodel/index.ts'
import type { TreeView } from '../../tree/index.ts'
import type { AgentError } from './agent-error.ts'
import {
  type AcceptedCommand,
  type AgentModel,
  addOneByOne,
  type CommandCall,
  type ModelChange,
  type ModelProblem,
  ModelRefusal,
  type ModelWrite,
  type NewRow,
  type SupportedModel,
} from './agent-model.ts'

/** A model that is held in a tree of this process, as USP shows it, with the commands of its owner. */
export class TreeModel implements AgentModel {
  readonly #view: TreeView
  readonly #operate: (call: CommandCall) => Promise<AcceptedCommand>
  readonly #supported: SupportedModel

  constructor(view: TreeView, operate: (call: CommandCall) => Promise<AcceptedCommand>) {
    this.#view = view
    this.#operate = operate
    this.#supported = supportedBy(view)
  }

  async supported(): Promise<SupportedModel> {
    return this.#supported
  }

  async instances(table: string): Promise<string[]> {
    return this.#view.instances(table)
  }

  async get(paths: readonly string[]): Promise<Map<string, string>> {
    const found = new Map<string, string>()
    for (const path of paths) {
      const value = this.#view.get(path)
      if (value !== undefined) found.set(path, value)
    }
    return found
  }

  async set(values: readonly ModelWrite[], by: string): Promise<void> {
    refuse(
      values
        .filter(({ path }) => this.#view.get(path) === undefined)
        .map(({ path }) => ({ path, code: 7016, text: 'the parameter is not there any more' })),
    )
    for (const { path, value } of values) this.#view.write(path, value, by)
  }

  async add(rows: readonly NewRow[], by: string): Promise<string[]> {
    const view = this.#view
    refuse(
      rows.flatMap(({ table }, row) =>
        view.isTable(table) ? [] : [{ path: table, code: 7016, text: 'the table is not there any more', row }],
      ),
    )
    return rows.map(({ table, values }) => {
      const row = view.fromCanonical(view.tree.addRow(view.toCanonical(table), by))
      for (const [name, value] of Object.entries(values)) view.write(row + name, value, by)
      return row
    })
  }

  addEach(rows: readonly NewRow[], by: string): Promise<readonly (string | AgentError)[]> {
    return addOneByOne(this, rows, by)
  }

  async delete(rows: readonly string[], by: string): Promise<void> {
    for (const row of rows) if (this.#view.hasObject(row)) this.#view.tree.deleteRow(this.#view.toCanonical(row), by)
  }

  operate(call: CommandCall): Promise<AcceptedCommand> {
    return this.#operate(call)
  }

  changes(listener: (change: ModelChange) => void): () => void {
    return this.#view.tree.onChange((change) => listener({ ...change, path: this.#view.fromCanonical(change.path) }))
  }
}

function refuse(problems: readonly ModelProblem[]): void {
  if (problems.length > 0) throw new ModelRefusal(problems)
}

/** The objects and parameters that both the model of USP and the tree have. */
function supportedBy(view: TreeView): SupportedModel {
  const object = (schema: string) =>
    view.tree.supported.has(view.toCanonical(schema)) ? view.model.objects.get(schema) : undefined
  const parameters = (schema: string) => {
    const names = view.tree.supported.get(view.toCanonical(schema)) ?? []
    return names.filter((name) => object(schema)?.params.has(name))
  }
  return {
    uri: view.model.uri,
    objects: () => [...view.tree.supported.keys()].map((path) => view.fromCanonical(path)).filter(object),
    object,
    parameters,
    parameter(path) {
      const { object: parent, leaf } = splitLeaf(path)
      const schema = schemaPathOf(parent)
      return parameters(schema).includes(leaf) ? object(schema)?.params.get(leaf) : undefined
    },
  }
}
