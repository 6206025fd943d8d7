import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Child, startChild } from '../../src/demo/child.ts'

/** A bridge as a process of its own, over its state folder, that can be killed and started again. */
export class BridgeProcess {
  readonly stateDir = mkdtempSync(join(tmpdir(), 'isthmus-bridge-process-'))
  readonly #flags: string[]
  #child: Child | undefined

  constructor(flags: string[]) {
    this.#flags = flags
  }

  get healthPort(): number {
    return Number(this.#child?.ready.healthPort)
  }

  /** `env`: of this run of the process alone. */
  async start(env: NodeJS.ProcessEnv = {}): Promise<void> {
    this.#child = await startChild({
      name: 'bridge',
      script: resolve(import.meta.dirname, '../../dist/src/cli/main.js'),
      args: ['bridge', '--state-dir', this.stateDir, '--health-port', '0', ...this.#flags],
      env,
      readyTimeoutMs: 60_000,
      logFd: openSync(join(this.stateDir, 'bridge.log'), 'a'),
      logFile: join(this.stateDir, 'bridge.log'),
    })
  }

  /** kill -9, and gone when it resolves. */
  async kill(): Promise<void> {
    const child = this.#child?.process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((done) => child.once('exit', done))
    child.kill('SIGKILL')
    await gone
  }

  /** Asks it to stop; resolves with its exit code. */
  async stop(): Promise<number | null> {
    return (await this.#child?.stop()) ?? null
  }

  async remove(): Promise<void> {
    await this.stop()
    rmSync(this.stateDir, { recursive: true, force: true })
  }
}
