import type { DeviceId } from '../../../domain/index.ts'

/** Limits of one CPE that others with its firmware may share. */
export interface Lesson {
  /** Names in one GetParameterValues that it took, and how many it takes at most. */
  batch: number
  limit: number
  notWhole: boolean
  walkOnly: boolean
  literalBooleans: boolean
  /** It has no number of entries of any table, though it lists them. */
  noCounts: boolean
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
  /** Names that these CPE list and do not have, and who showed it: they fail no batch of other names. */
  readonly #suspects = new Map<string, Set<DeviceId>>()
  readonly #witnesses = new Map<string, number>()

  /** Notes that a CPE lists a name and called it unknown when it was read. */
  suspect(path: string, cpe: DeviceId): void {
    const known = this.#suspects.get(path)
    if (known !== undefined) {
      if (known.size < WITNESSES) known.add(cpe)
    } else if (this.#suspects.size < MAX_SUSPECTS) this.#suspects.set(path, new Set([cpe]))
  }

  /** Drops what was noted of a name: a CPE answered it with a value. */
  dropSuspicion(path: string): void {
    this.#suspects.delete(path)
  }

  /** Drops a limit that a CPE has shown not to have. */
  drop(lesson: 'noCounts'): void {
    this.#witnesses.delete(lesson)
  }

  /** `one` when some CPE called the name unknown, `several` when others did, too. */
  suspicion(path: string): 'none' | 'one' | 'several' {
    const witnesses = this.#suspects.get(path)?.size ?? 0
    return witnesses === 0 ? 'none' : witnesses < WITNESSES ? 'one' : 'several'
  }

  /** Adds the limits of a CPE whose tree was read; once per CPE. */
  add({ batch, limit, notWhole, walkOnly, literalBooleans, noCounts, skip }: Lesson): void {
    this.#count(`batch ${batch}`)
    this.#count(`limit ${limit}`)
    if (notWhole) this.#count('notWhole')
    if (walkOnly) this.#count('walkOnly')
    if (literalBooleans) this.#count('literalBooleans')
    if (noCounts) this.#count('noCounts')
    for (const path of skip) this.#count(`skip ${path}`)
  }

  /** Returns the limits with which an unknown CPE begins; the sizes are those without any knowledge. */
  start(sizes: Pick<Lesson, 'batch' | 'limit'>): Lesson {
    const sure = [...this.#witnesses].flatMap(([lesson, witnesses]) => (witnesses >= WITNESSES ? [lesson] : []))
    const after = (word: string) =>
      sure.flatMap((lesson) => (lesson.startsWith(`${word} `) ? [lesson.slice(word.length + 1)] : []))
    // The largest that worked for several: a smaller one can be due to a bad line.
    const largest = (word: 'batch' | 'limit') => {
      const sizesOf = after(word).map(Number)
      return sizesOf.length === 0 ? sizes[word] : Math.max(...sizesOf)
    }
    const batch = largest('batch')
    return {
      batch,
      limit: Math.max(batch, largest('limit')),
      notWhole: sure.includes('notWhole'),
      walkOnly: sure.includes('walkOnly'),
      literalBooleans: sure.includes('literalBooleans'),
      noCounts: sure.includes('noCounts'),
      skip: new Set(after('skip')),
    }
  }

  #count(lesson: string): void {
    const witnesses = this.#witnesses.get(lesson) ?? 0
    if (witnesses > 0 || this.#witnesses.size < MAX_LESSONS) this.#witnesses.set(lesson, witnesses + 1)
  }
}
