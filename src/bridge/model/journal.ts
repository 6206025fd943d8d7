import { type FileHandle, mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AppError, errorText } from '../../base/index.ts'

/** Bytes of a journal from which it is written anew when it is opened. */
const LONG = 256 * 1024

/**
 * A file of JSON lines to which entries are appended. An entry is on the disk when the promise of its append resolves;
 * entries that are appended meanwhile share one write. A process that is killed loses no entry that was acknowledged: a
 * line that was cut off is the last one, and belongs to none.
 */
export class Journal<Entry> {
  readonly #file: FileHandle
  /** Length of the file as far as it was written completely. */
  #length: number
  /** True when the file may be longer than that. */
  #torn = false
  #lines: string[] = []
  #writing: Promise<void> | undefined
  #next: Promise<void> | undefined

  private constructor(file: FileHandle, length: number) {
    this.#file = file
    this.#length = length
  }

  /**
   * Opens a journal, which need not be there, and gives its entries in order. `whole` returns entries that have the
   * same effect as all of them: a long journal is written anew with these. AppError when it cannot be read.
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
        return new Journal<Entry>(file, length)
      }
    } catch (error) {
      await file.close()
      throw new AppError('invalid', `the journal ${path} cannot be read (${errorText(error)}); remove it to begin anew`)
    }
    await file.close()
    return Journal.#begin<Entry>(path, whole())
  }

  static async #begin<Entry>(path: string, entries: Iterable<Entry>): Promise<Journal<Entry>> {
    const file = await open(`${path}.new`, 'w', 0o600)
    const text = linesOf(entries)
    await file.writeFile(text)
    await file.sync()
    await file.close()
    await rename(`${path}.new`, path)
    return new Journal<Entry>(await open(path, 'a'), Buffer.byteLength(text))
  }

  /** Resolves when entries, and all before them, are on the disk. Rejects when they are not; they are not there then. */
  append(...entries: Entry[]): Promise<void> {
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
    this.#lines = []
    this.#next = undefined
    this.#writing = this.#put(text)
    return this.#writing
  }

  async #put(text: string): Promise<void> {
    if (this.#torn) await this.#file.truncate(this.#length)
    // A full disk may take a part of it.
    this.#torn = true
    await this.#file.appendFile(text)
    await this.#file.datasync()
    this.#length += Buffer.byteLength(text)
    this.#torn = false
  }
}

function linesOf(entries: Iterable<unknown>): string {
  return Array.from(entries, (entry) => `${JSON.stringify(entry)}\n`).join('')
}
