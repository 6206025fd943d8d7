import { join } from 'node:path'
import type { Clock, Log, Random } from '../../base/index.ts'
import type { RouterPolicy as PolicyName, RouterIdentity } from '../../domain/index.ts'
import type { RouterOs } from '../../routeros/index.ts'
import type { PollSlots } from '../changes/poll-slots.ts'
import { RouterWatch } from '../changes/router-watch.ts'
import type { AuditTrail } from '../commands/audit-trail.ts'
import type { Restart } from '../commands/command.ts'
import type { Confirmations } from '../commands/confirmations.ts'
import type { Level } from '../menus/form/menu.ts'
import { GuardedRouter } from '../menus/guarded-router.ts'
import type { BridgeMetrics } from '../metrics/bridge-metrics.ts'
import { MeasuredRouter } from '../metrics/measured-router.ts'
import type { RouterReads, RouterWrites } from '../model/bridged-model.ts'
import type { InstanceNumbers, NumberedRow } from '../model/instance-numbers.ts'
import type { LocalModel } from '../model/local-model.ts'
import { NumberFile } from '../model/number-file.ts'
import { RouterModel } from '../model/router-model.ts'
import type { ServedRouter } from '../mqtt/served-router.ts'
import { RouterSide } from '../router-side.ts'
import { servedBy } from '../served.ts'
import type { SnmpReadings } from '../snmp/snmp-readings.ts'
import { SnmpReads } from '../snmp/snmp-reads.ts'
import { IntentFile } from '../write/intent-file.ts'

/** The limits that an operator sets for one router, as they are now. */
interface Policy {
  level(): Level
  firmwareHosts: readonly string[]
  backupHosts: readonly string[]
}

interface RouterPartsOptions {
  router: RouterOs
  /** Name of the router in confirmations and in the audit trail. */
  name: string
  policy: Policy
  confirmations: Confirmations
  audit: AuditTrail
  metrics: BridgeMetrics
  /** Absent: the row has no SNMP. */
  snmp?: SnmpReadings | undefined
  clock: Clock
  random: Random
  log: Log
  onRestart(restart: Restart): void
}

/** The readable half of a router, and when its files are open, the half that changes it. */
export class RouterParts {
  /** As the connection reads the router. */
  readonly own: RouterModel
  /** The same, with the values that SNMP has. */
  readonly reads: RouterReads
  readonly #options: RouterPartsOptions
  readonly #guarded: GuardedRouter
  readonly #numbers = new LateNumbers()
  #intents: IntentFile | undefined
  #file: NumberFile | undefined
  #side: RouterSide | undefined
  #watch: RouterWatch | undefined

  constructor(options: RouterPartsOptions) {
    this.#options = options
    const measured = new MeasuredRouter(options.router, options.metrics, options.clock)
    this.#guarded = new GuardedRouter(measured, options.policy.level)
    this.own = new RouterModel({
      router: this.#guarded,
      numbers: this.#numbers,
      clock: options.clock,
      served: servedBy((schema) => (schema === 'Device.' ? ['Boot!'] : [])),
    })
    const { snmp, clock } = options
    this.reads = snmp === undefined ? this.own : new SnmpReads(this.own, snmp, () => clock.now())
  }

  /**
   * Opens the files of the router: instance numbers, and the write that was under way when the process ended, which is
   * undone. AppError when a file cannot be read; rejects also when the router does not answer.
   */
  async openFiles(folder: string): Promise<RouterWrites> {
    this.#file = await NumberFile.open(join(folder, 'numbers.jsonl'))
    this.#numbers.use(this.#file)
    const intents = await IntentFile.open(join(folder, 'intents.jsonl'))
    this.#intents = intents
    const { policy, ...options } = this.#options
    this.#side = new RouterSide({
      ...options,
      router: this.#guarded,
      model: this.own,
      numbers: this.#numbers,
      intents,
      policy() {
        const { firmwareHosts, backupHosts } = policy
        return { level: policy.level(), firmwareHosts, backupHosts, allowsLocalTargets: false }
      },
      onWritten: () => this.#watch?.soon(),
      changes: (listener) => this.#watch?.changes(listener) ?? (() => undefined),
    })
    return this.#side
  }

  /** Looks for what the subscriptions of the Agent are about; to be called before the Agent starts. */
  watch(local: LocalModel, slots: PollSlots): RouterWatch {
    const { metrics, clock, random, log } = this.#options
    const model = this.own
    this.#watch = new RouterWatch({ router: this.#guarded, model, local, slots, metrics, clock, random, log })
    return this.#watch
  }

  /** The router for another writer beside its Agent, in the same model; undefined until its files are open. */
  servedAs(identity: RouterIdentity): ServedRouter | undefined {
    const { snmp } = this.#options
    const [reads, side, watch] = [this.reads, this.#side, this.#watch]
    if (side === undefined || watch === undefined) return undefined
    return {
      identity,
      hasSnmp: snmp !== undefined,
      model: {
        supported: () => reads.supported(),
        instances: (table) => reads.instances(table),
        get: (paths, viaSnmp) => (reads instanceof SnmpReads ? reads.get(paths, viaSnmp) : reads.get(paths)),
        set: (values) => side.set(values),
        add: (rows) => side.add(rows),
        delete: (rows) => side.delete(rows),
        operate: (call) => side.operate(call),
      },
      changes: (look, listener) => watch.changes(listener, look),
    }
  }

  /** Bytes of the files of the router. */
  get bytes(): { numbers: number; intents: number } {
    return { numbers: this.#file?.bytes ?? 0, intents: this.#intents?.bytes ?? 0 }
  }

  /** Undoes a write that was cut off; rejects when the router does not answer. */
  async settle(): Promise<void> {
    await this.#side?.settle()
  }

  async close(): Promise<void> {
    this.#watch?.stop()
    await Promise.all([this.#file?.close(), this.#intents?.close()])
  }
}

/** Returns the level of danger that a policy allows. */
export function levelOf(policy: PolicyName): Level {
  const levels: Record<PolicyName, Level> = { L0: 0, L1: 1, L2: 2, L3: 3 }
  return levels[policy]
}

/** Instance numbers of a file that is opened when the identity of the router is known; none are given before. */
class LateNumbers implements InstanceNumbers {
  #inside: InstanceNumbers | undefined

  use(inside: InstanceNumbers): void {
    this.#inside = inside
  }

  async numbersOf(rows: readonly NumberedRow[]): Promise<readonly number[]> {
    return this.#known().numbersOf(rows)
  }

  async rename(row: NumberedRow, key: string): Promise<void> {
    return this.#known().rename(row, key)
  }

  #known(): InstanceNumbers {
    if (this.#inside === undefined) throw new Error('instance numbers are not known before the identity of the router')
    return this.#inside
  }
}
