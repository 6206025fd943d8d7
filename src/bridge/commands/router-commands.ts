import type { ModelCommand } from '../../datamodel/index.ts'
import { schemaPathOf } from '../../datamodel/index.ts'
import { type AcceptedCommand, AgentError, type CommandCall, ModelRefusal } from '../../usp/index.ts'
import type { Level } from '../menus/form/menu.ts'
import type { BridgeMetrics } from '../metrics/bridge-metrics.ts'
import { failureOf } from '../write/router-failure.ts'
import type { AuditTrail } from './audit-trail.ts'
import type { BridgeCommand, CommandTools } from './command.ts'
import { CONFIG_FILES } from './config-files.ts'
import { CONFIRM, type Confirmations } from './confirmations.ts'
import { DIAGNOSTICS } from './diagnostics.ts'
import { FIRMWARE } from './firmware.ts'
import { RESTARTS } from './restarts.ts'
import { SERVICES } from './services.ts'

const COMMANDS: readonly BridgeCommand[] = [...RESTARTS, ...FIRMWARE, ...CONFIG_FILES, ...DIAGNOSTICS, ...SERVICES]

/**
 * Returns the commands that an object has on a router with these menus, by the commands that the standard has there. A
 * command that may need a confirmation has an argument for it.
 */
export function commandsAt(
  schema: string,
  standard: ReadonlyMap<string, ModelCommand>,
  menus: ReadonlySet<string>,
): readonly ModelCommand[] {
  return COMMANDS.flatMap((command) => {
    const { object, name, needs, own } = command
    const definition = own ?? standard.get(name)
    if (object !== schema || definition === undefined || !needs.some((menu) => menus.has(menu))) return []
    if (!MAY_DESTROY.has(command)) return [definition]
    return [{ ...definition, input: [...definition.input, { name: CONFIRM, type: 'string', mandatory: false }] }]
  })
}

/** Returns the schema paths of the objects that have commands. */
export function commandObjects(): readonly string[] {
  return [...new Set(COMMANDS.map(({ object }) => object))]
}

const NO_CALL: CommandCall = {
  object: '',
  name: '',
  isAsync: false,
  args: {},
  commandKey: '',
  by: { way: '' },
  signal: new AbortController().signal,
}
const MAY_DESTROY = new Set(COMMANDS.filter(({ level }) => level(NO_CALL) === 3))

/** Parts that the commands of all routers share. */
interface SharedParts {
  confirmations: Confirmations
  audit: AuditTrail
  metrics: BridgeMetrics
}

/** Does the commands of one router. */
export class RouterCommands {
  readonly #name: string
  readonly #tools: CommandTools
  readonly #shared: SharedParts

  /** `name` is that of the router in confirmations and in the audit trail. */
  constructor(name: string, tools: CommandTools, shared: SharedParts) {
    this.#name = name
    this.#tools = tools
    this.#shared = shared
  }

  /**
   * Checks a command and accepts it. AgentError: 7026 for one that the bridge does not have, 7006 for a level that is
   * not enabled, 7027 for arguments and for a confirmation that is missing, others where the router cannot do it.
   */
  async operate(call: CommandCall): Promise<AcceptedCommand> {
    const schema = schemaPathOf(call.object)
    const command = COMMANDS.find(({ object, name }) => object === schema && name === call.name)
    if (command === undefined) throw new AgentError(7026, 'the bridge has no such command')
    const level = command.level(call)
    const { metrics } = this.#shared
    try {
      const accepted = await this.#accept(command, level, call)
      accepted.done.then(
        () => metrics.operated(level, 'done'),
        () => metrics.operated(level, 'failed'),
      )
      return accepted
    } catch (error) {
      metrics.operated(level, 'refused')
      throw error
    }
  }

  async #accept(command: BridgeCommand, level: Level, call: CommandCall): Promise<AcceptedCommand> {
    const { policy } = this.#tools
    const { confirmations, audit } = this.#shared
    if (level > policy.level) throw new AgentError(7006, `commands of level ${level} are not enabled for this router`)
    const act = await command.prepare(call, this.#tools).catch(rethrow)
    if (level === 3) confirmations.check(this.#name, call)
    if (level >= 2)
      await audit.begun({
        router: this.#name,
        command: call.object + call.name,
        level,
        commandKey: call.commandKey,
        by: call.by,
        args: namesOf(call),
      })
    return { done: act().catch(rethrow) }
  }
}

function rethrow(error: unknown): never {
  // Of a command no parameter is wrong.
  if (error instanceof ModelRefusal) throw new AgentError(error.code === 7003 ? 7003 : 7022, error.message)
  throw failureOf(error, 'operate')
}

/** The names of the arguments: their values may be secret. */
function namesOf({ args }: CommandCall): string[] {
  return Object.keys(args).sort()
}
