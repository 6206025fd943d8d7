import { statfsSync } from 'node:fs'
import type { Log } from '../../base/index.ts'

/**
 * The size of two files of the engine's journal and of some for its tables: with less free space an engine starts and
 * stops at the next writes.
 */
const ROOM_BYTES = 128 * 1024 * 1024

const FIRST_PAUSE_MS = 100
const MAX_PAUSE_MS = 5000
/** An engine that lived so long was well; what ends it then is no part of an earlier series of failures. */
const STEADY_MS = 60_000
const ROOM_PAUSE_MS = 1000
const SAY_AGAIN_MS = 60_000

interface ComebackOptions {
  folder: string
  log: Log
  /** Free bytes of the disk of a folder. */
  freeBytes(folder: string): number
}

/**
 * Decides when an engine that ended by itself is started again: after a pause that grows, and after a full disk when
 * there is room.
 */
export class Comeback {
  readonly #options: ComebackOptions
  #failures = 0
  #upSince: number | undefined
  #needsRoom = false
  #saidAt: number | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: ComebackOptions) {
    this.#options = options
  }

  /** The engine is up. */
  up(): void {
    this.#upSince = performance.now()
    this.#saidAt = undefined
  }

  /** The engine could not write: it is not started again before there is room. */
  needsRoom(): void {
    this.#needsRoom = true
  }

  /** Calls `launch` once, later. `how` goes into the log: the way in which the engine ended. */
  schedule(how: Record<string, unknown>, launch: () => void): void {
    if (this.#upSince !== undefined && performance.now() - this.#upSince > STEADY_MS) this.#failures = 0
    this.#upSince = undefined
    const delayMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, MAX_PAUSE_MS)
    this.#options.log.error({ ...how, delayMs }, 'database engine ended; starting it again')
    this.#after(delayMs, launch)
  }

  cancel(): void {
    clearTimeout(this.#timer)
  }

  #after(delayMs: number, launch: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (this.#needsRoom && !this.#hasRoom()) return this.#after(ROOM_PAUSE_MS, launch)
      this.#needsRoom = false
      launch()
    }, delayMs)
  }

  #hasRoom(): boolean {
    const { folder, log, freeBytes } = this.#options
    const free = freeBytes(folder)
    if (free >= ROOM_BYTES) return true
    if (this.#saidAt === undefined || performance.now() - this.#saidAt > SAY_AGAIN_MS) {
      this.#saidAt = performance.now()
      log.error(
        { folder, freeMb: toMb(free), neededMb: toMb(ROOM_BYTES) },
        `the disk of the database is full; nothing is stored until ${toMb(ROOM_BYTES)} MB are free: delete something else on it, or make it larger`,
      )
    }
    return false
  }
}

/** Free bytes of the disk that a folder is on, for the user of this process. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

function toMb(bytes: number): number {
  return Math.floor(bytes / 1024 / 1024)
}
