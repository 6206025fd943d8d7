import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '../../base/index.ts'
import type { CommandAsker } from '../../usp/index.ts'
import { syncFolderOf } from '../files/durable-file.ts'
import { rotate } from '../files/rotate.ts'
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

/** Bounds of an audit file: bytes of one file, and number of older files that are kept. */
interface AuditBounds {
  readonly maxBytes: number
  readonly olderFiles: number
}

const NEWLINE = 0x0a
const BOUNDS: AuditBounds = { maxBytes: 16 * 1024 * 1024, olderFiles: 9 }

/**
 * An audit trail in a file of JSON lines, to which entries are only appended. A full file becomes `<path>.1`, the one
 * before it `<path>.2`, and the oldest is dropped.
 */
export class AuditFile implements AuditTrail {
  readonly #path: string
  readonly #clock: Pick<Clock, 'now'>
  readonly #bounds: AuditBounds
  #last: Promise<void> = Promise.resolve()

  constructor(path: string, clock: Pick<Clock, 'now'>, bounds = BOUNDS) {
    this.#path = path
    this.#clock = clock
    this.#bounds = bounds
  }

  begun(command: AuditedCommand): Promise<void> {
    const line = `${JSON.stringify({ at: new Date(this.#clock.now()).toISOString(), ...command })}\n`
    const work = () => this.#append(line)
    this.#last = this.#last.then(work, work)
    return this.#last
  }

  async #append(line: string): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true })
    const file = await this.#openFor(Buffer.byteLength(line))
    try {
      const { size } = await file.stat()
      // A kill in the middle of an entry leaves a line without an end.
      const isTorn = size > 0 && (await lastByte(file, size)) !== NEWLINE
      await file.appendFile(isTorn ? `\n${line}` : line)
      await file.datasync()
      if (size === 0) await syncFolderOf(this.#path)
    } finally {
      await file.close()
    }
  }

  /** Resolves with a file that has room for so many bytes. */
  async #openFor(bytes: number): Promise<FileHandle> {
    const file = await open(this.#path, 'a+', 0o600)
    try {
      const { size } = await file.stat()
      if (size === 0 || size + bytes <= this.#bounds.maxBytes) return file
    } catch (error) {
      await file.close()
      throw error
    }
    await file.close()
    await rotate(this.#path, this.#bounds.olderFiles)
    return open(this.#path, 'a+', 0o600)
  }
}

async function lastByte(file: FileHandle, size: number): Promise<number | undefined> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0]
}
