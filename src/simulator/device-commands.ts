import { type Clock, sleep } from '../base/index.ts'
import { TransferFault } from '../cwmp/index.ts'
import { type AcceptedCommand, AgentError, type CommandCall, type CommandResult } from '../usp/index.ts'

/** The device behind its commands. */
interface CommandedDevice {
  /** Restarts, `reset` with factory settings; the key goes into the next Boot!. */
  restart(reset: boolean, commandKey: string): void
  /** Adds a certificate to trust; returns the reason why it cannot. */
  addCertificate(pem: string): string | undefined
  firmware: {
    /** Fetches a file into a bank; rejects with a TransferFault. */
    download(bank: string, args: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void>
    holdsImage(bank: string): boolean
    bootFrom(bank: string): void
  }
}

/** The time that an asynchronous command takes. */
const QUICK_MS = 500
/** The device restarts this long after its answer to a command, or after OperationComplete. */
const RESTART_MS = 20
const ACTIVATE_MS = 200

/** The commands of a simulated device. `clock` is that of the Agent's waits; `wallClock` runs in real time. */
export class DeviceCommands {
  readonly #device: CommandedDevice
  readonly #clock: Clock
  readonly #wallClock: Clock

  constructor(device: CommandedDevice, clock: Clock, wallClock: Clock) {
    this.#device = device
    this.#clock = clock
    this.#wallClock = wallClock
  }

  /** Accepts a command; AgentError when the device does not. */
  async operate(call: CommandCall): Promise<AcceptedCommand> {
    switch (call.name) {
      case 'Reboot()':
      case 'FactoryReset()':
        return at(this.#restarting(call))
      case 'AddCertificate()':
        return at(this.#addCertificate(call))
      case 'AddMyCertificate()':
        throw new AgentError(7022, 'the device takes no certificate of its own')
      case 'Download()':
        return { done: this.#after(QUICK_MS, call, () => this.#download(call)) }
      case 'Activate()':
        return { done: this.#after(QUICK_MS, call, () => this.#activate(call)) }
      case 'ScheduleTimer()':
        return { done: this.#after(secondsOf(call) * 1000, call, async () => ({ output: {} })) }
      case 'IPPing()':
        return { done: this.#after(QUICK_MS, call, async () => ({ output: ping(call.args) })) }
      default:
        return call.isAsync ? { done: this.#after(QUICK_MS, call, async () => ({ output: {} })) } : at({ output: {} })
    }
  }

  #restarting({ object, name, commandKey }: CommandCall): CommandResult {
    if (object !== 'Device.') return { output: {} }
    const restart = () => this.#device.restart(name === 'FactoryReset()', commandKey)
    return { output: {}, afterwards: () => void this.#wallClock.after(RESTART_MS, restart) }
  }

  #addCertificate({ args }: CommandCall): CommandResult {
    const refused = this.#device.addCertificate(args.Certificate ?? '')
    if (refused !== undefined) throw new AgentError(7027, refused)
    return { output: {} }
  }

  async #download({ object, args, commandKey, signal }: CommandCall): Promise<CommandResult> {
    try {
      await this.#device.firmware.download(object, args, signal)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (error instanceof TransferFault) throw new AgentError(7022, error.message, error.code)
      throw error
    }
    if (!/^(true|1)$/.test(args.AutoActivate ?? '')) return { output: {} }
    this.#device.firmware.bootFrom(object)
    return this.#activated(commandKey)
  }

  async #activate({ object, commandKey }: CommandCall): Promise<CommandResult> {
    const { firmware } = this.#device
    if (!firmware.holdsImage(object)) throw new AgentError(7022, 'the bank holds no image')
    firmware.bootFrom(object)
    return this.#activated(commandKey)
  }

  #activated(commandKey: string): CommandResult {
    const restart = () => this.#device.restart(false, commandKey)
    return { output: {}, afterwards: () => void this.#clock.after(ACTIVATE_MS, restart) }
  }

  /** Does the work after a wait; rejects with the reason of the signal when it aborts first. */
  #after(ms: number, { signal }: CommandCall, work: () => Promise<CommandResult>): Promise<CommandResult> {
    return sleep(this.#clock, ms, signal).then(work)
  }
}

function at(result: CommandResult): AcceptedCommand {
  return { done: Promise.resolve(result) }
}

function secondsOf({ args: { DelaySeconds = '' } }: CommandCall): number {
  if (!/^[1-9]\d{0,9}$/.test(DelaySeconds)) throw new AgentError(7027, 'DelaySeconds is not a number of seconds')
  return Number(DelaySeconds)
}

/** Output of IPPing(): a host below `.invalid` cannot be resolved (RFC 6761 6.4). */
function ping({ Host = '', NumberOfRepetitions = '3' }: Readonly<Record<string, string>>): Record<string, string> {
  const unknownHost = Host.endsWith('.invalid')
  return {
    Status: unknownHost ? 'Error_CannotResolveHostName' : 'Complete',
    SuccessCount: unknownHost ? '0' : NumberOfRepetitions,
    FailureCount: unknownHost ? NumberOfRepetitions : '0',
    AverageResponseTime: unknownHost ? '0' : '12',
  }
}
