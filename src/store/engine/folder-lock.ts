import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { AppError } from '../../base/index.ts'
import { livingProcess, processLine } from './process.ts'

/** Milliseconds in which another process that found the same stale lock at the same time has put its own in place. */
const OTHER_WRITES_MS = 100

/**
 * Allows one Isthmus per data folder: a file in it names the process that has it. The file of a process that has ended
 * does not count.
 */
export class FolderLock {
  readonly #file: string
  readonly #folder: string
  readonly #option: string
  #held = false

  /** `folder` and the option that names it are in the refusal, the lock lies in `inside`. */
  constructor(folder: string, inside: string, option = '--data-dir') {
    this.#option = option
    this.#folder = folder
    this.#file = join(inside, 'isthmus.lock')
  }

  /** AppError `conflict` when a living process has the folder. */
  async take(): Promise<void> {
    const mine = processLine(process.pid)
    for (let attempt = 0; attempt < 10; attempt++) {
      try {
        writeFileSync(this.#file, mine, { flag: 'wx', mode: 0o600 })
        // Two processes may remove the same stale lock, and the second may remove the new lock of the first: the last
        // writer keeps it.
        if (attempt > 0) await wait(OTHER_WRITES_MS)
        if (this.#read() !== mine) continue
        this.#held = true
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        await this.#clearDead()
      }
    }
    throw this.#refusal(undefined)
  }

  /** Gives the folder back; nothing when it was never ours. */
  release(): void {
    if (!this.#held) return
    this.#held = false
    rmSync(this.#file, { force: true })
  }

  async #clearDead(): Promise<void> {
    let line = this.#read()
    // Made but not yet written by another, unless it died just there.
    if (line === '') {
      await wait(OTHER_WRITES_MS)
      line = this.#read()
    }
    const holder = livingProcess(line)
    if (holder !== undefined) throw this.#refusal(holder)
    rmSync(this.#file, { force: true })
  }

  #refusal(holder: number | undefined): AppError {
    const by = holder === undefined ? 'another process' : `process ${holder}`
    return new AppError(
      'conflict',
      `${this.#option === '--data-dir' ? 'data' : 'state'} folder ${this.#folder} is in use by ${by}; stop it, or give another ${this.#option}`,
    )
  }

  #read(): string {
    try {
      return readFileSync(this.#file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return ''
    }
  }
}
