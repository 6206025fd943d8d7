import type {
  AcceptedCommand,
  AgentError,
  AgentModel,
  CommandCall,
  ModelChange,
  ModelWrite,
  NewRow,
  SupportedModel,
} from '../../usp/index.ts'
import { isAboutInterests, LOCAL_AGENT } from './local-agent.ts'

/** The half of a model that reads a router. */
export type RouterReads = Pick<AgentModel, 'supported' | 'instances' | 'get'>
/** The half of a model that changes a router and hears of its changes. */
export type RouterWrites = Omit<AgentModel, keyof RouterReads>

/** The data model of a bridged router: LocalAgent is the bridge's own, everything else is on the router. */
export class BridgedModel implements AgentModel {
  readonly #local: AgentModel
  readonly #reads: RouterReads
  readonly #writes: RouterWrites
  readonly #looked: () => Promise<void>

  /**
   * `looked` resolves when the things of the router that are subscribed were looked at: a change that comes after the
   * answer to a subscription is noticed.
   */
  constructor(local: AgentModel, reads: RouterReads, writes: RouterWrites, looked: () => Promise<void>) {
    this.#local = local
    this.#reads = reads
    this.#writes = writes
    this.#looked = looked
  }

  async supported(): Promise<SupportedModel> {
    const [local, router] = await Promise.all([this.#local.supported(), this.#reads.supported()])
    const of = (path: string) => (isLocal(path) ? local : router)
    return {
      uri: router.uri,
      *objects() {
        yield* router.objects()
        yield* local.objects()
      },
      object: (schema) => of(schema).object(schema),
      parameters: (schema) => of(schema).parameters(schema),
      parameter: (path) => of(path).parameter(path),
    }
  }

  instances(table: string): Promise<readonly string[]> {
    return (isLocal(table) ? this.#local : this.#reads).instances(table)
  }

  async get(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const [own, others] = apart(paths, (path) => path)
    if (others.length === 0) return this.#local.get(own)
    if (own.length === 0) return this.#reads.get(others)
    const [local, router] = await Promise.all([this.#local.get(own), this.#reads.get(others)])
    return new Map([...local, ...router])
  }

  /** The router comes first: it refuses more. */
  async set(values: readonly ModelWrite[], by: string): Promise<void> {
    const [own, others] = apart(values, ({ path }) => path)
    if (others.length > 0) await this.#writes.set(others, by)
    if (own.length > 0) await this.#local.set(own, by)
    if (own.some(({ path }) => isAboutInterests(path))) await this.#looked()
  }

  async add(rows: readonly NewRow[], by: string): Promise<readonly string[]> {
    const [own, others] = apart(rows, ({ table }) => table)
    const added = others.length > 0 ? [...(await this.#writes.add(others, by))] : []
    const local = own.length > 0 ? [...(await this.#local.add(own, by))] : []
    if (own.some(({ table }) => isAboutInterests(table))) await this.#looked()
    return rows.flatMap(({ table }) => (isLocal(table) ? local : added).shift() ?? [])
  }

  async addEach(rows: readonly NewRow[], by: string): Promise<readonly (string | AgentError)[]> {
    const [own, others] = apart(rows, ({ table }) => table)
    const added = others.length > 0 ? [...(await this.#writes.addEach(others, by))] : []
    const local = own.length > 0 ? [...(await this.#local.addEach(own, by))] : []
    if (own.some(({ table }) => isAboutInterests(table))) await this.#looked()
    return rows.flatMap(({ table }) => (isLocal(table) ? local : added).shift() ?? [])
  }

  async delete(rows: readonly string[], by: string): Promise<void> {
    const [own, others] = apart(rows, (row) => row)
    if (others.length > 0) await this.#writes.delete(others, by)
    if (own.length > 0) await this.#local.delete(own, by)
  }

  operate(call: CommandCall): Promise<AcceptedCommand> {
    return (isLocal(call.object) ? this.#local : this.#writes).operate(call)
  }

  changes(listener: (change: ModelChange) => void): () => void {
    const ends = [this.#local.changes(listener), this.#writes.changes(listener)]
    return () => {
      for (const end of ends) end()
    }
  }
}

function isLocal(path: string): boolean {
  return path.startsWith(LOCAL_AGENT)
}

/** Returns what is about LocalAgent, and everything else. */
function apart<T>(all: readonly T[], pathOf: (one: T) => string): [T[], T[]] {
  const own: T[] = []
  const others: T[] = []
  for (const one of all) (isLocal(pathOf(one)) ? own : others).push(one)
  return [own, others]
}
