import { existsSync, openSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type ApiClient, createApiClient } from '../../src/cli/demo/api-client.ts'
import { type Child, startChild } from '../../src/cli/demo/child.ts'

/** The server as a process of its own, over its data folder, that can be killed and started again on the same ports. */
export class ServerProcess {
  readonly dataDir: string
  readonly #flags: string[]
  #child: Child | undefined
  #ports: { apiPort: number; cwmpPort: number; uspPort: number } = { apiPort: 0, cwmpPort: 0, uspPort: 0 }
  #key = ''
  enrolmentSecret = ''
  endpointId = ''
  databasePid = 0

  constructor(dataDir: string, flags: string[] = []) {
    this.dataDir = dataDir
    this.#flags = flags
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

  async start(): Promise<void> {
    const script = resolve(import.meta.dirname, '../../dist/src/cli/main.js')
    if (!existsSync(script)) throw new Error('dist/ is missing: run `npm run setup` first')
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
      readyTimeoutMs: 120_000,
      logFd: openSync(join(this.dataDir, 'server.log'), 'a'),
    })
    const ready = this.#child.ready as {
      apiPort: number
      cwmpPort: number
      uspPort: number
      firstKey?: string
      enrolmentSecret: string
      endpointId: string
      databasePid: number
    }
    this.#ports = { apiPort: ready.apiPort, cwmpPort: ready.cwmpPort, uspPort: ready.uspPort }
    this.#key = ready.firstKey ?? this.#key
    this.enrolmentSecret = ready.enrolmentSecret
    this.endpointId = ready.endpointId
    this.databasePid = ready.databasePid
  }

  /** kill -9, and gone when it resolves. */
  async kill(): Promise<void> {
    const child = this.#child?.process
    if (child === undefined || child.exitCode !== null) return
    const gone = new Promise((done) => child.once('exit', done))
    child.kill('SIGKILL')
    await gone
  }

  async stop(): Promise<void> {
    await this.#child?.stop()
  }
}
