import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findEngine } from '../../src/store/index.ts'
import { freePort } from './free-ports.ts'
import { ENGINE_CACHE } from './global-setup.ts'
import { holdProcess } from './held-process.ts'

/** The program of the embedded database without a server: for tests that stop it, hold it, or give it other flags. */
export class EngineProcess {
  readonly #folder = mkdtempSync(join(tmpdir(), 'isthmus-engine-'))
  readonly #flags: string[]
  #child: ChildProcess | undefined
  #port = 0

  constructor(flags: string[] = []) {
    this.#flags = flags
  }

  get uri(): string {
    return `mongodb://127.0.0.1:${this.#port}/?directConnection=true`
  }

  /** The same port again after the first time. */
  async start(): Promise<void> {
    const program = findEngine(ENGINE_CACHE)
    if (program === undefined) throw new Error('the engine is missing: run `npm run setup` first')
    if (this.#port === 0) this.#port = await freePort()
    const child = spawn(
      program,
      [
        '--port',
        String(this.#port),
        '--storage-path',
        join(this.#folder, 'data'),
        '--sync-on-commit',
        ...['--log-file-max', '64MB'],
        ...this.#flags,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    this.#child = child
    let text = ''
    for await (const data of child.stdout) {
      text += String(data)
      if (/listening on \S+:\d+/.test(text)) break
    }
  }

  /** Held when it resolves: it answers nothing, and keeps its connections. */
  async hold(): Promise<void> {
    const pid = this.#child?.pid
    if (pid !== undefined) await holdProcess(pid)
  }

  release(): void {
    this.#child?.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
