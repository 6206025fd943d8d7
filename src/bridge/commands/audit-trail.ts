import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '../../base/index.ts'
import type { CommandAsker } from '../../usp/index.ts'
import type { Level } from '../menus/form/menu.ts'

/** A command of level 2 or 3 that begins. Of its arguments there are the names alone. */
export interface AuditedCommand {
  readonly router: string
  /** Full path of the object with the command. */
  readonly command: string
  readonly level: Level
  readonly commandKey: string
  /** The Controller that asked, with its roles at that time; or another way, such as MQTT. */
  readonly by: CommandAsker
  readonly args: readonly string[]
}

/** Keeps the commands that interrupt or destroy something. */
export interface AuditTrail {
  /** Resolves when the entry is durable: the command begins after that, and not when it rejects. */
  begun(command: AuditedCommand): Promise<void>
}

/** An audit trail in a file of JSON lines, to which entries are only appended. */
export class AuditFile implements AuditTrail {
  readonly #path: string
  readonly #clock: Pick<Clock, 'now'>
  #last: Promise<void> = Promise.resolve()

  constructor(path: string, clock: Pick<Clock, 'now'>) {
    this.#path = path
    this.#clock = clock
  }

  begun(command: AuditedCommand): Promise<void> {
    const line = `${JSON.stringify({ at: new Date(this.#clock.now()).toISOString(), ...command })}\n`
    const work = () => this.#append(line)
    this.#last = this.#last.then(work, work)
    return this.#last
  }

  async #append(line: string): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true })
    const file = await open(this.#path, 'a', 0o600)
    try {
      await file.appendFile(line)
      await file.datasync()
    } finally {
      await file.close()
    }
  }
}
