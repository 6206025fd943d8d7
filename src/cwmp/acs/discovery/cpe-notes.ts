import { BoundedMap } from '../../../base/index.ts'
import type { CwmpNotes, Device, DeviceId, PathOutcome, Timestamp } from '../../../domain/index.ts'
import { FirmwareLessons, type Lesson } from './firmware-lessons.ts'

/** GetParameterValues begins with this many names; some CPE drop the connection on more. */
const FIRST_BATCH = 32
/** It has twice as many after each full one that was answered, up to this many. */
const MAX_BATCH = 256
const SIZES = { batch: FIRST_BATCH, limit: MAX_BATCH }
/** The number of rows of a table, which some CPE list and do not have; so many of them show that they have none. */
const COUNT = /NumberOfEntries$/
const MAX_UNKNOWN_COUNTS = 2
const MAX_CPE = 20_000
const MAX_FIRMWARES = 500
const MAX_SKIPPED = 64
/** Subtrees that a CPE may refuse to list at once before it is asked level by level. */
const MAX_REFUSED_WHOLES = 4
/**
 * So many discoveries in a row may fail before there are pauses between them: halving goes from 32 to 1 in that many.
 */
const FREE_FAILURES = 6
const FIRST_PAUSE_MS = 300_000
const MAX_PAUSE_MS = 86_400_000

/**
 * Limits of one CPE under one firmware, learnt from its answers. They outlive the session in which they were learnt,
 * because it often ends over the request: a CPE that drops the connection on 32 names would drop it in every session.
 */
export class CpeNotes implements Lesson {
  readonly firmware: string
  /** Names in the next GetParameterValues at most. */
  batch: number
  /** The most that `batch` may become: less than 256 when more names were too many. */
  limit: number
  /** It cannot list its whole tree at once. */
  notWhole: boolean
  /** It cannot list a whole subtree at once. */
  walkOnly: boolean
  /** It takes booleans as `true` and `false` only. */
  literalBooleans: boolean
  /** It calls every object unknown in GetParameterValues: values are asked for name by name. */
  namesOnly: boolean
  /** It lists the numbers of entries of its tables and does not have them. */
  noCounts: boolean
  /** Paths whose mere asking ended a session twice. */
  readonly skip: Set<string>
  readonly #id: DeviceId
  readonly #lessons: FirmwareLessons
  #refusedWholes = 0
  #unknownCounts = 0
  /** It answered the number of rows of some table. */
  #hasCounts = false
  /** It answered the values below some object. */
  #givesObjects = false
  readonly #strikes = new BoundedMap<string, number>(MAX_SKIPPED)
  #shared = false
  /** No discovery before this time. */
  notBefore: Timestamp = 0
  #failures = 0
  #saved: string

  constructor(id: DeviceId, firmware: string, lessons: FirmwareLessons, known: CwmpNotes | undefined) {
    this.#id = id
    this.firmware = firmware
    this.#lessons = lessons
    const own = known?.for === firmware ? known : undefined
    const start = own === undefined ? lessons.start(SIZES) : undefined
    this.batch = own?.batch ?? start?.batch ?? FIRST_BATCH
    this.limit = own?.batch ?? start?.limit ?? MAX_BATCH
    this.notWhole = own?.notWhole ?? start?.notWhole ?? false
    this.walkOnly = own?.walkOnly ?? start?.walkOnly ?? false
    this.literalBooleans = own?.literalBooleans ?? start?.literalBooleans ?? false
    this.namesOnly = own?.namesOnly ?? false
    this.noCounts = lessons.start(SIZES).noCounts
    this.skip = new Set(own?.skip ?? start?.skip)
    this.notBefore = own?.notBefore ?? 0
    this.#failures = own?.failures ?? 0
    this.#saved = own === undefined ? JSON.stringify({ for: firmware }) : JSON.stringify(this.facts())
  }

  /** Returns how sure it is that CPE of this firmware list a name and do not have it. */
  suspicion(path: string): ReturnType<FirmwareLessons['suspicion']> {
    return this.noCounts && COUNT.test(path) ? 'several' : this.#lessons.suspicion(path)
  }

  /** The CPE listed a name and called it unknown when it was read alone. */
  suspect(path: string): void {
    this.#lessons.suspect(path, this.#id)
    if (COUNT.test(path) && !this.#hasCounts && ++this.#unknownCounts >= MAX_UNKNOWN_COUNTS) this.noCounts = true
  }

  /** Drops the suspicions that these answers refute: a name with a value is there, and so is one number of entries. */
  answeredValues(outcomes: readonly PathOutcome[]): void {
    for (const { path, value } of outcomes) {
      if (value === undefined) continue
      this.#lessons.dropSuspicion(path)
      if (this.#hasCounts || !COUNT.test(path)) continue
      this.#hasCounts = true
      this.noCounts = false
      this.#lessons.drop('noCounts')
    }
  }

  /** A batch of this size was answered: a full one may be followed by a larger one. */
  took(size: number): void {
    if (size >= this.batch) this.batch = Math.min(this.batch * 2, this.limit)
  }

  /** More names than this were too many. */
  tooMany(size: number): void {
    this.limit = Math.max(1, Math.min(this.limit, size))
    this.batch = Math.min(this.batch, this.limit)
  }

  /** It was a single name that failed, and no size: a CPE for which a size is too much soon shows it again. */
  wasTheName(): void {
    this.batch = FIRST_BATCH
    this.limit = MAX_BATCH
  }

  /** It refused to list all names below an object; after some such refusals it is asked level by level. */
  refusedWhole(isRoot: boolean): void {
    if (isRoot) this.notWhole = true
    else if (++this.#refusedWholes >= MAX_REFUSED_WHOLES) this.walkOnly = true
  }

  /** It ended its session over all names below an object: it is asked for less, and does not do so a third time. */
  diedOfWhole(isRoot: boolean): void {
    if (isRoot && !this.notWhole) this.notWhole = true
    else this.walkOnly = true
  }

  /** Its tree is read: what it took holds for its like. */
  completed(): void {
    if (!this.#shared) this.#lessons.add(this)
    this.#shared = true
  }

  /**
   * Counts one more session that ended over the values below an object; returns true when the object is not asked for
   * as a whole any more.
   */
  strike(object: string): boolean {
    const strikes = (this.#strikes.get(object) ?? 0) + 1
    this.#strikes.set(object, strikes)
    if (strikes < 2) return false
    this.leaveOut(wholeOf(object))
    return true
  }

  /** The object was answered: what ended a session before was something else. */
  answered(object: string): void {
    this.#strikes.delete(object)
  }

  /** It gave the values below an object with one request. */
  gaveObject(): void {
    this.#givesObjects = true
    this.namesOnly = false
  }

  /** It called an object unknown whose names it lists and whose values it has. One that gives others is asked for them. */
  refusedObject(): void {
    if (!this.#givesObjects) this.namesOnly = true
  }

  /** True when asking for all values below an object at once has ended two sessions. */
  isWeak(object: string): boolean {
    return this.skip.has(wholeOf(object))
  }

  leaveOut(path: string): void {
    if (this.skip.size < MAX_SKIPPED) this.skip.add(path)
  }

  /** A discovery got nowhere: the next one at once, until that has failed too often. */
  failed(now: Timestamp): void {
    const beyond = ++this.#failures - FREE_FAILURES
    if (beyond > 0) this.notBefore = now + Math.min(FIRST_PAUSE_MS * 2 ** Math.min(beyond - 1, 20), MAX_PAUSE_MS)
  }

  /** A discovery got further. */
  advanced(): void {
    this.#failures = 0
    this.notBefore = 0
  }

  /** As the record keeps them. */
  facts(): CwmpNotes {
    return {
      for: this.firmware,
      ...(this.limit === MAX_BATCH ? {} : { batch: this.limit }),
      ...(this.notWhole ? { notWhole: true } : {}),
      ...(this.walkOnly ? { walkOnly: true } : {}),
      ...(this.literalBooleans ? { literalBooleans: true } : {}),
      ...(this.namesOnly ? { namesOnly: true } : {}),
      ...(this.skip.size === 0 ? {} : { skip: [...this.skip] }),
      ...(this.#failures === 0 ? {} : { failures: this.#failures, notBefore: this.notBefore }),
    }
  }

  /** The facts when they differ from what was saved last; the caller saves them. */
  unsaved(): CwmpNotes | undefined {
    const facts = this.facts()
    const text = JSON.stringify(facts)
    if (text === this.#saved) return undefined
    this.#saved = text
    return facts
  }
}

/** The notes of the CPE seen last, made from their records when they connect. */
export class CpeNotebook {
  readonly #notes = new BoundedMap<DeviceId, CpeNotes>(MAX_CPE)
  readonly #lessons = new BoundedMap<string, FirmwareLessons>(MAX_FIRMWARES)

  /** Returns the notes of a CPE under its present firmware. */
  of(device: Device): CpeNotes {
    const firmware = device.softwareVersion ?? '?'
    const known = this.#notes.get(device.id)
    if (known?.firmware === firmware) return known
    const model = `${device.oui}|${device.productClass}|${device.hardwareVersion ?? ''}|${firmware}`
    const lessons = this.#lessons.get(model) ?? new FirmwareLessons()
    this.#lessons.set(model, lessons)
    const notes = new CpeNotes(device.id, firmware, lessons, device.cwmp?.notes)
    this.#notes.set(device.id, notes)
    return notes
  }
}

/**
 * Returns the entry of the values below an object among the paths that are left out, so that the object itself can
 * still be listed.
 */
function wholeOf(object: string): string {
  return `${object}*`
}
