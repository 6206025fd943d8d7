import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AppError, errorText, type Log } from '../../base/index.ts'
import type { NotifyStore, OwedNotify } from './owed.ts'

/** A line of the file: a notification of an Agent that is owed, or one that is not any more. */
type Entry = { agent: string; owed: OwedNotify } | { agent: string; gone: string }

interface Line {
  entry: Entry
  text: string
  /** True: its caller waits until it is durable. */
  isDurable: boolean
  resolve(): void
  reject(error: unknown): void
}

/** Bytes of the file from which on it is written anew when most of them are of no use any more. */
const COMPACT_AT = 1024 * 1024
/** Bytes of owed notifications of all Agents; more are refused. */
const MAX_BYTES = 256 * 1024 * 1024

/**
 * Owed notifications of all Agents of a process, in one file: a line for each, appended and made durable together with
 * those that come at the same time. A killed process loses no notification whose `put` had resolved.
 */
export class NotifyFile {
  readonly #path: string
  readonly #log: Log
  readonly #synced: boolean
  readonly #owed = new Map<string, Map<string, OwedNotify>>()
  #handle: FileHandle | undefined
  #lines: Line[] = []
  #writing: Promise<void> | undefined
  /** Bytes of the file, and of those lines that are of use. */
  #size = 0
  #live = 0
  #isTorn = false

  private constructor(path: string, log: Log, synced: boolean) {
    this.#path = path
    this.#log = log
    this.#synced = synced
  }

  /**
   * Opens or makes the file. Without `synced`, what is written outlives the process but not the machine. AppError
   * `invalid` when it cannot be read or written.
   */
  static async open(path: string, log: Log, { synced = true }: { synced?: boolean } = {}): Promise<NotifyFile> {
    const file = new NotifyFile(path, log, synced)
    try {
      await mkdir(dirname(path), { recursive: true })
      await file.#read()
      await file.#compact()
    } catch (error) {
      throw new AppError('invalid', `the notifications in ${path} cannot be kept: ${errorText(error)}`)
    }
    return file
  }

  /** Returns the store of one Agent, by its Endpoint ID. */
  storeOf(agent: string): NotifyStore {
    return {
      load: async () => [...(this.#owed.get(agent)?.values() ?? [])],
      put: (owed) => this.#put(agent, owed),
      remove: (msgId) => this.#remove(agent, msgId),
    }
  }

  /** Notifications that are owed, of all Agents. */
  get owed(): number {
    let owed = 0
    for (const known of this.#owed.values()) owed += known.size
    return owed
  }

  /** Length of the file in bytes. */
  get bytes(): number {
    return this.#size
  }

  /** Resolves when all that was taken is written. */
  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
    await this.#handle?.close()
    this.#handle = undefined
  }

  async #put(agent: string, owed: OwedNotify): Promise<void> {
    if (this.#live > MAX_BYTES) throw new AppError('unavailable', `${this.#path} has too many notifications`)
    await this.#append({ agent, owed }, true)
  }

  async #remove(agent: string, msgId: string): Promise<void> {
    const known = this.#owed.get(agent)
    const owed = known?.get(msgId)
    if (known === undefined || owed === undefined) return
    known.delete(msgId)
    if (known.size === 0) this.#owed.delete(agent)
    this.#live -= lineOf({ agent, owed }).length
    await this.#append({ agent, gone: msgId }, false)
  }

  /** Resolves when the line is written. */
  #append(entry: Entry, isDurable: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#lines.push({ entry, text: lineOf(entry), isDurable, resolve, reject })
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined
      })
    })
  }

  async #write(): Promise<void> {
    // Lines of the same turn are written together.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#lines.length > 0) {
      const lines = this.#lines
      this.#lines = []
      try {
        await this.#writeOut(lines)
        for (const { entry, text, resolve } of lines) {
          if ('owed' in entry) this.#note(entry.agent, entry.owed, text.length)
          resolve()
        }
      } catch (error) {
        this.#isTorn = true
        for (const { reject } of lines) reject(error)
      }
      if (this.#size > COMPACT_AT && this.#size > 4 * this.#live) await this.#compactOrNote()
    }
  }

  /** Takes a line that is written into account, before the file may be written anew. */
  #note(agent: string, owed: OwedNotify, bytes: number): void {
    const known = this.#owed.get(agent) ?? new Map<string, OwedNotify>()
    this.#owed.set(agent, known.set(owed.msgId, owed))
    this.#live += bytes
  }

  async #writeOut(lines: readonly Line[]): Promise<void> {
    if (this.#handle === undefined) throw new AppError('unavailable', `${this.#path} is closed`)
    // A line that was cut off by an error ends here.
    const text = (this.#isTorn ? '\n' : '') + lines.map((line) => line.text).join('')
    await this.#handle.appendFile(text)
    if ((await this.#handle.stat()).nlink === 0)
      throw new AppError('unavailable', `${this.#path} was removed: restart the process`)
    if (this.#synced && lines.some(({ isDurable }) => isDurable)) await this.#handle.datasync()
    this.#isTorn = false
    this.#size += text.length
  }

  async #compactOrNote(): Promise<void> {
    try {
      await this.#compact()
    } catch (error) {
      this.#log.warn({ reason: errorText(error) }, 'the file of notifications cannot be written anew; it grows')
    }
  }

  async #read(): Promise<void> {
    const text = await readFile(this.#path, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
      throw error
    })
    const lines = text.split('\n')
    // The text behind the last line end was cut off, and nobody was promised it.
    lines.pop()
    let wrong = 0
    for (const line of lines) if (line !== '' && !this.#take(line)) wrong++
    if (wrong > 0) this.#log.warn({ lines: wrong }, 'lines of the file of notifications cannot be read')
  }

  /** Returns false when a line cannot be read. */
  #take(line: string): boolean {
    try {
      const entry = JSON.parse(line) as Entry
      const known = this.#owed.get(entry.agent) ?? new Map<string, OwedNotify>()
      if ('gone' in entry) known.delete(entry.gone)
      else if (typeof entry.owed.msgId === 'string' && typeof entry.owed.notify === 'object')
        known.set(entry.owed.msgId, entry.owed)
      else return false
      this.#owed.set(entry.agent, known)
      return true
    } catch {
      return false
    }
  }

  /** Writes what is owed into a new file in place of the old one; after a cut at any place one of them is there. */
  async #compact(): Promise<void> {
    let text = ''
    for (const [agent, known] of this.#owed) for (const owed of known.values()) text += lineOf({ agent, owed })
    const next = await open(`${this.#path}.new`, 'w', 0o600)
    try {
      await next.appendFile(text)
      await next.sync()
      await rename(`${this.#path}.new`, this.#path)
      await syncFolder(dirname(this.#path))
    } catch (error) {
      await next.close()
      throw error
    }
    await this.#handle?.close()
    this.#handle = next
    this.#size = text.length
    this.#live = text.length
    this.#isTorn = false
  }
}

function lineOf(entry: Entry): string {
  return `${JSON.stringify(entry)}\n`
}

/** The new name of a file is durable when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
