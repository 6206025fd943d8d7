import type { ModelObject, ModelParameter } from '../../datamodel/index.ts'
import { AgentError, asAgentError } from './agent-error.ts'

/**
 * An object of the supported data model: its kind, keys, commands and events. Its parameters are asked for separately.
 */
type ObjectKind = Pick<ModelObject, 'path' | 'access' | 'table' | 'keys' | 'commands' | 'events'>

/**
 * The supported data model of an Agent (as GetSupportedDM shows it, TR-369 7.5.3): it lists what the Agent has code for
 * and nothing else.
 */
export interface SupportedModel {
  /** URI of the data model, e.g. `urn:broadband-forum-org:tr-181-2-19-1-usp`. */
  readonly uri: string
  /** Returns the schema paths of all objects, in no order; tables end in `{i}.`. */
  objects(): Iterable<string>
  /** Returns the object at a schema path; undefined when it is not supported. */
  object(schema: string): ObjectKind | undefined
  /** Returns the names of the supported parameters of the object at a schema path. */
  parameters(schema: string): readonly string[]
  /** Returns the parameter at a full path, with or without instance numbers; undefined when it is not supported. */
  parameter(path: string): ModelParameter | undefined
}

/** A change that has happened, whoever made it, or an event of an object. */
export type ModelChange = ValueOrRowChange | ModelEvent

interface ValueOrRowChange {
  kind: 'value' | 'created' | 'deleted'
  /** Full path of a parameter, or of a row with its last dot. */
  path: string
  value?: string
  /** The value before, when the model knows it. */
  previous?: string
}

interface ModelEvent {
  kind: 'event'
  /** Full path of the object, with its last dot. */
  path: string
  /** With its exclamation mark: `Triggered!`. */
  name: string
  params: Readonly<Record<string, string>>
  /** The only Controller row that hears of it, when it may read this parameter, too. */
  only?: { controller: string; parameter: string }
}

/** A value to write. */
export interface ModelWrite {
  path: string
  value: string
}

/** A row to add to a table, with the values it begins with, by parameter name. */
export interface NewRow {
  table: string
  values: Readonly<Record<string, string>>
}

/** One reason why a write was refused. */
export interface ModelProblem {
  /** The parameter, row or table that it is about. */
  path: string
  /** USP error code. */
  code: number
  text: string
  /** The row, by its index among those to add. */
  row?: number
}

/** A write that the model refused as a whole: nothing was changed. */
export class ModelRefusal extends AgentError {
  readonly problems: readonly ModelProblem[]

  constructor(problems: readonly ModelProblem[]) {
    super(problems[0]?.code ?? 7003, problems[0]?.text ?? 'refused')
    this.problems = problems
  }
}

/** The party that asks for a command: a Controller with the names of its roles, or a way that has no Controllers. */
export type CommandAsker = { readonly endpointId: string; readonly roles: readonly string[] } | { readonly way: string }

/** A command on one object. */
export interface CommandCall {
  /** Full path of the object, with its last dot. */
  object: string
  /** With its parentheses: `Reboot()`. */
  name: string
  /** True when the command ends with OperationComplete; false when it ends with the answer. */
  isAsync: boolean
  args: Readonly<Record<string, string>>
  commandKey: string
  by: CommandAsker
  /** Aborts when the command is cancelled or the Agent stops; its reason is an AgentError 7023. */
  signal: AbortSignal
}

export interface CommandResult {
  output: Readonly<Record<string, string>>
  /** The Agent calls it when the answer, or OperationComplete, is on its way: a restart begins here. */
  afterwards?: () => void
}

/** A command that was accepted. */
export interface AcceptedCommand {
  /** Rejects with an AgentError when the command fails. */
  done: Promise<CommandResult>
}

/**
 * The data model of a device as its Agent reaches it. Paths are full and have the names of USP. The Agent checks
 * requests against the supported model and the rules of TR-369 before it asks; an implementation refuses what its
 * device refuses. Every method may take its time and rejects rather than wait without a limit. The Agent asks for one
 * thing at a time, but other writers may change the device in between.
 */
export interface AgentModel {
  /** Resolves with the supported model; it stays the same until the Agent restarts. */
  supported(): Promise<SupportedModel>
  /**
   * Resolves with the full paths of the rows of a table, by instance number; empty when the table is empty or not
   * there.
   */
  instances(table: string): Promise<readonly string[]>
  /** Resolves with the values of those parameters that exist. Secrets read as ''. */
  get(paths: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** Writes all values or none; ModelRefusal. `by` names the Controller row that asked, or is `agent`. */
  set(values: readonly ModelWrite[], by: string): Promise<void>
  /**
   * Adds all rows or none and resolves with their paths, in order; ModelRefusal. An instance number is never given
   * twice.
   */
  add(rows: readonly NewRow[], by: string): Promise<readonly string[]>
  /**
   * Adds each row for itself, and resolves with their paths, in order, or with the errors for which they were not added.
   * Rejects when none was added.
   */
  addEach(rows: readonly NewRow[], by: string): Promise<readonly (string | AgentError)[]>
  /** Deletes all rows or none, with everything below them; ModelRefusal. A row that is not there counts as deleted. */
  delete(rows: readonly string[], by: string): Promise<void>
  /** Resolves when the command is accepted; AgentError when it is not. */
  operate(call: CommandCall): Promise<AcceptedCommand>
  /** Calls back after each change. Returns the function that ends this. */
  changes(listener: (change: ModelChange) => void): () => void
}

/** Adds rows one by one: `addEach` of a model that has no better way. */
export async function addOneByOne(
  model: Pick<AgentModel, 'add'>,
  rows: readonly NewRow[],
  by: string,
): Promise<readonly (string | AgentError)[]> {
  const results: (string | AgentError)[] = []
  for (const row of rows)
    results.push(
      await model.add([row], by).then(
        ([path]) => path ?? new AgentError(7003, 'the row was not added'),
        (error: unknown) => asAgentError(error),
      ),
    )
  return results
}
