import { type FileHandle, mkdir, open, rename } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { AppError, errorText } from '../../base/index.ts'

/** Bytes of a journal from which it is written anew when it is opened, and, where most of it is outdated, in between. */
const LONG = 256 * 1024
/** A journal that is open is written anew when it has become so many times as long as it was then. */
const GROWTH = 4

/**
 * A file of JSON lines to which entries are appended. An entry is on the disk when the promise of its append resolves;
 * entries that are appended meanwhile share one write. A process that is killed loses no entry that was acknowledged, a
 * machine that loses its power no entry of `append`: a line that was cut off is the last one, and belongs to none.
 */
export class Journal<Entry> {
  readonly #path: string
  readonly #whole: () => Iterable<Entry>
  #file: FileHandle
  /** Length at which it is written anew. */
  #limit: number
  /** Length of the file as far as it was written completely. */
  #length: number
  /** True when the file may be longer than that. */
  #torn = false
  #lines: string[] = []
  /** True when lines among these have to be on the disk. */
  #mustSync = false
  #writing: Promise<void> | undefined
  #next: Promise<void> | undefined

  private constructor(path: string, whole: () => Iterable<Entry>, file: FileHandle, length: number) {
    this.#path = path
    this.#whole = whole
    this.#file = file
    this.#length = length
    this.#limit = limitAfter(length)
  }

  /**
   * Opens a journal, which need not be there, and gives its entries in order. `whole` returns entries that have the
   * same effect as all of them: a long journal is written anew with these. They may have the effect of entries that
   * are being appended, or not: these follow in the file. AppError when it cannot be read.
   */
  static async open<Entry>(
    path: string,
    take: (entry: Entry) => void,
    whole: () => Iterable<Entry>,
  ): Promise<Journal<Entry>> {
    await mkdir(dirname(path), { recursive: true })
    const file = await open(path, 'a+', 0o600)
    try {
      const text = await file.readFile('utf8')
      const end = text.lastIndexOf('\n') + 1
      for (const line of text.slice(0, end).split('\n')) if (line !== '') take(JSON.parse(line) as Entry)
      const length = Buffer.byteLength(text.slice(0, end))
      if (length <= LONG) {
        await file.truncate(length)
        return new Journal<Entry>(path, whole, file, length)
      }
    } catch (error) {
      await file.close()
      throw new AppError('invalid', `the journal ${path} cannot be read (${errorText(error)}); remove it to begin anew`)
    }
    await file.close()
    const begun = await replace(path, linesOf(whole()))
    return new Journal<Entry>(path, whole, begun.file, begun.length)
  }

  /** Length of the file in bytes, as far as it is written. */
  get bytes(): number {
    return this.#length
  }

  /** Resolves when entries, and all before them, are on the disk. Rejects when they are not; they are not there then. */
  append(...entries: Entry[]): Promise<void> {
    this.#mustSync = true
    return this.write(...entries)
  }

  /**
   * Resolves when entries, and all before them, outlive the process; they outlive the machine with the next append.
   * Rejects when they do not; they are not there then.
   */
  write(...entries: Entry[]): Promise<void> {
    this.#lines.push(linesOf(entries))
    this.#next ??= (this.#writing ?? Promise.resolve()).catch(() => undefined).then(() => this.#write())
    return this.#next
  }

  /** Resolves when all entries are on the disk and the file is closed. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#next])
    await this.#file.close()
  }

  #write(): Promise<void> {
    const text = this.#lines.join('')
    const mustSync = this.#mustSync
    this.#lines = []
    this.#mustSync = false
    this.#next = undefined
    this.#writing = this.#put(text, mustSync)
    return this.#writing
  }

  async #put(text: string, mustSync: boolean): Promise<void> {
    if (this.#torn) await this.#file.truncate(this.#length)
    // A full disk may take a part of it.
    this.#torn = true
    const [{ nlink }] = await Promise.all([this.#file.stat(), this.#file.appendFile(text)])
    if (mustSync) await this.#file.datasync()
    if (nlink === 0)
      throw new AppError('unavailable', `${basename(this.#path)} of the state folder was removed: restart the bridge`)
    this.#length += Buffer.byteLength(text)
    this.#torn = false
    if (this.#length > this.#limit) await this.#shorten(text)
  }

  /** Writes the file anew, with the lines that were appended last. One that cannot be written is tried again when the journal is longer: it has all entries. */
  async #shorten(last: string): Promise<void> {
    try {
      const { file, length } = await replace(this.#path, linesOf(this.#whole()) + last)
      const old = this.#file
      this.#file = file
      this.#length = length
      await old.close()
    } catch {
      // The entries are on the disk all the same.
    }
    this.#limit = limitAfter(this.#length)
  }
}

function limitAfter(length: number): number {
  return Math.max(LONG, GROWTH * length)
}

/** Puts a file with this text in the place of another, durably. */
async function replace(path: string, text: string): Promise<{ file: FileHandle; length: number }> {
  const made = await open(`${path}.new`, 'w', 0o600)
  try {
    await made.writeFile(text)
    await made.sync()
  } finally {
    await made.close()
  }
  // Opened before it has its name, so that nothing is appended to the file that it replaces.
  const file = await open(`${path}.new`, 'a')
  try {
    await rename(`${path}.new`, path)
  } catch (error) {
    await file.close()
    throw error
  }
  return { file, length: Buffer.byteLength(text) }
}

function linesOf(entries: Iterable<unknown>): string {
  return Array.from(entries, (entry) => `${JSON.stringify(entry)}\n`).join('')
}
