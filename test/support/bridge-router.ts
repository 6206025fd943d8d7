import { silentLog, systemClock } from '../../src/base/index.ts'
import { GuardedRouter, type Level } from '../../src/bridge/index.ts'
import type { Intent, IntentStore, Outlives } from '../../src/bridge/write/intents.ts'
import { ManagementCheck } from '../../src/bridge/write/management-check.ts'
import { RouterRows } from '../../src/bridge/write/router-rows.ts'
import { RouterWriter } from '../../src/bridge/write/router-writer.ts'
import {
  openApi,
  type RouterCommand,
  type RouterOs,
  type RouterRow,
  type RouterSession,
} from '../../src/routeros/index.ts'
import { type EmulatedRouter, type RouterOptions, startRouter } from '../../src/simulator/index.ts'

/** Intents in memory; those of a bridge that was killed are given on. */
export class MemoryIntents implements IntentStore {
  open: Intent | undefined
  /** Times that a write waited for the disk. */
  synced = 0
  /** Called before each entry. */
  onEntry: (kind: 'begin' | 'reach' | 'end') => void = () => undefined

  async begin(intent: Intent, outlives: Outlives): Promise<void> {
    this.onEntry('begin')
    if (outlives === 'machine') this.synced++
    this.open = intent
  }

  async reach(begun: number): Promise<void> {
    this.onEntry('reach')
    this.synced++
    if (this.open !== undefined) this.open = { ...this.open, begun }
  }

  async end(): Promise<void> {
    this.onEntry('end')
    this.synced++
    this.open = undefined
  }
}

/** An emulated router with the writing half of a bridge on it, over a real socket. */
export class BridgeRouter {
  readonly emulated: EmulatedRouter
  readonly session: RouterSession
  readonly intents: IntentStore
  /** Commands that were sent. */
  readonly sent: RouterCommand[] = []
  /** Called before a command is sent; throws to be a connection that fails. */
  onCommand: (command: RouterCommand) => void = () => undefined
  level: Level = 3
  readonly router: RouterOs
  readonly rows: RouterRows
  readonly check: ManagementCheck
  readonly writer: RouterWriter

  private constructor(emulated: EmulatedRouter, session: RouterSession, intents: IntentStore) {
    this.emulated = emulated
    this.session = session
    this.intents = intents
    const recorded: RouterOs = {
      command: async (command, options) => {
        this.onCommand(command)
        this.sent.push(command)
        return session.command(command, options)
      },
      stream: (command, events, options) => session.stream(command, events, options),
      localAddress: session.localAddress,
      remoteAddress: session.remoteAddress,
      close: () => session.close(),
    }
    this.router = new GuardedRouter(recorded, () => this.level)
    this.rows = new RouterRows(this.router)
    this.check = new ManagementCheck(this.router)
    this.writer = new RouterWriter(this.router, intents, this.check, silentLog)
  }

  static async start(options: RouterOptions = {}, intents: IntentStore = new MemoryIntents()): Promise<BridgeRouter> {
    return BridgeRouter.at(await startRouter(options), intents)
  }

  /** Another bridge at a router that runs, with the intents of an earlier one. */
  static async at(emulated: EmulatedRouter, intents: IntentStore): Promise<BridgeRouter> {
    const account = { host: '127.0.0.1', port: emulated.port, user: 'admin', password: '' }
    const session = await openApi({ ...account, security: { kind: 'plain' } }, { clock: systemClock, log: silentLog })
    return new BridgeRouter(emulated, session, intents)
  }

  /** Resolves with the rows of a menu as the router prints them. */
  async print(menu: string): Promise<readonly RouterRow[]> {
    return (await this.session.command({ path: `${menu}/print` })).rows
  }

  /** Changes the router as somebody else would. */
  async other(path: string, args: Record<string, string>): Promise<string | undefined> {
    return (await this.session.command({ path, args, writes: true })).ret
  }

  async stop(): Promise<void> {
    await this.session.close()
    await this.emulated.close()
  }
}
