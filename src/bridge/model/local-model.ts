import { errorText } from '../../base/index.ts'
import { loadModel } from '../../datamodel/index.ts'
import { InstanceTree, type TreeChange, type TreeSnapshot, TreeView } from '../../tree/index.ts'
import {
  type AcceptedCommand,
  AgentError,
  type AgentModel,
  type CommandCall,
  type ModelChange,
  ModelRefusal,
  type ModelWrite,
  type NewRow,
  type SupportedModel,
  TreeModel,
} from '../../usp/index.ts'
import { Journal } from './journal.ts'
import { LOCAL_AGENT } from './local-agent.ts'

/** Objects that the Agent runtime goes by, below LocalAgent. */
const OBJECTS = [
  '',
  'MTP.{i}.',
  'Controller.{i}.',
  'Controller.{i}.BootParameter.{i}.',
  'Controller.{i}.TransferCompletePolicy.',
  'Controller.{i}.MTP.{i}.',
  'Controller.{i}.MTP.{i}.WebSocket.',
  'ControllerTrust.',
  'ControllerTrust.Role.{i}.',
  'ControllerTrust.Role.{i}.Permission.{i}.',
  'ControllerTrust.Credential.{i}.',
  'Certificate.{i}.',
  'Subscription.{i}.',
  'Threshold.{i}.',
  'Request.{i}.',
].map((object) => LOCAL_AGENT + object)

/** Rows of each of these tables, at most: a Controller that adds more is refused. */
const MAX_ROWS = 1000

/** Characters of a value, at most: all of them are in memory, for every router. */
const MAX_VALUE = 16_384

/** Commands that the Agent runtime answers itself. */
const COMMANDS = new Set(['SendOnBoardRequest()', 'Cancel()'])

/** Parameters without a meaning here. */
const LEFT_OUT =
  /^(AdvertisedDevice|CurrentRetryCount|EnableMDNS|InheritedRole|Max|.*Challenge|TriggerConfig|USPService|Watchdog|Monitor)/

/** A change of the tree as it is stored, or the whole tree. */
type Entry = { set: string; to: string } | { row: string } | { gone: string } | { whole: TreeSnapshot }

/**
 * LocalAgent of one router: Controllers, subscriptions, roles, requests. It is the bridge's own, in a file per router.
 * A change is on the disk when the promise of its call resolves.
 */
export class LocalModel implements AgentModel {
  readonly #tree: InstanceTree
  readonly #model: TreeModel
  readonly #journal: Journal<Entry>
  /** The last write of the journal. */
  #stored: Promise<void> = Promise.resolve()

  private constructor(tree: InstanceTree, journal: Journal<Entry>) {
    this.#tree = tree
    this.#journal = journal
    this.#model = new TreeModel(new TreeView(tree, loadModel('tr181-usp')), async () => {
      throw new AgentError(7022, 'the bridge does not have this command')
    })
    tree.onChange((change) => this.#store(change))
  }

  /**
   * Opens the file at a path. One that is not there begins with `seed`: values by full path, whose rows are made. AppError
   * when it cannot be read.
   */
  static async open(path: string, seed: Readonly<Record<string, string>>): Promise<LocalModel> {
    const model = loadModel('tr181-usp')
    const supported = new Map(
      OBJECTS.map((object) => {
        const names = [...(model.objects.get(object)?.params.keys() ?? [])]
        return [object, names.filter((name) => !LEFT_OUT.test(name))] as const
      }),
    )
    const tree = new InstanceTree(supported, () => model)
    let isNew = true
    const take = (entry: Entry) => {
      isNew = false
      replay(tree, entry)
    }
    const journal = await Journal.open<Entry>(path, take, () => [{ whole: tree.snapshot() }])
    if (isNew) {
      for (const object of OBJECTS) if (!object.includes('{i}')) tree.instantiate(object)
      for (const [name, value] of Object.entries(seed)) sow(tree, name, value)
      await journal.append({ whole: tree.snapshot() })
    }
    return new LocalModel(tree, journal)
  }

  async supported(): Promise<SupportedModel> {
    const supported = await this.#model.supported()
    const object = (schema: string) => {
      const found = supported.object(schema)
      return found && { ...found, commands: new Map([...found.commands].filter(([name]) => COMMANDS.has(name))) }
    }
    return { ...supported, object }
  }

  instances(table: string): Promise<readonly string[]> {
    return this.#model.instances(table)
  }

  get(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#model.get(paths)
  }

  async set(values: readonly ModelWrite[], by: string): Promise<void> {
    refuseLong(values)
    return this.#change(() => this.#model.set(values, by))
  }

  async add(rows: readonly NewRow[], by: string): Promise<readonly string[]> {
    for (const table of new Set(rows.map((row) => row.table))) {
      const there = (await this.instances(table)).length
      if (there + rows.filter((row) => row.table === table).length > MAX_ROWS) throw tooMany(table)
    }
    refuseLong(valuesOf(rows))
    return this.#change(() => this.#model.add(rows, by))
  }

  async addEach(rows: readonly NewRow[], by: string): Promise<readonly (string | AgentError)[]> {
    const free = new Map<string, number>()
    for (const { table } of rows) if (!free.has(table)) free.set(table, MAX_ROWS - (await this.instances(table)).length)
    const refused = rows.map((row) => {
      const long = longIn(valuesOf([row]))
      if (long !== undefined) return long
      const left = free.get(row.table) ?? 0
      free.set(row.table, left - 1)
      return left > 0 ? undefined : tooMany(row.table)
    })
    const good = rows.filter((_, i) => refused[i] === undefined)
    const added = [...(await this.#change(() => this.#model.addEach(good, by)))]
    return refused.flatMap((error) => error ?? added.shift() ?? [])
  }

  delete(rows: readonly string[], by: string): Promise<void> {
    return this.#change(() => this.#model.delete(rows, by))
  }

  operate(call: CommandCall): Promise<AcceptedCommand> {
    return this.#model.operate(call)
  }

  changes(listener: (change: ModelChange) => void): () => void {
    return this.#model.changes(listener)
  }

  /** Sets values as the bridge itself does: without a check of rights. Rows are made. Resolves when that is stored. */
  put(values: Readonly<Record<string, string>>): Promise<void> {
    const onRow = (row: string) => this.#store({ kind: 'created', path: row, by: 'bridge' })
    return this.#change(async () => {
      for (const [path, value] of Object.entries(values)) sow(this.#tree, path, value, onRow)
    })
  }

  /** Length of the file in bytes. */
  get bytes(): number {
    return this.#journal.bytes
  }

  /** Resolves when the file is closed. */
  close(): Promise<void> {
    return this.#journal.close()
  }

  /** A change that cannot be stored is undone. */
  async #change<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#tree.snapshot()
    const done = await work()
    try {
      await this.#stored
      return done
    } catch (error) {
      this.#tree.restore(before)
      throw new AgentError(7003, `the bridge cannot store the change: ${errorText(error)}`)
    }
  }

  #store({ kind, path, value = '' }: TreeChange): void {
    const entry = kind === 'created' ? { row: path } : kind === 'deleted' ? { gone: path } : { set: path, to: value }
    this.#stored = this.#journal.append(entry)
    this.#stored.catch(() => undefined)
  }
}

function refuseLong(values: readonly (ModelWrite & { row?: number })[]): void {
  const refusal = longIn(values)
  if (refusal !== undefined) throw refusal
}

/** Returns the refusal of values that are too long; undefined when there are none. */
function longIn(values: readonly (ModelWrite & { row?: number })[]): ModelRefusal | undefined {
  const text = `has ${MAX_VALUE} characters at most`
  const long = values.filter(({ value }) => value.length > MAX_VALUE)
  return long.length === 0
    ? undefined
    : new ModelRefusal(long.map(({ value: _, ...at }) => ({ ...at, code: 7012, text })))
}

/** Returns the values of new rows, each with the index of its row. */
function valuesOf(rows: readonly NewRow[]): (ModelWrite & { row: number })[] {
  return rows.flatMap(({ table, values }, row) =>
    Object.entries(values).map(([name, value]) => ({ path: `${table}{i}.${name}`, value, row })),
  )
}

function tooMany(table: string): AgentError {
  return new AgentError(7005, `${table} has ${MAX_ROWS} rows at most`)
}

function replay(tree: InstanceTree, entry: Entry): void {
  if ('whole' in entry) tree.restore(entry.whole)
  else if ('set' in entry) tree.put(entry.set, entry.to)
  else if ('row' in entry) tree.makeRow(entry.row)
  else tree.deleteRow(entry.gone, 'bridge')
}

/** Sets a value, and makes the rows on its path; `onRow` is called for each of these. */
function sow(tree: InstanceTree, path: string, value: string, onRow: (row: string) => void = () => undefined): void {
  for (const { index } of path.matchAll(/\.\d+(?=\.)/g)) {
    const row = path.slice(0, path.indexOf('.', index + 1) + 1)
    if (tree.hasObject(row)) continue
    tree.makeRow(row)
    onRow(row)
  }
  tree.put(path, value, 'bridge')
}
