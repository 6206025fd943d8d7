import { existsSync, openSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type ApiClient, createApiClient } from '../../src/demo/api-client.ts'
import { type Child, startChild } from '../../src/demo/child.ts'
import { freePorts } from './free-ports.ts'

/** The environment of a process whose wall clock tests move; it begins `ms` away from the machine's. */
export function steppableClock(ms = 0): NodeJS.ProcessEnv {
  const module = pathToFileURL(resolve(import.meta.dirname, 'clock-step.mjs'))
  return { NODE_OPTIONS: `--import=${module}`, CLOCK_STEP_MS: String(ms) }
}

export interface ServerProcessOptions {
  /** Of the process; added to those of the test. */
  env?: NodeJS.ProcessEnv
  /** An API key that another server over the same database made. */
  key?: string
}

/** The server as a process of its own, over its data folder, that can be killed and started again on the same ports. */
export class ServerProcess {
  readonly dataDir: string
  readonly #flags: string[]
  readonly #env: NodeJS.ProcessEnv
  #child: Child | undefined
  #ports: { apiPort: number; cwmpPort: number; uspPort: number } = { apiPort: 0, cwmpPort: 0, uspPort: 0 }
  #key: string
  enrolmentSecret = ''
  endpointId = ''
  databasePid = 0

  constructor(dataDir: string, flags: string[] = [], { env = {}, key = '' }: ServerProcessOptions = {}) {
    this.dataDir = dataDir
    this.#flags = flags
    this.#env = env
    this.#key = key
  }

  get key(): string {
    return this.#key
  }

  get ports(): { apiPort: number; cwmpPort: number; uspPort: number } {
    return this.#ports
  }

  get api(): ApiClient {
    return createApiClient(`http://127.0.0.1:${this.#ports.apiPort}/api/v1`, this.#key)
  }

  get pid(): number {
    return this.#child?.process.pid ?? 0
  }

  /** `env`: of this run of the process alone. */
  async start(env: NodeJS.ProcessEnv = {}): Promise<void> {
    const script = resolve(import.meta.dirname, '../../dist/src/cli/main.js')
    if (!existsSync(script)) throw new Error('dist/ is missing: run `npm run setup` first')
    if (this.#ports.apiPort === 0) {
      const [apiPort = 0, cwmpPort = 0, uspPort = 0] = await freePorts(3)
      this.#ports = { apiPort, cwmpPort, uspPort }
    }
    const { apiPort, cwmpPort, uspPort } = this.#ports
    const ports = ['--api-port', String(apiPort), '--cwmp-port', String(cwmpPort), '--usp-port', String(uspPort)]
    const args = [
      'serve',
      '--data-dir',
      this.dataDir,
      '--host',
      '127.0.0.1',
      ...ports,
      '--log-level',
      'warn',
      ...this.#flags,
    ]
    this.#child = await startChild({
      name: 'server',
      script,
      args,
      env: { ...this.#env, ...env },
      readyTimeoutMs: 120_000,
      logFd: openSync(join(this.dataDir, 'server.log'), 'a'),
    })
    const ready = this.#child.ready as {
      firstKey?: string
      enrolmentSecret: string
      endpointId: string
      databasePid: number
    }
    this.#key = ready.firstKey ?? this.#key
    this.enrolmentSecret = ready.enrolmentSecret
    this.endpointId = ready.endpointId
    this.databasePid = ready.databasePid
  }

  /** kill -9, and gone when it resolves. */
  async kill(): Promise<void> {
    const child = this.#child?.process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((done) => child.once('exit', done))
    child.kill('SIGKILL')
    await gone
  }

  /** Moves the wall clock of the process, which was started with `steppableClock`. Resolves when it is moved. */
  async stepClock(ms: number): Promise<void> {
    const child = this.#child?.process
    if (child === undefined) throw new Error('the server is not started')
    const stepped = new Promise<void>((resolve) => {
      const onMessage = (message: { type?: string }) => {
        if (message.type !== 'clockStepped') return
        child.off('message', onMessage)
        resolve()
      }
      child.on('message', onMessage)
    })
    child.send({ type: 'clockStep', ms })
    await stepped
  }

  async stop(): Promise<void> {
    await this.#child?.stop()
  }
}
