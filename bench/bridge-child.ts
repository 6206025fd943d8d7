import { mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Child, startChild } from '../src/demo/child.ts'

/** `isthmus bridge` in a process of its own, over a table of routers that may grow. */
export class BridgeChild {
  readonly #folder: string
  readonly #child: Child

  private constructor(folder: string, child: Child) {
    this.#folder = folder
    this.#child = child
  }

  /** Starts it in a folder; `flags` name the Controller. */
  static async start(folder: string, table: string, flags: readonly string[]): Promise<BridgeChild> {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'routers.csv'), table, { mode: 0o600 })
    const child = await startChild({
      name: 'bridge',
      script: resolve(import.meta.dirname, '../src/cli/main.js'),
      args: [
        ...['bridge', '--state-dir', join(folder, 'state'), '--routers', join(folder, 'routers.csv')],
        ...['--health-port', '0', '--log-level', 'warn', ...flags],
      ],
      readyTimeoutMs: 60_000,
      logFd: openSync(join(folder, 'bridge.log'), 'a'),
      logFile: join(folder, 'bridge.log'),
    })
    return new BridgeChild(folder, child)
  }

  get pid(): number {
    return this.#child.process.pid ?? 0
  }

  /** Serves the routers of another table from its next look at the file on. */
  serve(table: string): void {
    writeFileSync(join(this.#folder, 'routers.csv'), table)
  }

  async stop(): Promise<void> {
    await this.#child.stop()
  }
}
