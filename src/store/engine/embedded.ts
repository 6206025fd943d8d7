import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { AppError, type Log } from '../../base/index.ts'
import { fetchEngine } from './fetch.ts'
import { isAlive, isOurs } from './process.ts'

/** Which engine keeps a data folder. */
type EngineKind = 'mongod' | 'secantusdb'

export interface EmbeddedOptions {
  /** Folder that is this database's alone. */
  dataDir: string
  /** Where the fetched engine is kept; default: inside the data folder. */
  cacheDir?: string
  log: Log
  /** Progress for a person, one sentence each. */
  say?(line: string): void
}

const READY_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000
const MAX_BACKOFF_MS = 5000

/**
 * A private database in the data folder: `mongod` when one is on PATH (as a one-node replica set), else the fetched engine. Started, watched,
 * restarted on the same port when it dies, and stopped by us. What a killed Isthmus left running is found by its pid file and ended first.
 */
export class EmbeddedDatabase {
  readonly name = 'embedded database'
  readonly #options: EmbeddedOptions
  readonly #folder: string
  #program = ''
  #kind: EngineKind = 'secantusdb'
  #child: ChildProcess | undefined
  #port = 0
  #stopping = false
  #restarts = 0
  #restart: NodeJS.Timeout | undefined

  constructor(options: EmbeddedOptions) {
    this.#options = options
    this.#folder = join(options.dataDir, 'database')
  }

  /** Where to connect; valid after `start`, and the same over restarts of the engine. */
  get uri(): string {
    const parameters = this.#kind === 'mongod' ? '?directConnection=true&replicaSet=rs0' : '?directConnection=true'
    return `mongodb://127.0.0.1:${this.#port}/${parameters}`
  }

  /** The engine's process, for measurements and tests. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  get engine(): EngineKind {
    return this.#kind
  }

  async start(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true })
    await this.#takeLock()
    await this.#endLeftover()
    const onPath = findOnPath('mongod')
    this.#kind = onPath === undefined ? 'secantusdb' : 'mongod'
    this.#holdEngine()
    this.#program =
      onPath ??
      (await fetchEngine(this.#options.cacheDir ?? join(this.#options.dataDir, 'engine'), (line) =>
        this.#options.say?.(line),
      ))
    this.#port = await freePort()
    await this.#launch()
  }

  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#restart)
    const child = this.#child
    if (child !== undefined && child.exitCode === null && child.signalCode === null) await end(child)
    rmSync(join(this.#folder, 'engine.pid'), { force: true })
    rmSync(join(this.#folder, 'isthmus.lock'), { force: true })
  }

  /** One Isthmus per data folder: the lock names its pid, and a lock whose process is gone is nobody's. */
  async #takeLock(): Promise<void> {
    const file = join(this.#folder, 'isthmus.lock')
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        writeFileSync(file, String(process.pid), { flag: 'wx' })
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        const holder = Number(readFileSync(file, 'utf8'))
        if (holder !== process.pid && isAlive(holder) && isOurs(holder, ['node', 'isthmus'])) {
          throw new AppError(
            'conflict',
            `data folder ${this.#options.dataDir} is in use by process ${holder}; stop it or give another --data-dir`,
          )
        }
        rmSync(file, { force: true })
      }
    }
    throw new AppError('conflict', `data folder ${this.#options.dataDir} is in use`)
  }

  async #endLeftover(): Promise<void> {
    const file = join(this.#folder, 'engine.pid')
    if (!existsSync(file)) return
    const pid = Number(readFileSync(file, 'utf8'))
    if (isAlive(pid) && isOurs(pid, ['secantusd-rs', 'mongod'])) {
      this.#options.log.info({ pid }, 'ending the database engine that a killed server left running')
      process.kill(pid, 'SIGTERM')
      for (let waited = 0; isAlive(pid); waited += 50) {
        if (waited > STOP_TIMEOUT_MS) process.kill(pid, 'SIGKILL')
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    rmSync(file, { force: true })
  }

  /** The folder remembers its engine: the files of one are nothing to the other. */
  #holdEngine(): void {
    const file = join(this.#folder, 'engine.json')
    if (existsSync(file)) {
      const { engine } = JSON.parse(readFileSync(file, 'utf8')) as { engine: EngineKind }
      if (engine === this.#kind) return
      throw new AppError(
        'conflict',
        `data folder ${this.#options.dataDir} was written by ${engine}, and now ${this.#kind} would open it. ` +
          (engine === 'mongod' ? 'Put mongod back on PATH' : 'Take mongod off PATH') +
          ', or give another --data-dir, or set MONGODB_URI.',
      )
    }
    writeFileSync(file, `${JSON.stringify({ engine: this.#kind })}\n`)
  }

  async #launch(): Promise<void> {
    const { args, ready } = this.#command()
    const child = spawn(this.#program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: false })
    this.#child = child
    if (child.pid !== undefined) writeFileSync(join(this.#folder, 'engine.pid'), String(child.pid))
    child.stderr?.on('data', (data: Buffer) =>
      this.#options.log.debug({ text: data.toString().slice(0, 2000) }, 'database engine says'),
    )
    child.on('exit', (code, signal) => this.#onExit(child, code, signal))
    await this.#untilReady(child, ready)
    child.stdout?.resume()
    if (this.#kind === 'mongod') await this.#initiate()
    this.#restarts = 0
    this.#options.log.info({ engine: this.#kind, port: this.#port, pid: child.pid }, 'database engine is up')
  }

  #command(): { args: string[]; ready: RegExp } {
    const storage = join(this.#folder, this.#kind)
    mkdirSync(storage, { recursive: true })
    if (this.#kind === 'mongod') {
      const args = [
        '--bind_ip',
        '127.0.0.1',
        '--port',
        String(this.#port),
        '--dbpath',
        storage,
        '--replSet',
        'rs0',
        '--wiredTigerCacheSizeGB',
        '0.5',
        '--quiet',
      ]
      if (process.platform !== 'win32') args.push('--nounixsocket')
      return { args, ready: /Waiting for connections/ }
    }
    const args = ['--host', '127.0.0.1', '--port', String(this.#port), '--storage-path', storage, '--sync-on-commit']
    // Nobody reads a change stream here: an oplog in the journal, and a long one to prune, would double the cost of every write.
    args.push('--oplog-nonlogged', '--oplog-max-entries', '1000')
    return {
      args: [...args, '--log-file-max', '64MB', '--cache-size', '512M', '--log-level', 'WARNING'],
      ready: /listening on \S+:\d+/,
    }
  }

  #untilReady(child: ChildProcess, ready: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      let text = ''
      const finish = (error?: Error) => {
        clearTimeout(timer)
        child.stdout?.off('data', onData)
        child.off('exit', onExit)
        child.off('error', onError)
        if (error === undefined) resolve()
        else reject(error)
      }
      const onData = (data: Buffer) => {
        text = (text + data.toString()).slice(-4000)
        if (ready.test(text)) finish()
      }
      const onExit = (code: number | null) =>
        finish(
          new AppError(
            'unavailable',
            `the database engine ended with ${code} before it was ready: ${text.slice(-400)}`,
          ),
        )
      const onError = (cause: Error) =>
        finish(new AppError('unavailable', `the database engine cannot be started: ${cause.message}`, { cause }))
      const timer = setTimeout(
        () => finish(new AppError('unavailable', 'the database engine was not ready in time')),
        READY_TIMEOUT_MS,
      )
      child.stdout?.on('data', onData)
      child.once('exit', onExit)
      child.once('error', onError)
    })
  }

  /** A mongod is no replica set until it was told so, once. */
  async #initiate(): Promise<void> {
    const { initiateReplicaSet } = await import('../mongoose.ts')
    await initiateReplicaSet(`mongodb://127.0.0.1:${this.#port}/?directConnection=true`, `127.0.0.1:${this.#port}`)
  }

  #onExit(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#stopping || this.#child !== child) return
    const delayMs = Math.min(100 * 2 ** this.#restarts++, MAX_BACKOFF_MS)
    this.#options.log.error({ code, signal, delayMs }, 'database engine ended by itself; starting it again')
    this.#restart = setTimeout(() => {
      this.#launch().catch((err) => {
        this.#options.log.error({ err }, 'database engine did not come back')
        if (!this.#stopping && this.#child?.exitCode === null) this.#child.kill('SIGKILL')
      })
    }, delayMs)
  }
}

async function end(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await gone
  clearTimeout(force)
}

function findOnPath(program: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, process.platform === 'win32' ? `${program}.exe` : program)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not in this folder; the next may have it.
    }
  }
  return undefined
}

/** A port that was free a moment ago; fixed, so that a restarted engine is found where it was. */
async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}
