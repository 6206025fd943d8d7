import { errorText, type Log } from '../../base/index.ts'
import { schemaPathOf } from '../../datamodel/index.ts'
import type { Notify, Operate, OperateResp } from '../wire/index.ts'
import { AgentError } from './agent-error.ts'
import type { AgentModel, CommandAsker, CommandCall, CommandResult } from './agent-model.ts'
import { ModelReader } from './model-reader.ts'
import { DENIED } from './plans.ts'
import type { CommandRequester } from './requester.ts'
import { mayFindNothing, resolve } from './resolve.ts'

/** The Agent behind its commands. */
export interface CommandHost {
  /** Runs work of the Agent in order with its requests; drops it when the Agent has stopped. */
  enqueue(work: () => Promise<void>): void
  /** Sends an OnBoardRequest to the Controller of a row. */
  sendOnBoardRequest(row: string): void
  /** Connects anew to the Controller that has this MTP row. */
  resetConnection(mtp: string): void
  /** Takes note that a command has ended, for all Controllers; resolves when that is durable. */
  operationComplete(object: string, name: string, commandKey: string, outcome: Outcome): Promise<void>
  /** Takes note of a transfer for the Controllers whose policy wants to hear of it. */
  transferComplete(params: Texts): Promise<void>
  /** Sends the notifications that were taken note of. */
  sendNotifications(): void
  /** Milliseconds since the Unix epoch, for dates. */
  now(): number
}

export type Outcome = Pick<NonNullable<Notify['oper_complete']>, 'req_output_args' | 'cmd_failure'>
type Result = OperateResp['operation_results'][number]
type Texts = Record<string, string>

/** The answer to an Operate, and the work that begins when it is on its way. */
interface Operated {
  response: OperateResp
  afterwards: (() => void)[]
}

/** An asynchronous command under way. */
interface Running {
  call: CommandCall
  /** Row of the Controller that asked. */
  controller: string
  start: string
  abort: AbortController
}

/** The WebSocket of a Controller. */
const MTP_ROW = /^(Device\.LocalAgent\.Controller\.\d+\.MTP\.\d+\.)WebSocket\.$/
const REQUESTS = 'Device.LocalAgent.Request.'
/** Requests at once; more are refused with 7005 (resources exceeded). */
const MAX_RUNNING = 32
const UNKNOWN_TIME = '0001-01-01T00:00:00Z'

/**
 * Answers Operate (TR-369 7.7): synchronous commands at once, others as a Request row that ends with OperationComplete.
 */
export class AgentCommands {
  readonly #model: AgentModel
  readonly #host: CommandHost
  readonly #log: Log
  /** By Request row. */
  readonly #running = new Map<string, Running>()

  constructor(model: AgentModel, host: CommandHost, log: Log) {
    this.#model = model
    this.#host = host
    this.#log = log
  }

  /**
   * Resolves with the response; a command that fails is in it and is never an Error Message (R-OPR.1). `by` is the row
   * of the Controller that asks.
   */
  async operate(request: Operate, requester: CommandRequester): Promise<Operated> {
    const afterwards: (() => void)[] = []
    try {
      const reader = await ModelReader.of(this.#model, requester)
      const found = await resolve(reader, request.command).catch((error: unknown) => {
        const isHidden = error instanceof AgentError && error.code === 7016 && !mayRun(reader, request.command)
        throw isHidden ? denial() : error
      })
      const { path, objects, leaf } = found
      if (path.kind !== 'command') throw new AgentError(7022, 'not a command')
      if (!mayFindNothing(found, (command) => mayRun(reader, command))) throw denial()
      const operation_results: Result[] = []
      for (const object of objects)
        operation_results.push(await this.#run(reader, object, leaf, request, requester, afterwards))
      return { response: { operation_results }, afterwards }
    } catch (error) {
      return { response: { operation_results: [failed(request.command, error)] }, afterwards }
    }
  }

  /** Aborts all commands: the Agent stops. */
  stop(): void {
    for (const { abort } of this.#running.values()) abort.abort(new AgentError(7023, 'the Agent has stopped'))
    this.#running.clear()
  }

  /** Deletes the Request rows of an earlier run: commands do not survive a restart. */
  async clear(): Promise<void> {
    const rows = await this.#model.instances(REQUESTS)
    if (rows.length > 0) await this.#model.delete(rows, 'agent')
  }

  async #run(
    reader: ModelReader,
    object: string,
    name: string,
    request: Operate,
    requester: CommandRequester,
    afterwards: (() => void)[],
  ): Promise<Result> {
    const executed_command = object + name
    try {
      if (!mayRun(reader, executed_command)) throw denial()
      const isAsync = check(reader, object, name, request)
      const own = this.#ownCommand(object, name)
      if (own !== undefined) {
        afterwards.push(own)
        return { executed_command, req_output_args: { output_args: {} } }
      }
      const abort = new AbortController()
      const call: CommandCall = {
        object,
        name,
        isAsync,
        args: knownArguments(reader, object, name, request.input_args),
        commandKey: request.command_key,
        by: await this.#askerOf(requester),
        signal: abort.signal,
      }
      if (isAsync) return { executed_command, req_obj_path: await this.#begin(call, requester.by, abort) }
      const { done } = await this.#model.operate(call)
      const result = await done
      if (result.afterwards !== undefined) afterwards.push(result.afterwards)
      return { executed_command, req_output_args: { output_args: { ...result.output } } }
    } catch (error) {
      return failed(executed_command, error)
    }
  }

  /**
   * Commands of the Agent itself; undefined for those of the device. AgentError 7022 when there is nothing to cancel.
   */
  #ownCommand(object: string, name: string): (() => void) | undefined {
    if (name === 'SendOnBoardRequest()') return () => this.#host.sendOnBoardRequest(object)
    const mtp = name === 'Reset()' ? MTP_ROW.exec(object)?.[1] : undefined
    if (mtp !== undefined) return () => this.#host.resetConnection(mtp)
    if (!object.startsWith(REQUESTS) || name !== 'Cancel()') return undefined
    const running = this.#running.get(object)
    if (running === undefined) throw new AgentError(7022, 'the command is over')
    return () => running.abort.abort(new AgentError(7023, 'cancelled'))
  }

  async #askerOf({ by, roles }: CommandRequester): Promise<CommandAsker> {
    return { endpointId: await this.#endpointOf(by), roles }
  }

  /** Begins an asynchronous command and resolves with its Request row. */
  async #begin(call: CommandCall, controller: string, abort: AbortController): Promise<string> {
    if (this.#running.size >= MAX_RUNNING) throw new AgentError(7005, 'too many commands at once')
    const start = this.#time()
    const { done } = await this.#model.operate(call)
    // It may fail before its row is there; it is waited for below.
    done.catch(() => undefined)
    const row = await this.#addRow(call, controller)
    this.#running.set(row, { call, controller, start, abort })
    done.then(
      (result) => this.#ended(row, result, undefined),
      (error: unknown) => this.#ended(row, undefined, error),
    )
    return row
  }

  async #addRow(call: CommandCall, controller: string): Promise<string> {
    const values = {
      Originator: await this.#endpointOf(controller),
      Command: call.object + call.name,
      CommandKey: call.commandKey,
      Status: 'Active',
    }
    const [row] = await this.#model.add([{ table: REQUESTS, values }], 'agent')
    if (row === undefined) throw new AgentError(7003, 'no Request row was added')
    return row
  }

  async #endpointOf(controller: string): Promise<string> {
    const path = `${controller}EndpointID`
    return (await this.#model.get([path])).get(path) ?? ''
  }

  #ended(row: string, result: CommandResult | undefined, error: unknown): void {
    const running = this.#running.get(row)
    // The Agent has stopped since: its Request rows are deleted at the next start.
    if (running === undefined) return
    this.#running.delete(row)
    this.#host.enqueue(() => this.#complete(row, running, result, error))
  }

  async #complete(row: string, running: Running, result: CommandResult | undefined, error: unknown): Promise<void> {
    const { call } = running
    const isCancelled = error instanceof AgentError && error.code === 7023
    if (call.name === 'Download()' && !isCancelled) await this.#transferComplete(running, error)
    const outcome: Outcome =
      result === undefined
        ? { cmd_failure: failureOf(error) }
        : { req_output_args: { output_args: { ...result.output } } }
    this.#log.debug({ command: call.object + call.name, commandKey: call.commandKey, ...outcome }, 'command ended')
    // The row goes when the end is durable: a process that is killed in between deletes it at its next start.
    await this.#host.operationComplete(call.object, call.name, call.commandKey, outcome)
    try {
      await this.#model.delete([row], 'agent')
    } finally {
      this.#host.sendNotifications()
      result?.afterwards?.()
    }
  }

  /** TransferComplete! of TR-181 LocalAgent. */
  async #transferComplete({ call, controller, start }: Running, error: unknown): Promise<void> {
    const fault = error === undefined ? 0 : ((error instanceof AgentError ? error.transferFault : undefined) ?? 7022)
    await this.#host.transferComplete({
      Command: call.object + call.name,
      CommandKey: call.commandKey,
      Requestor: await this.#endpointOf(controller),
      TransferType: 'Download',
      Affected: call.object.replace(/\.$/, ''),
      TransferURL: call.args.URL ?? '',
      StartTime: start,
      CompleteTime: fault === 0 ? this.#time() : UNKNOWN_TIME,
      FaultCode: String(fault),
      FaultString: fault === 0 ? '' : errorText(error).slice(0, 256),
    })
  }

  #time(): string {
    return new Date(this.#host.now()).toISOString().replace(/\.\d+/, '')
  }
}

/**
 * Checks a command against the supported model. Returns true for an asynchronous one; AgentError 7026 or 7027 (invalid
 * arguments).
 */
function check({ supported }: ModelReader, object: string, name: string, { input_args }: Operate): boolean {
  const command = supported.object(schemaPathOf(object))?.commands.get(name)
  if (command === undefined) throw new AgentError(7026, 'no such command')
  const missing = command.input.find(
    (arg) => arg.mandatory && !arg.name.includes('{i}') && input_args[arg.name] === undefined,
  )
  if (missing !== undefined) throw new AgentError(7027, `input argument ${missing.name} is missing`)
  return command.async
}

function mayRun({ access }: ModelReader, command: string): boolean {
  return access.has('CommandEvent', 'x', command)
}

function denial(): AgentError {
  return new AgentError(DENIED.err_code, DENIED.err_msg)
}

/** Returns the arguments that the command has; others are ignored (R-OPR.6). */
function knownArguments({ supported }: ModelReader, object: string, name: string, args: Texts): Texts {
  const input = supported.object(schemaPathOf(object))?.commands.get(name)?.input ?? []
  const names = new Set(input.map((arg) => arg.name))
  return Object.fromEntries(Object.entries(args).filter(([arg]) => names.has(arg.replace(/\.\d+\./g, '.{i}.'))))
}

function failureOf(error: unknown): { err_code: number; err_msg: string } {
  const err_code = error instanceof AgentError ? error.code : 7022
  return { err_code, err_msg: errorText(error).slice(0, 256) }
}

function failed(executed_command: string, error: unknown): Result {
  return { executed_command, cmd_failure: failureOf(error) }
}
