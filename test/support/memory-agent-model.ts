import { parentOf, readsEmpty, schemaPathOf } from '../../src/datamodel/index.ts'
import {
  type AcceptedCommand,
  AgentError,
  type AgentModel,
  addOneByOne,
  type CommandCall,
  type CommandResult,
  type ModelChange,
  ModelRefusal,
  type ModelWrite,
  type NewRow,
  type SupportedModel,
} from '../../src/usp/index.ts'

/**
 * A device in memory that takes its time for everything: each call ends some turns of the event loop later, in another
 * order than it began.
 */
export class MemoryAgentModel implements AgentModel {
  /** Calls under way at once, at most. */
  writesAtOnce = 0
  /** Answers commands; the default has no output. */
  run: (call: CommandCall) => Promise<CommandResult> = async () => ({ output: {} })
  readonly #supported: SupportedModel
  readonly #values: Map<string, string>
  readonly #rows: Set<string>
  readonly #next = new Map<string, number>()
  readonly #listeners = new Set<(change: ModelChange) => void>()
  #calls = 0
  #writing = 0

  private constructor(supported: SupportedModel, values: Map<string, string>, rows: Set<string>) {
    this.#supported = supported
    this.#values = values
    this.#rows = rows
  }

  /** Copies what another model holds. */
  static async copyOf(model: AgentModel): Promise<MemoryAgentModel> {
    const supported = await model.supported()
    const rows = new Set<string>()
    const values = new Map<string, string>()
    const copy = async (schema: string, object: string): Promise<void> => {
      const at = schema.indexOf('{i}.')
      if (at >= 0) {
        for (const row of await model.instances(object + schema.slice(0, at))) {
          rows.add(row)
          await copy(schema.slice(at + 4), row)
        }
        return
      }
      const path = object + schema
      const names = supported.parameters(schemaPathOf(path))
      for (const [name, value] of await model.get(names.map((leaf) => path + leaf))) values.set(name, value)
    }
    for (const schema of supported.objects()) await copy(schema, '')
    return new MemoryAgentModel(supported, values, rows)
  }

  async supported(): Promise<SupportedModel> {
    await this.#pause()
    return this.#supported
  }

  async instances(table: string): Promise<string[]> {
    await this.#pause()
    const number = (row: string) => Number.parseInt(row.slice(table.length), 10)
    return [...this.#rows].filter((row) => parentOf(row) === table).sort((a, b) => number(a) - number(b))
  }

  async get(paths: readonly string[]): Promise<Map<string, string>> {
    await this.#pause()
    return new Map(paths.flatMap((path): [string, string][] => (this.#has(path) ? [[path, this.#read(path)]] : [])))
  }

  set(values: readonly ModelWrite[], _by: string): Promise<void> {
    return this.#write(() => {
      const missing = values.filter(({ path }) => !this.#has(path))
      if (missing.length > 0)
        throw new ModelRefusal(missing.map(({ path }) => ({ path, code: 7016, text: 'not there' })))
      for (const { path, value } of values) this.put(path, value)
    })
  }

  add(rows: readonly NewRow[], _by: string): Promise<string[]> {
    return this.#write(() => rows.map(({ table, values }) => this.#add(table, values)))
  }

  addEach(rows: readonly NewRow[], by: string): Promise<readonly (string | AgentError)[]> {
    return addOneByOne(this, rows, by)
  }

  delete(rows: readonly string[], _by: string): Promise<void> {
    return this.#write(() => {
      for (const row of rows) if (this.#rows.has(row)) this.#delete(row)
    })
  }

  async operate(call: CommandCall): Promise<AcceptedCommand> {
    await this.#pause()
    if (call.name === 'FactoryReset()') throw new AgentError(7022, 'not by this device')
    return { done: this.#pause().then(() => this.run(call)) }
  }

  changes(listener: (change: ModelChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Sets a value as the device itself does. */
  put(path: string, text: string): void {
    const value = this.#supported.parameter(path)?.type === 'boolean' ? String(/^(1|true)$/i.test(text)) : text
    const previous = this.#values.get(path)
    this.#values.set(path, value)
    if (previous !== value) this.#tell({ kind: 'value', path, value })
  }

  #has(path: string): boolean {
    return this.#values.has(path) && this.#supported.parameter(path) !== undefined
  }

  #read(path: string): string {
    return readsEmpty(this.#supported.parameter(path)) ? '' : (this.#values.get(path) ?? '')
  }

  #add(table: string, values: Readonly<Record<string, string>>): string {
    const number = this.#next.get(table) ?? [...this.#rows].filter((row) => parentOf(row) === table).length + 1
    this.#next.set(table, number + 1)
    const row = `${table}${number}.`
    this.#rows.add(row)
    const schema = schemaPathOf(row)
    for (const object of this.#supported.objects()) {
      const rest = object.slice(schema.length)
      if (!object.startsWith(schema) || rest.includes('{i}')) continue
      for (const name of this.#supported.parameters(object))
        this.#values.set(row + rest + name, this.#defaultOf(object + name))
    }
    if (this.#has(`${row}Alias`)) this.#values.set(`${row}Alias`, `cpe-${number}`)
    this.#tell({ kind: 'created', path: row })
    for (const [name, value] of Object.entries(values)) this.put(row + name, value)
    this.#count(table)
    return row
  }

  #delete(row: string): void {
    for (const other of [...this.#rows]) if (other.startsWith(row)) this.#rows.delete(other)
    for (const path of [...this.#values.keys()]) if (path.startsWith(row)) this.#values.delete(path)
    this.#count(parentOf(row))
    this.#tell({ kind: 'deleted', path: row })
  }

  #count(table: string): void {
    const path = `${table.slice(0, -1)}NumberOfEntries`
    if (this.#has(path)) this.put(path, String([...this.#rows].filter((row) => parentOf(row) === table).length))
  }

  #defaultOf(path: string): string {
    const type = this.#supported.parameter(path)?.type
    if (type === 'boolean') return 'false'
    return type === 'string' || type === 'dateTime' ? '' : '0'
  }

  async #write<T>(work: () => T): Promise<T> {
    this.writesAtOnce = Math.max(this.writesAtOnce, ++this.#writing)
    try {
      await this.#pause()
      return work()
    } finally {
      this.#writing--
    }
  }

  #tell(change: ModelChange): void {
    for (const listener of this.#listeners) listener(change)
  }

  async #pause(): Promise<void> {
    for (let turns = (++this.#calls * 7) % 4; turns >= 0; turns--) await new Promise((resolve) => setImmediate(resolve))
  }
}
