import { errorText } from '../../base/index.ts'
import type { Operate, OperateResp } from '../wire/index.ts'
import type { UspAgent } from './agent.ts'
import type { ControllerChannel } from './channel.ts'
import { AgentError, resolve } from './resolve.ts'

type Result = OperateResp['operation_results'][number]
type Texts = Record<string, string>

/** A command that takes its time: its row, and how it is stopped. */
interface Running {
  row: string
  object: string
  name: string
  request: Operate
  controller: string
  abort: AbortController
}

const REQUESTS = 'Device.LocalAgent.Request.'
/** Requests at once; more are refused with 7005. */
const MAX_RUNNING = 32
const QUICK_MS = 500

/** Operate at the Agent (TR-369 7.7): synchronous commands at once, others as a Request row that ends with OperationComplete. */
export class AgentCommands {
  readonly #agent: UspAgent
  readonly #running = new Map<string, Running>()

  constructor(agent: UspAgent) {
    this.#agent = agent
  }

  /** A failing command is never an Error message (R-OPR.1). */
  operate(request: Operate, channel: ControllerChannel): OperateResp {
    const { view } = this.#agent
    try {
      const { path, objects, leaf } = resolve(view, request.command)
      if (path.kind !== 'command') throw new AgentError(7022, 'not a command')
      return { operation_results: objects.map((object) => this.#run(object, leaf, request, channel)) }
    } catch (error) {
      const err_code = error instanceof AgentError ? error.code : 7022
      const cmd_failure = { err_code, err_msg: errorText(error) }
      return { operation_results: [{ executed_command: request.command, cmd_failure }] }
    }
  }

  /** At boot: commands do not survive a restart, and neither do their rows. */
  reset(): void {
    for (const { abort } of this.#running.values()) abort.abort()
    this.#running.clear()
    const { tree } = this.#agent.view
    for (const row of tree.instances(REQUESTS)) tree.deleteRow(row, 'device')
  }

  #run(object: string, name: string, request: Operate, channel: ControllerChannel): Result {
    const executed_command = object + name
    const fail = (err_code: number, err_msg: string) => ({ executed_command, cmd_failure: { err_code, err_msg } })
    const { view, options } = this.#agent
    const command = view.model.object(object)?.commands.get(name)
    if (command === undefined || (name === 'ScheduleTimer()' && options.quirks.noTimer === true))
      return fail(7026, 'no such command')
    const args = request.input_args
    const missing = command.input.find(
      (arg) => arg.mandatory && !arg.name.includes('{i}') && args[arg.name] === undefined,
    )
    if (missing !== undefined) return fail(7027, `input argument ${missing.name} is missing`)
    if (name === 'ScheduleTimer()' && !/^[1-9]\d{0,9}$/.test(args.DelaySeconds ?? ''))
      return fail(7027, 'DelaySeconds is no number of seconds')
    if (!command.async) return this.#sync(object, name, request, channel, fail)
    if (this.#running.size >= MAX_RUNNING) return fail(7005, 'too many commands at once')
    return { executed_command, req_obj_path: this.#begin(object, name, request, channel.row) }
  }

  #sync(
    object: string,
    name: string,
    request: Operate,
    channel: ControllerChannel,
    fail: (code: number, text: string) => Result,
  ): Result {
    const { options } = this.#agent
    // The answer leaves before the box does.
    const later = (work: () => void) => void options.clock.after(20, () => this.#agent.running && work())
    const executed_command = object + name
    if (object === 'Device.' && name === 'Reboot()') later(() => options.onRestart(false, request.command_key))
    else if (object === 'Device.' && name === 'FactoryReset()')
      later(() => options.onRestart(true, request.command_key))
    else if (name === 'SendOnBoardRequest()') later(() => this.#agent.sendOnBoardRequest(object))
    else if (object.startsWith(REQUESTS) && name === 'Cancel()') {
      if (!this.#running.has(object)) return fail(7022, 'the command is over')
      later(() => this.#cancel(object))
    } else if (name === 'AddCertificate()') {
      const refused = options.onCertificate(request.input_args.Certificate ?? '')
      if (refused !== undefined) return fail(7027, refused)
    } else if (channel.row === object && name === 'AddMyCertificate()') return fail(7022, 'not by this box')
    return { executed_command, req_output_args: { output_args: {} } }
  }

  #begin(object: string, name: string, request: Operate, controller: string): string {
    const { view } = this.#agent
    const row = view.tree.addRow(REQUESTS, 'device')
    view.tree.put(`${row}Originator`, view.get(`${controller}EndpointID`) ?? '')
    view.tree.put(`${row}Command`, object + name)
    view.tree.put(`${row}CommandKey`, request.command_key)
    view.tree.put(`${row}Status`, 'Active')
    const running: Running = { row, object, name, request, controller, abort: new AbortController() }
    this.#running.set(row, running)
    this.#work(running).then(
      (output) => this.#complete(running, { req_output_args: { output_args: output } }),
      (error: unknown) => {
        const err_code = error instanceof AgentError ? error.code : 7022
        this.#complete(running, { cmd_failure: { err_code, err_msg: errorText(error).slice(0, 256) } })
      },
    )
    return row
  }

  /** Answers the output arguments; AgentError when the command fails. */
  async #work({ object, name, request, controller, abort }: Running): Promise<Texts> {
    const args = request.input_args
    const { options } = this.#agent
    const { signal } = abort
    const seconds = name === 'ScheduleTimer()' ? Number(args.DelaySeconds) : QUICK_MS / 1000
    await this.#wait(seconds * 1000, signal)
    switch (name) {
      case 'Download()':
        return this.#download(object, request, controller, signal)
      case 'Activate()':
        if (!options.firmware.holdsImage(object)) throw new AgentError(7022, 'the bank holds no image')
        options.firmware.bootFrom(object)
        return {}
      case 'IPPing()':
        return ping(args)
      default:
        return {}
    }
  }

  async #download(object: string, request: Operate, controller: string, signal: AbortSignal): Promise<Texts> {
    const args = request.input_args
    const { firmware, clock } = this.#agent.options
    const time = () => new Date(clock.now()).toISOString().replace(/\.\d+/, '')
    const start = time()
    let fault = { code: 0, text: '' }
    try {
      await firmware.download(object, args, signal)
    } catch (error) {
      if (signal.aborted) throw error
      const code = error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : 7022
      fault = { code, text: errorText(error).slice(0, 256) }
    }
    this.#agent.transferComplete(controller, {
      Command: `${object}Download()`,
      CommandKey: request.command_key,
      Requestor: this.#agent.view.get(`${controller}EndpointID`) ?? '',
      TransferType: 'Download',
      Affected: object.replace(/\.$/, ''),
      TransferURL: args.URL ?? '',
      StartTime: start,
      CompleteTime: fault.code === 0 ? time() : '0001-01-01T00:00:00Z',
      FaultCode: String(fault.code),
      FaultString: fault.text,
    })
    if (fault.code !== 0) throw new AgentError(7022, fault.text)
    return {}
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    const { clock, timeScale } = this.#agent.options
    return new Promise((resolve, reject) => {
      const cancel = clock.after(ms / timeScale, resolve)
      signal.addEventListener('abort', () => {
        cancel()
        reject(new AgentError(7023, 'cancelled'))
      })
    })
  }

  #cancel(row: string): void {
    this.#running.get(row)?.abort.abort()
  }

  #complete(
    running: Running,
    outcome: { req_output_args?: { output_args: Texts }; cmd_failure?: { err_code: number; err_msg: string } },
  ): void {
    const { row, object, name, request } = running
    // A restart has swept it away.
    if (this.#running.get(row) !== running || !this.#agent.running) return
    this.#running.delete(row)
    this.#agent.view.tree.deleteRow(row, 'device')
    this.#agent.operationComplete(object, name, request.command_key, outcome)
    if (outcome.cmd_failure !== undefined) return
    const restart =
      name === 'Activate()' || (name === 'Download()' && /^(true|1)$/.test(request.input_args.AutoActivate ?? ''))
    if (!restart) return
    if (name === 'Download()') this.#agent.options.firmware.bootFrom(object)
    const { clock, timeScale, onRestart } = this.#agent.options
    clock.after(200 / timeScale, () => this.#agent.running && onRestart(false, request.command_key))
  }
}

/** Output of IPPing(): a host that cannot be is not resolved. */
function ping({ Host = '', NumberOfRepetitions = '3' }: Texts): Texts {
  const unknownHost = Host.endsWith('.invalid')
  return {
    Status: unknownHost ? 'Error_CannotResolveHostName' : 'Complete',
    SuccessCount: unknownHost ? '0' : NumberOfRepetitions,
    FailureCount: unknownHost ? NumberOfRepetitions : '0',
    AverageResponseTime: unknownHost ? '0' : '12',
  }
}
