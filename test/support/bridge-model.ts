import { silentLog, systemClock } from '../../src/base/index.ts'
import {
  Confirmations,
  type Restart,
  RouterModel,
  type RouterPolicy,
  RouterSide,
  servedBy,
} from '../../src/bridge/index.ts'
import { NO_METRICS } from '../../src/bridge/metrics/bridge-metrics.ts'
import type { RouterRow } from '../../src/routeros/index.ts'
import type { RouterOptions } from '../../src/simulator/index.ts'
import { ModelRefusal } from '../../src/usp/index.ts'
import { BridgeRouter } from './bridge-router.ts'
import { MemoryInstanceNumbers } from './memory-instance-numbers.ts'

/** An emulated router as its TR-181 model, which can be written. */
export class WritableModel {
  readonly bridge: BridgeRouter
  readonly model: RouterModel
  readonly writes: RouterSide
  policy: RouterPolicy = { level: 3, firmwareHosts: [], backupHosts: [], allowsLocalTargets: false }
  readonly restarts: Restart[] = []

  private constructor(bridge: BridgeRouter) {
    this.bridge = bridge
    const numbers = new MemoryInstanceNumbers()
    const served = servedBy(() => [])
    this.model = new RouterModel({ router: bridge.router, numbers, clock: systemClock, served })
    this.writes = new RouterSide({
      name: 'router-1',
      router: bridge.router,
      model: this.model,
      numbers,
      intents: bridge.intents,
      metrics: NO_METRICS,
      audit: { begun: async () => undefined },
      confirmations: new Confirmations(systemClock),
      policy: () => this.policy,
      clock: systemClock,
      log: silentLog,
      onRestart: (restart) => this.restarts.push(restart),
      onWritten: () => undefined,
      changes: () => () => undefined,
    })
  }

  static async start(options: RouterOptions = {}): Promise<WritableModel> {
    return new WritableModel(await BridgeRouter.start(options))
  }

  /** Resolves with the value of a parameter; undefined when it does not exist. */
  async get(path: string): Promise<string | undefined> {
    return (await this.model.get([path])).get(path)
  }

  /** Resolves with the row of a table whose parameter has a value. */
  async find(table: string, name: string, value: string): Promise<string> {
    const rows = await this.model.instances(table)
    const values = await this.model.get(rows.map((row) => row + name))
    const found = rows.find((row) => values.get(row + name) === value)
    if (found === undefined) throw new Error(`${table} has no row with ${name} ${value}: ${[...values.values()]}`)
    return found
  }

  async set(values: Record<string, string>): Promise<void> {
    await this.writes.set(Object.entries(values).map(([path, value]) => ({ path, value })))
  }

  /** Resolves with the path of the new row. */
  async add(table: string, values: Record<string, string>): Promise<string> {
    const [path = ''] = await this.writes.add([{ table, values }])
    return path
  }

  /** Resolves with the row of a menu that has these properties. */
  async row(menu: string, has: Record<string, string>): Promise<RouterRow | undefined> {
    const rows = await this.bridge.print(menu)
    return rows.find((row) => Object.entries(has).every(([name, value]) => row[name] === value))
  }

  /** Resolves with the problems of a write that is refused. */
  async problems(write: Promise<unknown>): Promise<ModelRefusal['problems']> {
    const error = await write.then(
      () => new Error('it was not refused'),
      (reason: unknown) => reason,
    )
    if (!(error instanceof ModelRefusal)) throw error
    return error.problems
  }

  /** Does a command and resolves with its output. */
  async run(path: string, args: Record<string, string> = {}): Promise<Readonly<Record<string, string>>> {
    const at = path.lastIndexOf('.') + 1
    const { signal } = new AbortController()
    const [object, name, by] = [path.slice(0, at), path.slice(at), { way: 'test' }]
    const call = { object, name, isAsync: false, args, commandKey: '', by, signal }
    return (await (await this.writes.operate(call)).done).output
  }

  /** Commands that changed something. */
  get changes(): string[] {
    return this.bridge.sent.filter(({ writes }) => writes).map(({ path }) => path)
  }

  stop(): Promise<void> {
    return this.bridge.stop()
  }
}
