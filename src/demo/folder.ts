import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, isAlive, keptText, type Random, randomToken } from '../base/index.ts'

interface Ports {
  apiPort: number
  cwmpPort: number
  uspPort: number
}

/** The state of a demo between two starts. */
interface Memory {
  devices?: number
  /** Processes of the server and the fleet, while they run. */
  children?: number[]
}

const WAIT_MS = 40_000
const STEP_MS = 200

/** The folder of a demo: its key, its ports, its number of devices, and the processes that work in it. */
export class DemoFolder {
  readonly dir: string
  #memory: Memory

  constructor(dir: string) {
    this.dir = dir
    mkdirSync(dir, { recursive: true })
    const file = join(dir, 'demo.json')
    this.#memory = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Memory) : {}
  }

  /** The number asked for, else that of last time, else 200. AppError when the folder holds another fleet. */
  devices(asked: number | undefined): number {
    const kept = this.#memory.devices
    const devices = asked ?? kept ?? 200
    if (kept !== undefined && kept !== devices)
      throw new AppError(
        'conflict',
        `${this.dir} holds a demo of ${kept} devices; go on with --devices ${kept}, or give another --data-dir`,
      )
    this.#remember({ devices })
    return devices
  }

  /**
   * Children of a demo that was killed end by themselves: waits for them. The server refuses a
   * folder that another one still holds.
   */
  async take(say: (line: string) => void): Promise<void> {
    const { children = [] } = this.#memory
    if (children.some(isAlive)) say('the last demo was cut off or still runs; waiting for its server and fleet to end')
    for (let waited = 0; children.some(isAlive) && waited < WAIT_MS; waited += STEP_MS)
      await new Promise((resolve) => setTimeout(resolve, STEP_MS))
    this.#remember({ children: [] })
  }

  /** Everything has ended, but for what was still starting: the next demo waits for that. */
  leave(): void {
    this.#remember({ children: (this.#memory.children ?? []).filter(isAlive) })
  }

  runs(pid: number | undefined): void {
    if (pid !== undefined) this.#remember({ children: [...(this.#memory.children ?? []), pid] })
  }

  /**
   * Ports of the last start: the devices keep the addresses that they have. In a file of their own, which people and
   * scripts read.
   */
  get ports(): Ports | undefined {
    const file = join(this.dir, 'ports.json')
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Ports) : undefined
  }

  keepPorts(ports: Ports): void {
    write(join(this.dir, 'ports.json'), ports)
  }

  /**
   * The demo's API key. It is made here before the server has ever run, so that a cut at any place leaves one that is
   * known.
   */
  key(random: Random, newId: () => string): string {
    return keptText(this.dir, 'demo.key', () => `isthmus_${newId()}_${randomToken(random, 24)}`, random)
  }

  #remember(more: Partial<Memory>): void {
    this.#memory = { ...this.#memory, ...more }
    write(join(this.dir, 'demo.json'), this.#memory)
  }
}

/** A cut leaves the old content or the new. */
function write(file: string, content: object): void {
  writeFileSync(`${file}.new`, JSON.stringify(content))
  renameSync(`${file}.new`, file)
}
