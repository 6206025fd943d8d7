import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { AppError, isAlive, type Log, listen } from '../../base/index.ts'
import { dropAddress, keepAddress } from './address.ts'
import { end, STOP_TIMEOUT_MS, untilReady } from './child.ts'
import { Comeback, freeBytes } from './comeback.ts'
import { type EngineKind, engineCommand, engineOf } from './command.ts'
import { fetchEngine } from './fetch.ts'
import { FolderLock } from './folder-lock.ts'
import { EngineLogin } from './login.ts'
import { makePrivate, PRIVATE_FILE, withPrivateFiles } from './private.ts'
import { livingProcess, processLine } from './process.ts'

interface EmbeddedOptions {
  /** Folder that is this database's alone. */
  dataDir: string
  /** Folder of the fetched engine; default: inside the data folder. */
  cacheDir?: string
  log: Log
  /** Progress for a person, one sentence each. */
  say?(line: string): void
  /** Returns the free bytes of the disk of a folder; default: asks the system. */
  freeBytes?(folder: string): number
}

/** Text in the error output of an engine whose storage has stopped, or which found no space for a write. */
const PANIC = /WT_PANIC|No space left on device/
/** Characters of the last output that are kept, because a match may arrive in two pieces. */
const KEPT_OUTPUT = 64

/**
 * A private database in the data folder: `mongod` when one is on PATH (as a one-node replica set), else the fetched
 * engine. Started, watched, restarted on the same port when it dies or when its storage panics, and stopped by us. An
 * engine that a killed Isthmus left running is found by its pid file and ended first.
 */
export class EmbeddedDatabase {
  readonly name = 'embedded database'
  readonly #options: EmbeddedOptions
  readonly #folder: string
  readonly #lock: FolderLock
  #program = ''
  #kind: EngineKind = 'secantusdb'
  #child: ChildProcess | undefined
  #port = 0
  /** Up once: from then on an engine that ends is started again. */
  #watched = false
  #stopping = false
  readonly #login: EngineLogin
  /** True when the engine has the login and is started with it. */
  #asksLogin = false
  readonly #comeback: Comeback

  constructor(options: EmbeddedOptions) {
    this.#options = options
    this.#folder = join(options.dataDir, 'database')
    this.#lock = new FolderLock(options.dataDir, this.#folder)
    this.#login = new EngineLogin(this.#folder)
    const { log } = options
    this.#comeback = new Comeback({ folder: this.#folder, log, freeBytes: options.freeBytes ?? freeBytes })
  }

  /** The connection string, with the login; valid after `start`, and the same over restarts of the engine. */
  get uri(): string {
    if (this.#asksLogin) return this.#login.uri(this.#port)
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

  /**
   * Starts the engine. AppError `conflict` when another process or another engine has the folder, `unavailable` when no
   * engine can be fetched or it does not start.
   */
  async start(): Promise<void> {
    mkdirSync(this.#options.dataDir, { recursive: true, mode: 0o700 })
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    await this.#lock.take()
    await this.#endLeftover()
    makePrivate(this.#folder)
    const onPath = findOnPath('mongod')
    this.#kind = onPath === undefined ? 'secantusdb' : 'mongod'
    this.#checkEngine()
    this.#program =
      onPath ??
      (await fetchEngine(this.#options.cacheDir ?? join(this.#options.dataDir, 'engine'), (line) =>
        this.#options.say?.(line),
      ))
    if (this.#kind === 'mongod') this.#port = await freePort()
    process.once('exit', this.#atExit)
    if (this.#kind === 'secantusdb') await this.#prepareLogin()
    this.#holdEngine()
    await this.#launch()
    keepAddress(this.#folder, this.uri)
    this.#watched = true
  }

  /** Ends the engine when the process ends without having stopped its parts; the engine closes its files itself. */
  readonly #atExit = () => void this.#child?.kill('SIGTERM')

  /** Ends the engine and gives the folder back. A folder that another process has is left as it is. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#comeback.cancel()
    process.off('exit', this.#atExit)
    const child = this.#child
    if (child !== undefined) {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) await end(child)
      rmSync(this.#pidFile, { force: true })
      dropAddress(this.#folder)
    }
    this.#lock.release()
  }

  /** An engine has no login at first: it is given one, and asks for it from its next start on. */
  async #prepareLogin(): Promise<void> {
    if (!this.#login.read() || this.#kept().login !== true) {
      this.#login.make()
      await this.#launch()
      await this.#login.establish(this.#port)
      if (this.#child !== undefined) await end(this.#child)
    }
    this.#asksLogin = true
  }

  get #pidFile(): string {
    return join(this.#folder, 'engine.pid')
  }

  async #endLeftover(): Promise<void> {
    if (!existsSync(this.#pidFile)) return
    const pid = livingProcess(readFileSync(this.#pidFile, 'utf8'))
    if (pid !== undefined) {
      this.#options.log.info({ pid }, 'ending the database engine that a killed server left running')
      process.kill(pid, 'SIGTERM')
      for (let waited = 0; isAlive(pid); waited += 50) {
        if (waited > STOP_TIMEOUT_MS) process.kill(pid, 'SIGKILL')
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    rmSync(this.#pidFile, { force: true })
  }

  /** Stores which engine wrote the folder: no engine reads the files of another. */
  #checkEngine(): void {
    const engine = this.#keptEngine()
    if (engine === undefined || engine === this.#kind) return
    throw new AppError(
      'conflict',
      `data folder ${this.#options.dataDir} was written by ${engine}, and now ${this.#kind} would open it. ` +
        (engine === 'mongod' ? 'Put mongod back on PATH' : 'Take mongod off PATH') +
        ', or give another --data-dir, or set MONGODB_URI.',
    )
  }

  #keptEngine(): string | undefined {
    const { engine } = this.#kept()
    if (engine !== undefined) return engine
    return engineOf(this.#folder)
  }

  /** Returns the notes in the folder: the engine that it is for, and whether that has the login. */
  #kept(): { engine?: string; login?: boolean } {
    try {
      const text = readFileSync(join(this.#folder, 'engine.json'), 'utf8')
      return (JSON.parse(text) as { engine?: string; login?: boolean } | null) ?? {}
    } catch {
      // Missing, or cut off while it was written: then the engine's own folder shows the engine, and the login is made
      // again.
      return {}
    }
  }

  #holdEngine(): void {
    const kept = { engine: this.#kind, ...(this.#asksLogin ? { login: true } : {}) }
    writeFileSync(join(this.#folder, 'engine.json'), `${JSON.stringify(kept)}\n`, { mode: PRIVATE_FILE })
  }

  async #launch(): Promise<void> {
    const { args, ready } = engineCommand(this.#kind, this.#folder, this.#port, this.#asksLogin)
    // A process group of its own: Ctrl-C in a terminal reaches Isthmus alone, which then ends its work before its
    // database.
    const child = withPrivateFiles(() =>
      spawn(this.#program, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: process.platform !== 'win32',
        windowsHide: true,
      }),
    )
    this.#child = child
    this.#listen(child)
    child.once('exit', (code, signal) => this.#onEnd(child, { code, signal }))
    child.on('error', (err) => {
      // A program that cannot be started has no exit.
      if (child.pid === undefined) this.#onEnd(child, { err })
    })
    if (child.pid !== undefined) writeFileSync(this.#pidFile, processLine(child.pid), { mode: PRIVATE_FILE })
    const port = await untilReady(child, ready)
    if (this.#port === 0) this.#port = port
    child.stdout?.resume()
    if (this.#kind === 'mongod') await this.#initiate()
    this.#comeback.up()
    this.#options.log.info({ engine: this.#kind, port: this.#port, pid: child.pid }, 'database engine is up')
  }

  /** Makes a replica set of a mongod, which it is only after this command. */
  async #initiate(): Promise<void> {
    const { initiateReplicaSet } = await import('../mongo/mongoose.ts')
    await initiateReplicaSet(`mongodb://127.0.0.1:${this.#port}/?directConnection=true`, `127.0.0.1:${this.#port}`)
  }

  /** An engine whose storage has panicked answers each command with an error until it is started again: it is ended. */
  #listen(child: ChildProcess): void {
    let last = ''
    let panicked = false
    child.stderr?.on('data', (data: Buffer) => {
      const text = last + data.toString()
      last = text.slice(-KEPT_OUTPUT)
      this.#options.log.debug({ text: text.slice(0, 2000) }, 'database engine says')
      if (panicked || !PANIC.test(text)) return
      panicked = true
      this.#comeback.needsRoom()
      if (!this.#watched || this.#stopping) return
      this.#options.log.error({ text: text.slice(0, 500) }, 'database engine cannot write; ending it')
      child.kill('SIGKILL')
    })
  }

  #onEnd(child: ChildProcess, how: Record<string, unknown>): void {
    if (!this.#watched || this.#stopping || this.#child !== child) return
    this.#comeback.schedule(how, () => {
      this.#launch().catch((err) => this.#onFailedLaunch(err, child))
    })
  }

  #onFailedLaunch(err: unknown, before: ChildProcess): void {
    this.#options.log.error({ err }, 'database engine did not start again')
    const child = this.#child
    if (this.#stopping || child === undefined) return
    // No process was started, so none will end.
    if (child === before) this.#onEnd(child, {})
    // One that hangs ends here, and its end is what starts the next.
    else if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  }
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
  const port = await listen(server, { host: '127.0.0.1', port: 0 })
  server.close()
  await once(server, 'close')
  return port
}
