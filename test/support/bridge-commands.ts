import { type Clock, silentLog, systemClock } from '../../src/base/index.ts'
import type { AuditedCommand } from '../../src/bridge/commands/audit-trail.ts'
import type { CommandTools, Restart, RouterPolicy } from '../../src/bridge/commands/command.ts'
import { Confirmations } from '../../src/bridge/commands/confirmations.ts'
import { RouterCommands } from '../../src/bridge/commands/router-commands.ts'
import { RouterModel } from '../../src/bridge/index.ts'
import { type BridgeMetrics, NO_METRICS } from '../../src/bridge/metrics/bridge-metrics.ts'
import { RouterInstances } from '../../src/bridge/write/instances.ts'
import type { CommandResult } from '../../src/usp/index.ts'
import type { BridgeRouter } from './bridge-router.ts'
import { MemoryInstanceNumbers } from './memory-instance-numbers.ts'

const POLICY: RouterPolicy = {
  level: 3,
  firmwareHosts: ['firmware.example'],
  backupHosts: ['backup.example'],
  allowsLocalTargets: false,
}

/** The Controller that asks. */
const CONTROLLER = { endpointId: 'self::controller', roles: ['Manager'] }

/** The commands of a bridged router. */
export class CommandBench {
  readonly audited: AuditedCommand[] = []
  readonly restarts: Restart[] = []
  /** Levels and outcomes of commands. */
  readonly counted: string[] = []
  /** Lines of the log. */
  readonly lines: unknown[] = []
  policy = POLICY
  readonly model: RouterModel
  readonly commands: RouterCommands
  #abort = new AbortController()

  constructor(bridge: BridgeRouter, clock: Clock = systemClock) {
    this.model = new RouterModel({
      router: bridge.router,
      numbers: new MemoryInstanceNumbers(),
      clock: systemClock,
      served: { commands: () => [], events: () => [] },
    })
    const take = (fields: unknown) => this.lines.push(fields)
    const log = { ...silentLog, warn: take, error: take, info: take, debug: take }
    const bench = this
    const tools: CommandTools = {
      router: bridge.router,
      rows: bridge.rows,
      writer: bridge.writer,
      instances: new RouterInstances(this.model),
      managementInterfaces: () => bridge.check.interfaces(),
      get policy() {
        return bench.policy
      },
      clock,
      log,
      onRestart: (restart) => this.restarts.push(restart),
    }
    const audit = { begun: async (command: AuditedCommand) => void this.audited.push(command) }
    const metrics: BridgeMetrics = {
      ...NO_METRICS,
      operated: (level, outcome) => this.counted.push(`${level} ${outcome}`),
    }
    this.commands = new RouterCommands('router-1', tools, { confirmations: new Confirmations(clock), audit, metrics })
  }

  /** Does a command and resolves with its result; AgentError. */
  async run(path: string, args: Record<string, string> = {}): Promise<CommandResult> {
    const at = path.lastIndexOf('.') + 1
    const { done } = await this.commands.operate({
      object: path.slice(0, at),
      name: path.slice(at),
      isAsync: false,
      args,
      commandKey: 'key-1',
      by: CONTROLLER,
      signal: this.#abort.signal,
    })
    return done
  }

  /** Cancels the commands that run. */
  cancel(): void {
    this.#abort.abort(new Error('cancelled'))
    this.#abort = new AbortController()
  }

  /** Does a command that asks for a confirmation, with it. */
  async confirmed(path: string, args: Record<string, string> = {}): Promise<CommandResult> {
    return this.run(path, { ...args, X_MIKROTIK_Confirm: await this.tokenFor(path, args) })
  }

  /** Resolves with the token that a refused call shows. */
  async tokenFor(path: string, args: Record<string, string> = {}): Promise<string> {
    const text = await this.run(path, args).then(
      () => '',
      (error: unknown) => (error instanceof Error ? error.message : ''),
    )
    return /X_MIKROTIK_Confirm=(\S+)/.exec(text)?.[1] ?? ''
  }
}
