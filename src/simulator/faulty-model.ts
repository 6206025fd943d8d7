import {
  type AcceptedCommand,
  AgentError,
  type AgentModel,
  addOneByOne,
  type CommandCall,
  type ModelChange,
  type ModelProblem,
  ModelRefusal,
  type ModelWrite,
  type NewRow,
  type SupportedModel,
} from '../usp/index.ts'
import type { AgentQuirks } from './agent-quirks.ts'

/** A model that refuses what the quirks of its device say, and does everything else as the model inside. */
export class FaultyModel implements AgentModel {
  readonly #inner: AgentModel
  readonly #noTimer: boolean
  readonly #pattern: RegExp | undefined
  readonly #code: number

  constructor(inner: AgentModel, { noTimer, rejectWrites }: Pick<AgentQuirks, 'noTimer' | 'rejectWrites'>) {
    this.#inner = inner
    this.#noTimer = noTimer === true
    this.#pattern = rejectWrites === undefined ? undefined : new RegExp(rejectWrites.pattern)
    this.#code = rejectWrites?.code ?? 0
  }

  supported(): Promise<SupportedModel> {
    return this.#inner.supported()
  }

  instances(table: string): Promise<readonly string[]> {
    return this.#inner.instances(table)
  }

  get(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#inner.get(paths)
  }

  async set(values: readonly ModelWrite[], by: string): Promise<void> {
    if (by !== 'agent') this.#refuse(values.map(({ path }) => path))
    await this.#inner.set(values, by)
  }

  async add(rows: readonly NewRow[], by: string): Promise<readonly string[]> {
    if (by !== 'agent') this.#refuse(rows.map(({ table }) => table))
    return this.#inner.add(rows, by)
  }

  addEach(rows: readonly NewRow[], by: string): Promise<readonly (string | AgentError)[]> {
    return addOneByOne(this, rows, by)
  }

  delete(rows: readonly string[], by: string): Promise<void> {
    return this.#inner.delete(rows, by)
  }

  async operate(call: CommandCall): Promise<AcceptedCommand> {
    if (this.#noTimer && call.name === 'ScheduleTimer()') throw new AgentError(7026, 'no such command')
    return this.#inner.operate(call)
  }

  changes(listener: (change: ModelChange) => void): () => void {
    return this.#inner.changes(listener)
  }

  /** Throws ModelRefusal when one of the paths is refused; `row` is its index. */
  #refuse(paths: readonly string[]): void {
    const problems = paths.flatMap((path, row): ModelProblem[] =>
      this.#pattern?.test(path) === true ? [{ path, code: this.#code, text: 'refused', row }] : [],
    )
    if (problems.length > 0) throw new ModelRefusal(problems)
  }
}
