/** What one box taught, as far as others of its firmware may learn from it. */
export interface Lesson {
  batch: number
  walkOnly: boolean
  literalBooleans: boolean
  skip: ReadonlySet<string>
}

/** So many boxes must have learnt the same before others begin with it: one of them may be broken, badly connected or hostile. */
const WITNESSES = 2
const MAX_SAID = 500
const MAX_SUSPECTS = 1000

/** What boxes of one model and firmware have in common: thousands of them need not each lose the same sessions. */
export class FirmwareLessons {
  /** Names that these boxes list and do not have: asked one by one, so that they fail no batch. */
  readonly suspects = new Set<string>()
  readonly #said = new Map<string, number>()

  suspect(path: string): void {
    if (this.suspects.size < MAX_SUSPECTS) this.suspects.add(path)
  }

  /** A box whose tree was read tells what it took; once per box. */
  tell({ batch, walkOnly, literalBooleans, skip }: Lesson): void {
    this.#say(`batch ${batch}`)
    if (walkOnly) this.#say('walkOnly')
    if (literalBooleans) this.#say('literalBooleans')
    for (const path of skip) this.#say(`skip ${path}`)
  }

  /** What a box that is not known yet begins with; `full` is the batch of those of which nothing is known. */
  start(full: number): Lesson {
    const sure = [...this.#said].flatMap(([lesson, boxes]) => (boxes >= WITNESSES ? [lesson] : []))
    const after = (word: string) =>
      sure.flatMap((lesson) => (lesson.startsWith(`${word} `) ? [lesson.slice(word.length + 1)] : []))
    const batches = after('batch').map(Number)
    return {
      // The largest that worked for several: a smaller one may come of a bad line.
      batch: batches.length === 0 ? full : Math.max(...batches),
      walkOnly: sure.includes('walkOnly'),
      literalBooleans: sure.includes('literalBooleans'),
      skip: new Set(after('skip')),
    }
  }

  #say(lesson: string): void {
    const boxes = this.#said.get(lesson) ?? 0
    if (boxes > 0 || this.#said.size < MAX_SAID) this.#said.set(lesson, boxes + 1)
  }
}
