import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Log, silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import {
  AuditFile,
  BridgeFleet,
  Confirmations,
  type FoundState,
  MqttHub,
  NO_PRIVACY,
  type RouterRow,
  routerOpener,
  Topics,
} from '../../src/bridge/index.ts'
import { brokerDialler } from '../../src/mqtt/index.ts'
import type { EmulatedRouter } from '../../src/simulator/index.ts'
import { Codec, NotifyFile } from '../../src/usp/index.ts'

interface MqttBridgeOptions {
  url: string
  telemetryMs?: number
  level?: 4 | 5
  privacy?: typeof NO_PRIVACY
  username?: string
  password?: string
  ca?: string
  certificate?: string
  key?: string
  log?: Log
}

/** A bridge in this process with a broker; its routers are rows that a test gives. */
export class MqttBridge {
  readonly dir: string
  /** The last state of each router. */
  readonly states = new Map<string, FoundState>()
  readonly hub: MqttHub
  readonly #fleet: BridgeFleet
  #onRows: (rows: readonly RouterRow[]) => void = () => undefined
  #rows: RouterRow[] = []
  #isStopped = false

  private constructor(dir: string, options: MqttBridgeOptions, notifies: NotifyFile) {
    this.dir = dir
    const { url, telemetryMs = 3_600_000, level, privacy = NO_PRIVACY, log = silentLog, ...security } = options
    const topics = new Topics('network/mikrotik')
    const clientId = `isthmus-${systemRandom.fraction().toString(36).slice(2)}`
    this.hub = new MqttHub({
      dial: brokerDialler({ url, clientId, stateTopic: topics.bridgeState, ...security }),
      level,
      topics,
      privacy,
      telemetryMs,
      clock: systemClock,
      random: { ...systemRandom, fraction: () => 0 },
      log,
    })
    this.#fleet = new BridgeFleet({
      folder: this.dir,
      mqtt: this.hub,
      rows: {
        controllers: [],
        start: async (onRows) => {
          this.#onRows = onRows
          onRows(this.#rows)
        },
        stop: async () => undefined,
        report: (id, state) => void this.states.set(id, state),
        proofOf: async () => undefined,
        forget: () => undefined,
      },
      open: routerOpener({ ca: undefined, allowPlain: false }, { clock: systemClock, log: silentLog }),
      firmwareHosts: [],
      backupHosts: [],
      notifies,
      confirmations: new Confirmations(systemClock),
      audit: new AuditFile(join(this.dir, 'audit.jsonl'), systemClock),
      codec: new Codec(),
      clock: systemClock,
      random: systemRandom,
      log,
    })
  }

  /** Starts one with these routers. */
  static async start(
    options: MqttBridgeOptions,
    routers: readonly (readonly [string, Pick<EmulatedRouter, 'port'>])[] = [],
  ): Promise<MqttBridge> {
    const dir = mkdtempSync(join(tmpdir(), 'isthmus-mqtt-'))
    const bridge = new MqttBridge(dir, options, await NotifyFile.open(join(dir, 'notifies.jsonl'), silentLog))
    for (const [id, router] of routers) bridge.serve(id, router)
    await bridge.#fleet.start()
    await bridge.hub.start()
    return bridge
  }

  /** Adds a router, or changes its row. */
  serve(id: string, { port }: Pick<EmulatedRouter, 'port'>, more: Partial<RouterRow> = {}): void {
    const row: RouterRow = {
      id,
      address: '127.0.0.1',
      port,
      transport: 'api',
      policy: 'L1',
      tags: [],
      mqtt: true,
      revision: this.#rows.length + 1,
      login: { username: 'admin', password: '' },
      ...more,
    }
    this.#show([...this.#rows.filter((one) => one.id !== id), row])
  }

  forget(id: string): void {
    this.#show(this.#rows.filter((one) => one.id !== id))
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    await this.hub.stop()
    await this.#fleet.stop()
    rmSync(this.dir, { recursive: true, force: true })
  }

  #show(rows: RouterRow[]): void {
    this.#rows = rows
    this.#onRows(rows)
  }
}
