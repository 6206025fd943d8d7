/** Limits of one CPE that others with its firmware may share. */
export interface Lesson {
  batch: number
  walkOnly: boolean
  literalBooleans: boolean
  skip: ReadonlySet<string>
}

/**
 * Number of CPE that must have shown the same limit before others begin with it: one of them may be broken, badly
 * connected or hostile.
 */
const WITNESSES = 2
const MAX_LESSONS = 500
const MAX_SUSPECTS = 1000

/** Limits that the CPE of one model and firmware share, so that each of thousands need not lose the same sessions. */
export class FirmwareLessons {
  /** Names that these CPE list and do not have: requested one by one, so that they fail no batch. */
  readonly suspects = new Set<string>()
  readonly #witnesses = new Map<string, number>()

  suspect(path: string): void {
    if (this.suspects.size < MAX_SUSPECTS) this.suspects.add(path)
  }

  /** Adds the limits of a CPE whose tree was read; once per CPE. */
  add({ batch, walkOnly, literalBooleans, skip }: Lesson): void {
    this.#count(`batch ${batch}`)
    if (walkOnly) this.#count('walkOnly')
    if (literalBooleans) this.#count('literalBooleans')
    for (const path of skip) this.#count(`skip ${path}`)
  }

  /** Returns the limits with which an unknown CPE begins; `full` is the batch size without any knowledge. */
  start(full: number): Lesson {
    const sure = [...this.#witnesses].flatMap(([lesson, witnesses]) => (witnesses >= WITNESSES ? [lesson] : []))
    const after = (word: string) =>
      sure.flatMap((lesson) => (lesson.startsWith(`${word} `) ? [lesson.slice(word.length + 1)] : []))
    const batches = after('batch').map(Number)
    return {
      // The largest that worked for several: a smaller one can be due to a bad line.
      batch: batches.length === 0 ? full : Math.max(...batches),
      walkOnly: sure.includes('walkOnly'),
      literalBooleans: sure.includes('literalBooleans'),
      skip: new Set(after('skip')),
    }
  }

  #count(lesson: string): void {
    const witnesses = this.#witnesses.get(lesson) ?? 0
    if (witnesses > 0 || this.#witnesses.size < MAX_LESSONS) this.#witnesses.set(lesson, witnesses + 1)
  }
}
