import type { Clock, Log } from '../base/index.ts'
import type { RouterOs } from '../routeros/index.ts'
import type { AcceptedCommand, AgentError, CommandCall, ModelChange, ModelWrite, NewRow } from '../usp/index.ts'
import type { AuditTrail } from './commands/audit-trail.ts'
import type { Restart, RouterPolicy } from './commands/command.ts'
import type { Confirmations } from './commands/confirmations.ts'
import { RouterCommands } from './commands/router-commands.ts'
import type { BridgeMetrics } from './metrics/bridge-metrics.ts'
import type { RouterWrites } from './model/bridged-model.ts'
import type { InstanceNumbers } from './model/instance-numbers.ts'
import type { RouterModel } from './model/router-model.ts'
import { ModelWrites } from './objects/model-writes.ts'
import { RouterInstances } from './write/instances.ts'
import type { IntentStore } from './write/intents.ts'
import { ManagementCheck } from './write/management-check.ts'
import { RouterRows } from './write/router-rows.ts'
import { RouterWriter } from './write/router-writer.ts'

/** Parts of the writing half of one router. */
interface RouterSideParts {
  /** Name of the router in confirmations and in the audit trail. */
  name: string
  /** The router behind its guard. */
  router: RouterOs
  /** The readable model of the same router. */
  model: RouterModel
  numbers: InstanceNumbers
  intents: IntentStore
  audit: AuditTrail
  confirmations: Confirmations
  metrics: BridgeMetrics
  /** Returns the limits of the operator at present. */
  policy(): RouterPolicy
  clock: Clock
  log: Log
  /** Called right before the router is restarted. */
  onRestart(restart: Restart): void
  /** Called after each write and each command that was accepted. */
  onWritten(): void
  /** The changes that the router shows. */
  changes(listener: (change: ModelChange) => void): () => void
}

/** Writes and commands of one router, as the port of its Agent wants them. */
export class RouterSide implements RouterWrites {
  readonly changes: RouterWrites['changes']
  readonly #writer: RouterWriter
  readonly #writes: ModelWrites
  readonly #commands: RouterCommands
  readonly #onWritten: () => void

  constructor(parts: RouterSideParts) {
    const { router, model, numbers, intents, clock, log } = parts
    const rows = new RouterRows(router)
    const check = new ManagementCheck(router)
    this.changes = (listener) => parts.changes(listener)
    this.#onWritten = () => parts.onWritten()
    this.#writer = new RouterWriter(router, intents, check, log)
    this.#writes = new ModelWrites({ model, writer: this.#writer, rows, numbers })
    const tools = {
      router,
      rows,
      writer: this.#writer,
      instances: new RouterInstances(model),
      managementInterfaces: () => check.interfaces(),
      get policy() {
        return parts.policy()
      },
      clock,
      log,
      onRestart: (restart: Restart) => parts.onRestart(restart),
    }
    this.#commands = new RouterCommands(parts.name, tools, parts)
  }

  /**
   * Undoes a write that an earlier run of the bridge has not finished. To be called when the router is connected;
   * rejects when it does not answer, and is then to be called again.
   */
  settle(): Promise<void> {
    return this.#writer.settle()
  }

  set(values: readonly ModelWrite[]): Promise<void> {
    return this.#writes.set(values).finally(this.#onWritten)
  }

  add(rows: readonly NewRow[]): Promise<readonly string[]> {
    return this.#writes.add(rows).finally(this.#onWritten)
  }

  addEach(rows: readonly NewRow[]): Promise<readonly (string | AgentError)[]> {
    return this.#writes.addEach(rows).finally(this.#onWritten)
  }

  delete(rows: readonly string[]): Promise<void> {
    return this.#writes.delete(rows).finally(this.#onWritten)
  }

  operate(call: CommandCall): Promise<AcceptedCommand> {
    return this.#commands.operate(call).finally(this.#onWritten)
  }
}
