import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-ports.ts'
import { until } from './until.ts'

const BINARIES = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto']

/** A mosquitto of the system on a port of this machine. */
export class Mosquitto {
  readonly port: number
  readonly #dir: string
  readonly #binary: string
  #child: ChildProcess | undefined

  private constructor(dir: string, port: number, binary: string) {
    this.#dir = dir
    this.port = port
    this.#binary = binary
  }

  /** Starts one with these lines of configuration. It fails in words when mosquitto is not installed. */
  static async start(lines: readonly string[] = ['allow_anonymous true']): Promise<Mosquitto> {
    const binary = BINARIES.find(existsSync)
    if (binary === undefined)
      throw new Error('mosquitto is not installed, and these tests need it: apt-get install mosquitto')
    const dir = mkdtempSync(join(tmpdir(), 'isthmus-mosquitto-'))
    const broker = new Mosquitto(dir, await freePort(), binary)
    // Started as root it would read its files as another user.
    const user = process.getuid?.() === 0 ? ['user root'] : []
    const conf = [...user, `listener ${broker.port} 127.0.0.1`, 'persistence false', 'log_dest stdout', ...lines]
    writeFileSync(join(dir, 'mosquitto.conf'), `${conf.join('\n')}\n`)
    await broker.again()
    return broker
  }

  /** Starts it on the same port after `kill`. */
  async again(): Promise<void> {
    let output = ''
    let isGone = false
    const child = spawn(this.#binary, ['-c', join(this.#dir, 'mosquitto.conf')], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output = (output + chunk).slice(-5000)
      })
    child.once('exit', () => {
      isGone = true
    })
    await until(async () => isGone || (await isOpen(this.port)))
    if (isGone) throw new Error(`mosquitto did not start:\n${output}`)
  }

  /** kill -9, and gone when it resolves. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((done) => child.once('exit', done))
    child.kill('SIGKILL')
    await gone
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

/** Returns the lines of a template of docs/deploy without its comments. */
export function templateLines(name: string): string[] {
  const text = readFileSync(new URL(`../../docs/deploy/${name}`, import.meta.url), 'utf8')
  return text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
